package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

// GetOrLoad returns the value of key. If there is none it calls load, and stores
// what load returns. It calls load once for all goroutines and processes that
// want the key at the same time. The others wait for the value, each within its
// context.
//
// The value lives for ttl. 0 means that it does not expire; a negative one is an
// error. The options are the value's tags and WithTagsTTL. An Invalidate, Clear,
// Set or Delete of this type during the load wins: the loaded value is not kept,
// and callers that came after it get a newer one.
//
// In the last tenth of a value's life one caller of all has it loaded anew in the
// background (Options.RefreshAhead). When load fails, callers get the old value
// for a while (Options.KeepStale), or the error. An error that wraps ErrNotFound
// says that there is no value. So does a nil pointer without an error. That is an
// answer, which is kept too (Options.NotFoundTTL): GetOrLoad returns ErrNotFound,
// and Get a miss.
//
// load runs on another goroutine within Options.LoadTimeout, and goes on when its
// caller's context ends. Its context has the values of the caller's. Callers of a
// load that ignores the end of its context get an error, and until it returns its
// process does not load that key again. When load panics, the caller panics and the
// others get an error.
//
// When its process dies, another load begins within 6 seconds. A lock that is there
// for more than LoadTimeout and 5 seconds is ignored. While memcached does not
// answer, every process loads for itself, once at a time, and Options.OnError gets
// the faults. One operation that fails does not count, and a process that waits for
// another one's load loads after a second of faults. Without compare-and-swap
// (memcached -C, memcached.Options.Replicate), a Set or Delete during a load can
// lose.
func (t *Typed[T]) GetOrLoad(ctx context.Context, key string, ttl time.Duration,
	load func(ctx context.Context) (T, error), options ...libstore.Option,
) (T, error) {
	value, err := t.core.getOrLoad(ctx, &loadRequest{
		key: key, ttl: ttl, options: options,
		load: func(ctx context.Context) (any, error) { return load(ctx) },
	})
	typed, _ := value.(T) // nil with an error
	return typed, err
}

// loadRequest is a call of GetOrLoad.
type loadRequest struct {
	key     string
	ttl     time.Duration
	options []libstore.Option
	load    func(ctx context.Context) (any, error)
}

// settings returns the options of the value that is loaded.
func (r *loadRequest) settings(defaults libstore.Options) (libstore.Options, error) {
	defaults.Expiration = 0
	o, err := applyOptions(defaults, r.options)
	if err == nil && o.Expiration != 0 {
		err = fmt.Errorf("store: GetOrLoad: WithExpiration: %w (its argument is the time to live)", libstore.ErrNotSupported)
	}
	o.Expiration = r.ttl
	return o, err
}

// refreshAhead is how long before its end a value is loaded anew; 0 is never.
func (c *core) refreshAhead(ttl time.Duration) time.Duration {
	switch ahead := c.opts.RefreshAhead; {
	case ahead < 0:
		return 0
	case ahead == 0:
		return ttl / 10
	default:
		return min(ahead, ttl/2)
	}
}

// due reports whether a value of a request is to be loaded anew.
func (c *core) due(u *unpacked, r *loadRequest) bool {
	return u.left > 0 && u.form.class != classForeign && u.left < c.refreshAhead(r.ttl)
}

func (c *core) getOrLoad(ctx context.Context, r *loadRequest) (any, error) {
	if ctx == nil {
		return nil, c.result(opLoad, errNilContext)
	}
	if err := checkLoadTTL(r.ttl); err != nil {
		return nil, c.result(opLoad, err)
	}
	var began time.Time   // of waiting
	var unchecked *flight // the last one, of whose value memcached did not say whether it is old
	for {
		u, value, err := c.peek(ctx, r.key)
		switch {
		case err == nil:
			return c.found(ctx, r, &u, value, began)
		case ctx.Err() != nil:
			return nil, c.result(opLoad, ctx.Err())
		case errors.Is(err, memcached.ErrClosed):
			return nil, c.result(opLoad, err)
		}
		away := !errors.Is(err, memcached.ErrCacheMiss)
		if away && unchecked != nil {
			return c.answer(unchecked, ticket{}, began)
		}
		f, t, err := c.join(ctx, r, away)
		if err != nil {
			return nil, c.result(opLoad, err)
		}
		if began.IsZero() {
			began = time.Now()
		}
		if err := c.wait(ctx, f); err != nil {
			return nil, c.result(opLoad, err)
		}
		if f.out.serves(t) {
			return c.answer(f, t, began)
		}
		if unchecked = nil; f.out.unchecked && !f.out.overtaken {
			unchecked = f
		}
	}
}

