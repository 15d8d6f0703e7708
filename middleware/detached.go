package middleware

import (
	"context"
	"sync/atomic"
	"time"
)

// detached returns a context with parent's values that ends after limit, and not
// when parent does: a client that leaves must not look like a server that fails.
// All operations on memcached run in one, except those of a request that has
// nothing else to do than wait.
func detached(parent context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(parent), limit)
}

// deadlines make detached contexts of one limit, or a little less, without a timer
// for each, which would be a considerable part of what a hit costs: those that
// begin at about the same time end together.
type deadlines struct {
	limit   time.Duration
	current atomic.Pointer[deadline]
}

// deadline is the end of the detached contexts that began at about the same time.
type deadline struct {
	at      time.Time
	open    time.Time // until when contexts that begin may have this deadline
	expired chan struct{}
	over    atomic.Bool
}

// shortened is the part of its limit by which a context may end too early.
const shortened = 16

// detached is the function detached with the whole limit from now on.
func (ds *deadlines) detached(parent context.Context, now time.Time) untilDeadline {
	for {
		d := ds.current.Load()
		if d != nil && now.Before(d.open) {
			return untilDeadline{parent, d}
		}
		fresh := &deadline{at: now.Add(ds.limit), open: now.Add(ds.limit / shortened), expired: make(chan struct{})}
		if ds.current.CompareAndSwap(d, fresh) {
			time.AfterFunc(ds.limit, func() {
				fresh.over.Store(true)
				close(fresh.expired)
			})
			return untilDeadline{parent, fresh}
		}
	}
}

// untilDeadline is a detached context.
type untilDeadline struct {
	context.Context // for its values
	*deadline
}

func (c untilDeadline) Deadline() (time.Time, bool) { return c.at, true }

func (c untilDeadline) Done() <-chan struct{} { return c.expired }

func (c untilDeadline) Err() error {
	if c.over.Load() {
		return context.DeadlineExceeded
	}
	return nil
}
