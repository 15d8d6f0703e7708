package store

import (
	"bytes"
	"context"
	"errors"
	"runtime/debug"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

const (
	// firstPause and longestPause are how long a process waits before it looks
	// again whether another one has loaded the value.
	firstPause   = 5 * time.Millisecond
	longestPause = 100 * time.Millisecond

	// cacheTimeout bounds each step of a flight on memcached, for clients without
	// a timeout of their own.
	cacheTimeout = 10 * time.Second
)

// loading is the work of a flight: to wait until the value is there or the lock
// of its key is free, to load under the lock, and to store what was loaded in
// the place of what was there before.
type loading struct {
	*core
	*flight
	gen      *generation
	key      string // on the server
	lock     loadLock
	held     bool // lock is this flight's
	keepLock bool // it stays until it expires
	stored   bool // what was loaded
	settings libstore.Options
	versions []tagVersion

	item     *memcached.Item // under key; nil: nothing is
	old      unpacked        // item
	deadline time.Time       // of item; zero: none
	value    any             // of item; nil: it has none that can be decoded
}

// fly does the work of a flight.
func (c *core) fly(ctx context.Context, f *flight) {
	l := &loading{core: c, flight: f}
	defer l.unlock(ctx)
	defer l.landAnyway()
	if f.uncached {
		if c.loads.commit(f) {
			c.loads.land(f, l.loadUncached(ctx))
		}
		return
	}
	out, mine, err := l.turn(ctx)
	if err == nil && mine {
		err = l.readTags(ctx)
	}
	switch {
	case ctx.Err() != nil:
		out = outcome{err: c.unfinished(ctx)}
	case err != nil && !c.loads.commit(f):
	case err != nil:
		c.report(err)
		out = l.loadUncached(ctx)
	case mine && c.loads.commit(f):
		out = l.load(ctx)
	}
	if f.refresh && !l.stored {
		c.loads.rest(f.key)
	}
	c.loads.land(f, out)
}

// landAnyway ends a flight that a codec or a hook has ended by a panic, as if
// load had panicked.
func (l *loading) landAnyway() {
	out := outcome{err: errGoexit}
	if v := recover(); v != nil {
		out = outcome{panicked: &loadPanic{v, debug.Stack()}}
	}
	if l.loads.land(l.flight, out) && l.refresh {
		l.loads.rest(l.flight.key)
	}
}

// turn waits until the value is there, or until it is this flight's turn to load
// it: mine is true.
func (l *loading) turn(ctx context.Context) (out outcome, mine bool, err error) {
	if l.gen, err = l.space.now(ctx); err != nil {
		return out, false, err
	}
	l.key = itemKey(l.gen.prefix, l.flight.key)
	l.lock = newLoadLock(l.client, l.lockKey(l.key))
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if err := l.look(ctx); err != nil {
			return out, false, err
		}
		switch {
		case l.held && (!l.fresh() || l.refresh && l.due(&l.old, l.loadRequest)):
			return out, true, nil
		case l.fresh():
			out.foreign = true
			l.useOld(&out)
			return out, false, nil
		case !l.held && l.usable():
			out.stale = true
			l.useOld(&out)
			return out, false, nil
		}
		if l.refresh && l.loads.unwanted(l.flight) {
			return outcome{overtaken: true}, false, nil
		}
		select {
		case <-time.After(pause):
		case <-l.abandoned:
			return outcome{overtaken: true}, false, nil
		case <-ctx.Done():
			return out, false, ctx.Err()
		}
	}
}

// look tries to take the lock, and reads what is under the key.
func (l *loading) look(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, cacheTimeout)
	defer cancel()
	if l.held, err = l.lock.take(ctx); err != nil {
		return err
	}
	l.item, l.old, l.deadline, l.value = nil, unpacked{}, time.Time{}, nil
	item, err := l.client.Get(ctx, l.key)
	if errors.Is(err, memcached.ErrCacheMiss) {
		return nil
	}
	if err != nil {
		return err
	}
	l.item = item
	if l.old, err = l.unpack(item.Value, item.Flags); err == nil && l.old.expired {
		err = l.old.open()
	}
	if stamped(item.Flags) {
		l.deadline = time.Now().Add(l.old.left)
	}
	if err == nil && !l.old.none() {
		l.value, err = l.decode(payload{l.old.form, bytes.Clone(l.old.data)})
	}
	if err != nil {
		l.report(err) // and load
		l.old.invalid = true
		return nil
	}
	if len(l.old.tags) > 0 {
		valid, err := l.tags.valid(ctx, l.old.tags)
		l.old.invalid = !valid
		return err
	}
	return nil
}

// fresh reports whether what was read is an answer.
func (l *loading) fresh() bool { return l.usableAfter(0) }

// usable reports whether what was read is a value, though perhaps an old one.
func (l *loading) usable() bool { return !l.old.none() && l.usableAfter(l.opts.KeepStale) }

// usableAfter reports whether what was read is usable until keep after its
// deadline.
func (l *loading) usableAfter(keep time.Duration) bool {
	return l.item != nil && !l.old.invalid &&
		(l.deadline.IsZero() || time.Now().Before(l.deadline.Add(keep)))
}

// useOld makes what was read the outcome.
func (l *loading) useOld(out *outcome) {
	out.value, out.payload, out.none = l.value, &l.old.payload, l.old.none()
}

// readTags reads the versions of the value's tags, before it is loaded.
func (l *loading) readTags(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, cacheTimeout)
	defer cancel()
	if l.settings, err = l.loadRequest.settings(l.defaults); err != nil {
		return err
	}
	o := l.settings
	if o.Expiration > 0 { // which begins after the load
		o.Expiration += min(l.opts.KeepStale, maxDuration-o.Expiration)
		o.Expiration += min(l.opts.LoadTimeout, maxDuration-o.Expiration)
	}
	l.versions, err = l.tagVersions(ctx, &o)
	return err
}

// load loads the value and stores it.
func (l *loading) load(ctx context.Context) outcome {
	began := time.Now()
	out := l.run(ctx, l.flight, &l.lock)
	if out.err != nil || out.panicked != nil {
		switch {
		case !l.usable():
		case l.changed(ctx):
			out.overtaken = true
		default:
			out.failed, out.err, out.stale = out.err, nil, !l.fresh()
			l.useOld(&out)
			// The others get the old value, too. Nobody loads again at once.
			l.keepLock = l.usableAfter(l.opts.KeepStale - lockLife)
		}
		return out
	}
	l.stored = l.store(ctx, &out)
	switch {
	case out.overtaken:
		l.event(Event{Kind: EventOvertaken, Key: l.flight.key, Duration: time.Since(began)})
	case l.stored:
		l.event(Event{Kind: EventStored, Key: l.flight.key, Duration: time.Since(began)})
	}
	return out
}

// loadUncached loads the value while memcached does not answer.
func (l *loading) loadUncached(ctx context.Context) outcome {
	out := l.run(ctx, l.flight, nil)
	if out.err != nil || out.panicked != nil || out.none {
		return out
	}
	p, err := l.encode(out.value)
	if err != nil {
		l.report(err)
		return out
	}
	p.data = bytes.Clone(p.data) // the first caller may change its value
	out.payload = &p
	return out
}

// unlock gives the lock back.
func (l *loading) unlock(ctx context.Context) {
	if !l.held || l.keepLock {
		return
	}
	defer func() { _ = recover() }() // of OnError: the callers have their answers
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cacheTimeout)
	defer cancel()
	if err := l.lock.unlock(ctx); err != nil && !errors.Is(err, memcached.ErrClosed) {
		l.report(err)
	}
}
