package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// loadPanic is the panic of a load, with which GetOrLoad panics.
type loadPanic struct {
	Value any
	stack []byte
}

// Error returns the panic, and the stack of the goroutine that load ran on.
func (p *loadPanic) Error() string {
	return fmt.Sprintf("%v\n\nstack of the load:\n%s", p.Value, p.stack)
}

// Unwrap returns the error that load panicked with, if it was one.
func (p *loadPanic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

var errGoexit = errors.New("store: GetOrLoad: load ended its goroutine")

// errOverdue is the error of callers while a load does not end.
var errOverdue = errors.New("store: GetOrLoad: an earlier load of this key still runs, although its context ended at Options.LoadTimeout")

// run calls a flight's load, within LoadTimeout.
func (c *core) run(ctx context.Context, f *flight) outcome {
	ctx, cancel := context.WithTimeout(ctx, c.opts.LoadTimeout)
	defer cancel()
	began := time.Now()
	result := make(chan outcome, 1)
	c.loads.begun(f.key)
	f.returned = make(chan struct{})
	c.loads.wg.Go(func() {
		defer close(f.returned)
		defer c.loads.returned(f.key)
		call(ctx, f.load, result)
	})
	var out outcome
	select {
	case out = <-result:
	case <-ctx.Done():
		out.err = ctx.Err()
	}
	if ended := ctx.Err(); ended != nil && errors.Is(out.err, ended) {
		out.err = c.unfinished(ctx)
	}
	kind, err := LoadEventLoaded, out.err
	if out.panicked != nil {
		err = out.panicked
	}
	switch {
	case err != nil:
		kind = LoadEventFailed
	case f.refresh:
		kind = LoadEventRefreshed
	}
	c.event(LoadEvent{Kind: kind, Key: f.key, Duration: time.Since(began), Err: err})
	return out
}

// unfinished is the error of a load that did not return in time.
func (c *core) unfinished(ctx context.Context) error {
	if c.loads.ctx.Err() != nil {
		return fmt.Errorf("store: GetOrLoad: %w", memcached.ErrClosed)
	}
	return fmt.Errorf("store: GetOrLoad: load took longer than Options.LoadTimeout, %v: %w", c.opts.LoadTimeout, ctx.Err())
}

// call calls load and sends how it ended.
func call(ctx context.Context, load func(context.Context) (any, error), result chan<- outcome) {
	out := outcome{err: errGoexit}
	defer func() {
		if v := recover(); v != nil {
			out = outcome{panicked: &loadPanic{v, debug.Stack()}}
		}
		result <- out
	}()
	value, err := load(ctx)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && isNil(value):
		out = outcome{none: true}
	case err != nil:
		out = outcome{err: err}
	default:
		out = outcome{value: value}
	}
}
