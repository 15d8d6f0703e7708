package memcached

import (
	"context"
	"time"
)

// WithTimeout returns a context whose operations may take timeout in place of
// Options.Timeout: more for a large GetMulti, less where a late answer is of no
// use. The context's own deadline counts as well. Negative: only the context
// limits them. A timeout has a unit: 60 is 60 ns, which operations refuse.
//
//	items, err := client.GetMulti(memcached.WithTimeout(ctx, 10*time.Second), keys)
func WithTimeout(ctx context.Context, timeout time.Duration) context.Context {
	if ctx == nil {
		panic("memcached: WithTimeout: context is nil")
	}
	return &timeoutContext{ctx, min(timeout, longest)}
}

type timeoutContext struct {
	context.Context
	timeout time.Duration
}

type timeoutKey struct{}

// Value finds the context itself, through whatever was derived from it.
func (c *timeoutContext) Value(key any) any {
	if key == (timeoutKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// limits say how long an operation may take, retries included. Times are on the
// client's clock.
type limits struct {
	began    int64 // 0: unknown
	deadline int64 // 0: to be set
	own      bool  // set by WithTimeout: others in the queue may end before or after it
}

// limits returns those of an operation that starts now.
func (c *Client) limits(ctx context.Context) limits {
	l := limits{began: c.now(), deadline: noDeadline}
	timeout := c.opts.Timeout
	if ctx != nil {
		if t, ok := ctx.Value(timeoutKey{}).(*timeoutContext); ok {
			timeout, l.own = t.timeout, true
		}
	}
	if timeout >= 0 {
		l.deadline = l.began + int64(timeout)
	}
	return l
}

// check refuses a WithTimeout that can only be a forgotten unit.
func (l *limits) check() error {
	if !l.own {
		return nil
	}
	return checkDuration("WithTimeout", time.Duration(l.deadline-l.began))
}

// timedOut is the error of an operation whose deadline is over.
func (l *limits) timedOut() error {
	if l.own {
		return errOwnTimeout
	}
	return errTimeout
}
