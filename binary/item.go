package memcached

import "time"

// Item is what the cache holds under a key.
//
// Items returned by the client belong to the caller. Items passed to it are
// read only during the call.
type Item struct {
	// Key is 1 to 250 bytes without spaces and control characters. SafeKey
	// makes such a key from any string.
	Key string

	// Value is up to Options.MaxItemSize bytes; empty is a value like others.
	Value []byte

	// Flags is a number that the server keeps with the value and does not
	// interpret. Clients encode the type of the value in it.
	Flags uint32

	// TTL is the time to live. Only writes read it; reads leave it 0. 0: until
	// the server evicts the item. A negative TTL expires the item at once.
	// Fractions of a second round up, and more than 30 days work. A TTL below
	// a millisecond is refused, because it is a forgotten unit: TTL: 60 is
	// 60 ns.
	TTL time.Duration

	// CAS is the version of the item that a read returned. CompareAndSwap
	// stores only if it is still the current one. Zero means that the server
	// keeps no versions (memcached -C).
	CAS uint64
}
