package session

import (
	"context"
	"sync/atomic"
	"time"
)

// detachedLimit bounds operations that neither the request's deadline nor the
// client's Options.Timeout ends: they end after one to two times as long.
const detachedLimit = 10 * time.Second

// contexts makes the contexts that operations on memcached run in. They keep the
// values and the deadline of a request's context, but not its cancellation. A
// request is cancelled when its browser leaves; what its handler did has to be
// saved all the same, and nothing is wrong with the server.
//
// Something has to end them in place of the cancellation. That is a period, one
// for many requests, so that they need no timer each.
type contexts struct{ current atomic.Pointer[period] }

// period is a context for the operations that begin before its close.
type period struct {
	context.Context // ends detachedLimit after close
	cancel          context.CancelFunc
	close           time.Time
}

// detachedContext is a period with the values of another context.
type detachedContext struct {
	*period
	values context.Context
}

// Value asks the period first: it knows what package context keeps there of
// cancellations, and nothing else.
func (d *detachedContext) Value(key any) any {
	if v := d.period.Value(key); v != nil {
		return v
	}
	return d.values.Value(key)
}

// detached returns a context for operations on memcached, and what to call after
// them.
func (c *contexts) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx == nil { // the client refuses it
		return ctx, func() {}
	}
	p := c.period()
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(p.close.Add(detachedLimit)) {
		return context.WithDeadline(context.WithoutCancel(ctx), deadline)
	}
	return &detachedContext{period: p, values: ctx}, func() {}
}

// period returns the period that new operations belong to.
func (c *contexts) period() *period {
	for {
		now, old := time.Now(), c.current.Load()
		if old != nil && now.Before(old.close) {
			return old
		}
		next := &period{close: now.Add(detachedLimit)}
		next.Context, next.cancel = context.WithDeadline(context.Background(), next.close.Add(detachedLimit))
		if c.current.CompareAndSwap(old, next) {
			return next // what runs in the old one may go on
		}
		next.cancel()
	}
}