// found returns what a caller of a key gets that has a value, and has it loaded anew
// if it is due.
func (c *core) found(ctx context.Context, r *loadRequest, u *unpacked, value any, began time.Time) (any, error) {
	c.waited(r, began)
	if u.none() {
		return nil, ErrNotFound
	}
	if c.due(u, r) {
		c.startRefresh(ctx, r)
	}
	return value, nil
}

// waited tells OnLoadEvent of a caller that has waited since began.
func (c *core) waited(r *loadRequest, began time.Time) {
	if !began.IsZero() {
		c.event(LoadEvent{Kind: LoadEventWaited, Key: r.key, Duration: time.Since(began)})
	}
}

func checkLoadTTL(ttl time.Duration) error {
	if ttl < 0 {
		return fmt.Errorf("store: GetOrLoad: a time to live of %v: want 0 or more", ttl)
	}
	return checkTTL("GetOrLoad: a time to live", ttl)
}

// opLoad is the name of the operation for OnError.
const opLoad = "get_or_load"

// report tells OnError of a fault that does not keep GetOrLoad from answering.
func (c *core) report(err error) { _ = c.result(opLoad, err) }

// peek returns what is valid under a key, also "there is none". The error is
// ErrCacheMiss when nothing is, and when what is there cannot be decoded.
func (c *core) peek(ctx context.Context, key string) (u unpacked, value any, err error) {
	data, flags, err := c.space.get(ctx, key)
	if err == nil {
		u, err = c.unpackValid(ctx, data, flags)
	}
	switch {
	case errors.Is(err, ErrCorrupt):
		c.report(err)
		return u, nil, memcached.ErrCacheMiss
	case err != nil:
		if ctx.Err() == nil && !errors.Is(err, memcached.ErrCacheMiss) && !errors.Is(err, memcached.ErrClosed) {
			c.report(err)
		}
		return u, nil, err
	case u.expired || u.invalid:
		return u, nil, memcached.ErrCacheMiss
	case u.none():
		return u, nil, nil
	}
	if value, err = c.decode(u.payload); err != nil {
		c.report(err)
		err = memcached.ErrCacheMiss
	}
	return u, value, err
}

// wait waits for the end of a flight within a caller's context.
func (c *core) wait(ctx context.Context, f *flight) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		c.loads.leave(f)
		return ctx.Err()
	}
}

// answer returns what a caller of a flight gets. Only the first gets the value
// that load returned; the others may change theirs, too.
func (c *core) answer(f *flight, t ticket, began time.Time) (any, error) {
	out := &f.out
	if !t.first || out.foreign {
		c.waited(f.loadRequest, began)
	}
	if out.stale {
		c.event(LoadEvent{Kind: LoadEventStale, Key: f.key, Err: out.failed})
	}
	switch {
	case out.panicked != nil && t.first:
		panic(out.panicked)
	case out.panicked != nil && out.payload == nil:
		return nil, fmt.Errorf("store: GetOrLoad: load panicked: %v", out.panicked.Value)
	case out.err != nil:
		return nil, out.err
	case out.none:
		return nil, ErrNotFound
	case t.first || out.payload == nil:
		return out.value, nil
	}
	return c.decode(payload{out.payload.form, bytes.Clone(out.payload.data)})
}
