package middleware

import "time"

// EventKind says what an Event is about.
type EventKind string

const (
	// EventHit: a stored response was sent.
	EventHit EventKind = "hit"
	// EventStale: a stored response was sent after its lifetime.
	EventStale EventKind = "stale"
	// EventMiss: nothing usable was stored; the handler ran, unless the request said
	// only-if-cached or was cancelled meanwhile.
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
	// EventPurged: a purge has ended. Scope says what it was of.
	EventPurged EventKind = "purged"
	// EventSoftPurged: the same, of a soft purge.
	EventSoftPurged EventKind = "soft_purged"
	// EventError: memcached failed; the request went on without.
	EventError EventKind = "error"
)

// Event is something that happened in a Cache.
type Event struct {
	Kind EventKind
	// Key is the key in memcached: a digest, not the URL. A request that bypassed the
	// cache has none. Of purges only those of a page have one, and it is one of those
	// that the page may have.
	Key string
	// Scope is what was purged; "" if nothing was.
	Scope PurgeScope
	// Count is the number of tags of a purge by tags, or of values that a soft purge of
	// a page found: one is enough for all its variants. Other purges do not know: 0.
	Count int
	// Age is the age of the stored response that was sent; 0 if there was none.
	Age time.Duration
	// Duration is how long the request took; of EventStored, EventInvalidated, EventError
	// and purges, how long the operation on memcached took.
	Duration time.Duration
	// Err is why memcached failed: always in EventError, and in a purge that returned it.
	Err error
}
