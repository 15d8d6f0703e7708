// Package store is a memcached store for gocache
// (github.com/eko/gocache/lib/v4), over the client of package binary: it works
// with memcached that asks for authentication, and pipelines what many
// goroutines do at once.
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
// and Marshaler. The folder examples/gocache of the repository shows them, and
// how to change over from gocache's memcache store, which is one line.
//
// # Compared with gocache's own stores
//
//	                          memcache 4.2.4           redis 4.2.4              this store
//	server's authentication   none                     password                 SASL: SCRAM, CRAM-MD5, PLAIN
//	values                    []byte; others panic     any scalar, as string    come back as they went in
//	structs                   panic                    error                    NewTyped, or Options.Codec
//	GetWithTTL                always 0                 whole seconds, rounded   what remains
//	TTL of 500 ms             never expires            500 ms                   500 ms
//	TTL above 30 days         expired at once          kept                     kept
//	negative TTL              expired at once          never expires            expired at once
//	16 writers, one tag       keys are lost            nothing lost             nothing lost
//	tag of 1,000 items, Set   rewrites 1,000 keys      adds one key             adds nothing
//	Invalidate                one delete per item      one delete per item      one increment per tag
//	Invalidate, server down   nil                      nil                      error
//	tag that can't be written key stored untagged      key stored untagged      error, nothing stored
//	keys                      250 bytes, no spaces     any string               any string
//	key that is no string     panic                    panic                    error
//	SetIfNotExists            not supported            not supported            atomic
//	Clear                     flushes the servers      flushes the servers      flushes, or only Options.Prefix
//	context                   ignored                  honoured                 honoured
//	option it cannot honour   dropped                  dropped                  error
//	nil option                panic                    panic                    skipped
//	many keys at once         –                        –                        GetMulti, SetMulti, DeleteMulti
//	counters, touch           –                        –                        Increment, Decrement, Touch
//
// # Time to live
//
// The memcached protocol does not tell how long an item has left. gocache has to
// know: its chain keeps what it found in a lower layer in the upper ones for as
// long as GetWithTTL says, and for ever if that is 0. So the store keeps the
// deadline with the item, in its flags, where it does not disturb anybody: the
// bytes of a value stay as they are.
//
//   - An expiration of 0 means that the item does not expire, and GetWithTTL
//     answers 0 for nothing else.
//   - A negative one means that it is expired now: the key holds nothing
//     afterwards.
//   - Fractions of a second are rounded up on the server and exact in the store,
//     which serves nothing after its deadline. The server may drop an item up to
//     a second before, because its clock has whole seconds.
//   - What remains is known to 1/32 s for TTLs of up to 2 days, to a second up to
//     72 days and to 8 seconds up to 582 days, always rounded down. (With a codec
//     in a Store, to one part in 12,000.)
//   - Items that another client wrote have an unknown TTL, for which GetWithTTL
//     answers Options.UnknownTTL.
//
// Deadlines are compared with the clock of the machine, which should be right to
// a second or so, as NTP keeps it.
//
// # Tags
//
// A tag is a counter on the server. An item records where the counters of its
// tags stood when it was stored; Get compares, in a second round trip that only
// tagged items need. Invalidate raises the counter: one operation, however many
// items have the tag, and none can be missed. When the server has evicted a
// counter the items of its tag are invalid, and when the counter cannot be read
// Get returns the error.
//
// Counters live longer than their items: libstore.WithTagsTTL, which is 720 hours
// as in gocache's other stores, or as long as the item if that is longer.
//
// An item whose value was read from a database before an invalidation and is
// stored after it, is valid: no cache can know. Set it with a short expiration
// where that matters.
//
// # Keys, prefixes and Clear
//
// Any string is a key, and any a tag. What memcached does not permit (more than
// 250 bytes, spaces, control characters, nothing) is replaced by a SHA-256 that
// no other key maps to.
//
// Without Options.Prefix, Clear flushes every server of the client: also what
// other programs keep there, sessions for instance. With one, Clear begins a new
// generation of keys by raising a counter. All processes see that at once, and
// the items of generations that are over are left to the server's eviction. The
// price is that every operation asks for that counter too, in the same round
// trip.
//
// # Values
//
// A Store keeps []byte, string, bool, all integer and float types: what went in as
// int64 comes back as int64. Numbers are decimal text, in which the server can
// count. Other types, named ones such as time.Duration among them, are refused
// with ErrValueType; NewTyped stores values of one type, whatever it is, through a
// codec.Codec. Nil is refused, and an empty value is a value.
//
// # Other clients
//
// Other clients read the bytes of a []byte or string without tags as they went in,
// under the same key if it is one for memcached and there is no Prefix; and this
// store reads theirs as []byte. So a fleet can change over from gocache's memcache
// store server by server. With a Codec of the subpackages of binary/codec, values
// are shared with clients in Python, Ruby, PHP and Java: their flags have the low
// bits, the store has the others.
//
// # Errors
//
// A miss is libstore.NotFoundWithCause(memcached.ErrCacheMiss). A context's error
// is returned as it is. All else is a fault: of the cache, as package binary
// describes it, or ErrKeyType, ErrValueType, ErrCorrupt or
// libstore.ErrNotSupported. A dead server is never a miss. gocache's chain drops
// many errors; Options.OnError gets them all.
package store
