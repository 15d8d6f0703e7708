package store

import "time"

// LoadEventKind says what a LoadEvent is about.
type LoadEventKind string

const (
	// LoadEventLoaded: load returned a value, or that there is none.
	LoadEventLoaded LoadEventKind = "loaded"
	// LoadEventRefreshed: the same, before the old value has expired.
	LoadEventRefreshed LoadEventKind = "refreshed"
	// LoadEventFailed: load returned an error, panicked or took too long.
	LoadEventFailed LoadEventKind = "failed"
	// LoadEventStored: what was loaded was stored.
	LoadEventStored LoadEventKind = "stored"
	// LoadEventOvertaken: what was loaded is not kept, because of an Invalidate,
	// Clear, Set or Delete during the load.
	LoadEventOvertaken LoadEventKind = "overtaken"
	// LoadEventWaited: a caller waited for the load of another caller or process.
	LoadEventWaited LoadEventKind = "waited"
	// LoadEventStale: a caller got a value that has expired.
	LoadEventStale LoadEventKind = "stale"
)

// LoadEvent is something that happened in GetOrLoad.
type LoadEvent struct {
	Kind LoadEventKind
	// Key is the key as GetOrLoad got it.
	Key string
	// Duration is how long the load took, or the caller waited; of LoadEventStored and
	// LoadEventOvertaken, how long loading and storing took.
	Duration time.Duration
	// Err is why loading failed; only LoadEventFailed and LoadEventStale can have one.
	Err error
}

func (c *core) event(e LoadEvent) {
	if c.opts.OnLoadEvent != nil {
		c.opts.OnLoadEvent(e)
	}
}
