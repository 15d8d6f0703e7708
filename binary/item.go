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

	// TTL is the time to live, read when storing. Zero keeps the item until
	// the server evicts it, a negative duration expires it at once, fractions
	// of a second round up and durations above 30 days work.
	TTL time.Duration

	// CAS is the version of the item that a read returned. CompareAndSwap
	// stores only if it is still the current one. Zero means that the server
	// keeps no versions (memcached -C).
	CAS uint64
}
