// Package store is a memcached store for gocache
// (github.com/eko/gocache/lib/v4), over the client in the folder binary. It
// works with memcached that requires authentication, and pipelines the
// operations of concurrent goroutines.
//
//	client, err := memcached.New([]string{"cache-1:11211"}, &memcached.Options{
//		Auth: sasl.Auto(os.Getenv("MEMCACHED_USERNAME"), os.Getenv("MEMCACHED_PASSWORD")),
//	})
//	…
//	pages := cache.New[[]byte](store.New(client, libstore.WithExpiration(10*time.Minute)))
//	users, err := store.NewTyped[User](client, nil)
//	…
//	cachedUsers := cache.New[User](users)
//
// All of gocache works on top: Cache, ChainCache, LoadableCache, MetricCache
// and Marshaler. The folder examples/gocache of the repository shows them. It
// also shows how to replace gocache's memcache store, which changes one line.
//
// # Compared with gocache's own stores
//
//	                          memcache 4.2.4        redis 4.2.4             rueidis 4.1.7           this store
//	server's authentication   none                  password                password                SASL: SCRAM, CRAM-MD5, PLAIN
//	values                    []byte; others panic  any scalar, as string   string; others panic    come back as they went in
//	structs                   panic                 error                   panic                   NewTyped, or Options.Codec
//	GetWithTTL                always 0              whole seconds, rounded  of a copy, up to 10 s   what remains
//	no TTL                    kept                  kept                    error                   kept
//	TTL of 500 ms             never expires         500 ms                  error                   500 ms
//	TTL above 30 days         expired at once       kept                    kept                    kept
//	negative TTL              expired at once       never expires           error                   expired at once
//	16 writers, one tag       keys are lost         nothing lost            nothing lost            nothing lost
//	tag of 1,000 items, Set   rewrites 1,000 keys   adds one key            adds one key            adds nothing
//	Invalidate                one delete per item   one delete per item     one delete per item     one increment per tag
//	Invalidate, server down   nil                   nil                     nil                     error
//	tag cannot be written     key stored untagged   key stored untagged     key stored untagged     error, nothing stored
//	keys                      250 bytes, no spaces  any string              any string              any string
//	key that is no string     panic                 panic                   panic                   error
//	SetIfNotExists            not supported         not supported           not supported           atomic
//	Clear                     flushes the servers   flushes the servers     flushes the servers     flushes, or only Options.Prefix
//	context                   ignored               honoured                honoured                honoured
//	option it cannot honour   dropped               dropped                 dropped                 error
//	nil option                panic                 panic                   panic                   skipped
//	copies in the process     –                     –                       for up to 10 s          gocache's chain, NewBounded
//	loading once for a fleet  –                     –                       –                       Typed.GetOrLoad
//	many keys at once         –                     –                       –                       GetMulti, SetMulti, DeleteMulti
//	counters, touch           –                     –                       –                       Increment, Decrement, Touch
//
// # Time to live
//
// The memcached protocol does not return the remaining time to live of an item.
// gocache needs it: its chain keeps copies in the upper layers for as long as
// GetWithTTL says, and for ever if that is 0. So the store keeps the deadline
// with the item, in its flags. The bytes of the value stay as they are.
//
//   - An expiration of 0 means that the item does not expire. Only then does
//     GetWithTTL return 0.
//   - A negative one means that the item expires at once: the key then has no
//     value.
//   - One above 0 and below a millisecond is an error. It can only be a forgotten
//     unit: libstore.WithExpiration(60) is 60 ns.
//   - A TTL is exact: the value is there until the deadline and not after it. The
//     server's clock has whole seconds, so the server keeps an item for two seconds
//     more, in which only other clients see it.
//   - The remaining time is known to 1/32 s for TTLs of up to 2 days, to a second
//     up to 72 days and to 8 seconds up to 582 days, always rounded down. (With a
//     codec in a Store, to one part in 12,000.)
//   - Items of other clients have an unknown TTL. GetWithTTL returns
//     Options.UnknownTTL for them.
//   - So have values for which a codec needs flags above 31, such as numbers of
//     codec/spymemcached and everything with UserFlags of codec/phpmemcached: there
//     is no room for a deadline. The server alone ends them, up to two seconds early.
//
// Deadlines are compared with the clock of the machine. It should be right to a
// second or so, as NTP keeps it.
//
// # Tags
//
// A tag is a counter on the server. An item records the numbers of its tags'
// counters when it is stored. Get compares them, in a second round trip that only
// tagged items need. Invalidate raises the counter: one operation, however many
// items have the tag, and none is missed. When the server has evicted a counter,
// the items of its tag are invalid. When a counter cannot be read, Get returns the
// error.
//
// Counters live longer than their items: for libstore.WithTagsTTL, which is 720
// hours by default as in gocache's other stores, or as long as the item if that is
// longer.
//
// A value that was read from a database before an invalidation, and is stored with
// Set after it, is valid: the store cannot know that it is old. GetOrLoad can.
//
// # Loading
//
// Typed.GetOrLoad returns a value, or loads and stores it:
//
//	user, err := users.GetOrLoad(ctx, "user:42", time.Hour, func(ctx context.Context) (User, error) {
//		return readUser(ctx, db, 42)
//	}, libstore.WithTags([]string{"users"}))
//
// Of all goroutines and processes one loads, and the others wait for its value.
// It owns a lock, which is an item of its own in memcached and is renewed every
// second. When its process dies, the lock ends within 5 seconds. Values that are
// in use are loaded anew before they expire, so that nobody waits
// (Options.RefreshAhead). When loading fails, old values can be returned for a
// while (Options.KeepStale); the server keeps them for that long. "There is none"
// is an answer that is kept (Options.NotFoundTTL). Options.OnLoadEvent is told of
// loads, waits and old values.
//
// What changes during a load wins over it: who calls GetOrLoad after a change gets
// no value whose load began before it. Invalidate and Clear make what it stores
// invalid. A value that was set or deleted meanwhile is not replaced, which the
// item's version and the lock show: so the Delete of a Typed marks the lock, too.
// The Delete of a Store does not, and a Set does not count any more when its value
// was evicted, or removed by a Delete that went on beside it. The next load begins when the one that has lost ends, so
// that there are never two at once.
//
// # Chains
//
// gocache's chain copies what it finds in this store to the upper layers, without
// tags and for the rest of its time to live. Invalidations and deletes in other
// processes do not reach these copies. NewBounded limits how long the upper layer
// keeps a copy, and so how long it can be out of date.
//
// # Keys, prefixes and Clear
//
// Any string is a key, and any string is a tag. What memcached does not permit
// (more than 250 bytes, spaces, control characters, an empty key) is replaced by a
// SHA-256 that no other key is mapped to.
//
// Without Options.Prefix, Clear flushes every server of the client, which also
// removes what other programs keep there, sessions for instance. With a prefix,
// Clear begins a new generation of keys by raising a counter. All processes see
// that at once, and the server evicts the items of earlier generations in time.
// The price is that every operation reads that counter too, in the same round
// trip.
//
// # Values
//
// A Store keeps []byte, string, bool, and all integer and float types: an int64
// comes back as an int64. Numbers are stored as decimal text, which the server can
// increment. Other types, including named ones such as time.Duration, are refused
// with ErrValueType. NewTyped stores values of one type, whatever it is, through a
// codec.Codec. Nil is refused. An empty value is a value.
//
// # Other clients
//
// Other clients read a []byte or string without tags as it went in, under the same
// key if memcached permits it and there is no Prefix. This store reads their values
// as []byte. So a fleet can be moved from gocache's memcache store one server at a
// time. The codecs in the subpackages of binary/codec store values as clients in
// Python, Ruby, PHP, Java and Node.js do: the low bits of the flags are theirs, the
// others are the store's.
//
// # Errors
//
// A miss is libstore.NotFoundWithCause(memcached.ErrCacheMiss). The error of a
// context is returned as it is. Every other error is a fault: one of the client's,
// as package memcached describes it, or ErrKeyType, ErrValueType, ErrCorrupt or
// libstore.ErrNotSupported. An unavailable server is never a miss. gocache's chain
// drops many errors; Options.OnError gets them all.
package store
