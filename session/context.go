package session

import (
	"context"
	"sync/atomic"
	"time"
)

// patience is how long operations go on that neither the request's deadline
// nor the client's Options.Timeout ends: up to twice as long.
const patience = 10 * time.Second

// patient makes the contexts that operations on memcached run in: they keep the
// values and the deadline of the context that they are made of, but not its
// cancellation. A request is cancelled when its browser leaves; what its handler
// did has to be saved all the same, and nothing is wrong with the server.
//
// Something has to end them in place of the cancellation. That is a shift, which
// many requests share, so that they need no timer each.
type patient struct{ shift atomic.Pointer[shift] }

// shift is a context for the operations that begin before closing time.
type shift struct {
	context.Context // ends patience after closing time
	cancel          context.CancelFunc
	closing         time.Time
}

// uncancelled is a shift with the values of another context.
type uncancelled struct {
	*shift
	values context.Context
}

// Value asks the shift first: it knows what package context keeps there of
// cancellations, and nothing else.
func (u *uncancelled) Value(key any) any {
	if v := u.shift.Value(key); v != nil {
		return v
	}
	return u.values.Value(key)
}

// outlast returns a context for operations on memcached, and what to call after
// them.
func (p *patient) outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx == nil { // the client refuses it
		return ctx, func() {}
	}
	s := p.current()
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(s.closing.Add(patience)) {
		return context.WithDeadline(context.WithoutCancel(ctx), deadline)
	}
	return &uncancelled{shift: s, values: ctx}, func() {}
}

// current returns the shift that is on.
func (p *patient) current() *shift {
	for {
		now, old := time.Now(), p.shift.Load()
		if old != nil && now.Before(old.closing) {
			return old
		}
		next := &shift{closing: now.Add(patience)}
		next.Context, next.cancel = context.WithDeadline(context.Background(), next.closing.Add(patience))
		if p.shift.CompareAndSwap(old, next) {
			return next // what runs in the old one may go on
		}
		next.cancel()
	}
}
