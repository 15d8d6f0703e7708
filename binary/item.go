package memcached

import "time"

// Item is what the cache holds under a key.
//
// Items returned by the client belong to the caller. Items passed to it are used
// only during the call; a write that succeeds sets their CAS, so that several
// goroutines must not store one Item at the same time.
type Item struct {
	// Key is 1 to 250 bytes without spaces and control characters. SafeKey
	// makes such a key from any string.
	Key string

	// Value is up to Options.MaxItemSize bytes. It may be empty.
	Value []byte

	// Flags is a number that the server keeps with the value and does not
	// interpret. Clients encode the type of the value in it.
	Flags uint32

	// TTL is the time to live. Writes use it; reads leave it 0. Fractions of a
	// second are rounded up. The server's clock ticks in seconds, now and then two
	// at once: an item may be gone up to two seconds early. More than 30 days work. 0: until the server evicts
	// the item. Negative: the item expires at once. Above 0 and below a
	// millisecond is refused as a forgotten unit: TTL: 60 is 60 ns.
	TTL time.Duration

	// CAS is the version of the item. Reads return it, and Set, Add, Replace
	// and CompareAndSwap set it to that of what they stored, except with
	// Options.Replicate, where servers number versions on their own.
	// CompareAndSwap stores only if it is still the current version; other writes
	// ignore it. 0: there are no versions (memcached -C, or Options.Replicate).
	CAS uint64
}
