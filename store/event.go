package store

import "time"

// EventKind says what an Event is about.
type EventKind string

const (
	// EventLoaded: load returned a value, or that there is none.
	EventLoaded EventKind = "loaded"
	// EventRefreshed: the same, before the old value has expired.
	EventRefreshed EventKind = "refreshed"
	// EventFailed: load returned an error, panicked or took too long.
	EventFailed EventKind = "failed"
	// EventStored: what was loaded was stored.
	EventStored EventKind = "stored"
	// EventOvertaken: what was loaded is not kept, because of an Invalidate,
	// Clear, Set or Delete during the load.
	EventOvertaken EventKind = "overtaken"
	// EventWaited: a caller waited for the load of another caller or process.
	EventWaited EventKind = "waited"
	// EventStale: a caller got a value that has expired.
	EventStale EventKind = "stale"
)

// Event is something that happened in GetOrLoad.
type Event struct {
	Kind EventKind
	// Key is the key as GetOrLoad got it.
	Key string
	// Duration is how long the load took, or the caller waited; of EventStored and
	// EventOvertaken, how long loading and storing took.
	Duration time.Duration
	// Err is why loading failed; only EventFailed and EventStale can have one.
	Err error
}

func (c *core) event(e Event) {
	if c.opts.OnEvent != nil {
		c.opts.OnEvent(e)
	}
}
