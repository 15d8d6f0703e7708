package middleware

import (
	"context"
	"sync/atomic"
	"time"
)

// budget is a context that ends after a while, for operations on memcached. It
// has the values of its parent but does not end with it: a client that leaves
// must not look like a server that fails.
type budget struct {
	context.Context
	*alarm
}

func (b budget) Deadline() (time.Time, bool) { return b.at, true }

func (b budget) Done() <-chan struct{} { return b.rang }

func (b budget) Err() error {
	if b.over.Load() {
		return context.DeadlineExceeded
	}
	return nil
}

// alarm is the end of all budgets that began at about the same time. A timer for
// each would be a considerable part of what a hit costs.
type alarm struct {
	at     time.Time
	shared time.Time // until when budgets that begin may share it
	rang   chan struct{}
	over   atomic.Bool
}

// alarms gives out alarms that ring after limit, or a little earlier.
type alarms struct {
	limit   time.Duration
	current atomic.Pointer[alarm]
}

// sharing is the part of its limit by which a budget may be shortened.
const sharing = 16

// begin returns a budget of the whole limit from now on.
func (as *alarms) begin(parent context.Context, now time.Time) budget {
	for {
		a := as.current.Load()
		if a != nil && now.Before(a.shared) {
			return budget{parent, a}
		}
		fresh := &alarm{at: now.Add(as.limit), shared: now.Add(as.limit / sharing), rang: make(chan struct{})}
		if as.current.CompareAndSwap(a, fresh) {
			time.AfterFunc(as.limit, func() {
				fresh.over.Store(true)
				close(fresh.rang)
			})
			return budget{parent, fresh}
		}
	}
}
