package middleware

import "time"

// Kind says what an Event is about.
type Kind string

const (
	// EventHit: a stored response was sent.
	EventHit Kind = "hit"
	// EventStale: a stored response was sent after its lifetime.
	EventStale Kind = "stale"
	// EventMiss: nothing usable was stored; the handler ran.
	EventMiss Kind = "miss"
	// EventCollapsed: the response of a concurrent request was sent.
	EventCollapsed Kind = "collapsed"
	// EventRevalidated: the handler confirmed a stored response with 304.
	EventRevalidated Kind = "revalidated"
	// EventBypass: the request bypassed the cache.
	EventBypass Kind = "bypass"
	// EventStored: a response was stored.
	EventStored Kind = "stored"
	// EventInvalidated: an unsafe request made stored responses unusable.
	EventInvalidated Kind = "invalidated"
	// EventError: memcached failed; the request went on without.
	EventError Kind = "error"
)

// Event is something that happened in a Cache.
type Event struct {
	Kind Kind
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
