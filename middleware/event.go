package middleware

import "time"

// EventKind says what an Event is about.
type EventKind string

const (
	// EventHit: a stored response was sent.
	EventHit EventKind = "hit"
	// EventStale: a stored response was sent after its lifetime.
	EventStale EventKind = "stale"
	// EventMiss: nothing usable was stored; the handler ran.
	EventMiss EventKind = "miss"
	// EventCollapsed: the response of a concurrent request was sent.
	EventCollapsed EventKind = "collapsed"
	// EventRevalidated: the handler confirmed a stored response with 304.
	EventRevalidated EventKind = "revalidated"
	// EventBypass: the request bypassed the cache.
	EventBypass EventKind = "bypass"
	// EventStored: a response was stored.
	EventStored EventKind = "stored"
	// EventInvalidated: an unsafe request made stored responses unusable.
	EventInvalidated EventKind = "invalidated"
	// EventError: memcached failed; the request went on without.
	EventError EventKind = "error"
)

// Event is something that happened in a Cache.
type Event struct {
	Kind EventKind
	// Key is the key in memcached: a digest, not the URL.
	Key string
	// Age is the age of the stored response that was sent; 0 if there was none.
	Age time.Duration
	// Duration is how long the request took; of EventStored, EventInvalidated and
	// EventError, how long the operation on memcached took.
	Duration time.Duration
	// Err is why memcached failed; only EventError has one.
	Err error
}
