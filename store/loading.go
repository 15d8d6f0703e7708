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

	// loadGrace is how long a load may take to return when its context has ended.
	loadGrace = time.Second
)

// loading is the work of a flight: to wait until the value is there or the lock
// of its key is free, to load under the lock, and to store what was loaded in
// the place of what was there before.
type loading struct {
	*core
	*flight
	gen      *generation
	key      string // on the server, in gen
	lock     loadLock
	held     bool   // lock is this flight's
	took     bool   // it was or may have been
	release  func() // ends the renewal of lock
	rest     bool   // the lock stays until it expires, and is nobody's
	stored   bool   // what was loaded
	settings libstore.Options
	versions []tagVersion

	item     *memcached.Item // under key; nil: nothing is
	old      unpacked        // item
	deadline time.Time       // of item; zero: none
	value    any             // of item; nil: it has none that can be decoded
	other    *memcached.Item // the lock, if it is not this flight's
}

// fly does the work of a flight.
func (c *core) fly(ctx context.Context, f *flight) {
	l := &loading{core: c, flight: f}
	l.lock.init(c.client, c.lockKey(f.key))
	defer l.unlock(ctx)
	defer l.landAnyway()
	out, mine, err := l.turn(ctx)
	switch {
	case ctx.Err() != nil:
		out = outcome{err: c.unfinished(ctx)}
	case errors.Is(err, errOverdue):
		out = outcome{err: err}
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
// it: mine is true. An error says that memcached does not answer.
func (l *loading) turn(ctx context.Context) (out outcome, mine bool, err error) {
	w := waiting{limit: l.opts.LoadTimeout + lockLife}
	if l.away {
		w.failed(time.Now()) // its caller has asked
	}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		began := time.Now()
		out.step = l.loads.step(l.flight)
		err := l.look(ctx)
		if err == nil && l.held && (!l.fresh() || l.refresh && l.due(&l.old, l.loadRequest)) {
			if mine, err = l.prepare(ctx); mine {
				return out, true, nil
			}
		}
		switch {
		case err != nil:
			if w.failed(began) || ctx.Err() != nil || errors.Is(err, memcached.ErrClosed) {
				return out, false, err
			}
		case l.fresh():
			out.foreign = true
			l.useOld(&out)
			return out, false, nil
		case !l.held && l.usable():
			out.stale = true
			l.useOld(&out)
			return out, false, nil
		case !l.held && resting(l.other) && !l.overdue():
			held, err := l.lock.takeOver(ctx, l.other)
			if l.took = l.took || held || err != nil; err == nil {
				continue
			}
		default:
			if err := w.waited(l); err != nil {
				return out, false, err
			}
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

// overdue reports whether this process must not load.
func (l *loading) overdue() bool { return l.loads.overdue(l.flight.key) }

// unlock gives the lock back. A load whose context has ended is given a moment to
// return, so that the next one does not begin beside it.
func (l *loading) unlock(ctx context.Context) {
	if l.took && l.returned != nil {
		select {
		case <-l.returned:
		case <-time.After(loadGrace):
		}
	}
	if l.release != nil {
		l.release()
	}
	if !l.took {
		return
	}
	defer func() { _ = recover() }() // of OnError: the callers have their answers
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cacheTimeout)
	defer cancel()
	if err := l.lock.unlock(ctx, l.rest); err != nil && !errors.Is(err, memcached.ErrClosed) {
		l.report(err)
	}
}

// prepare reads the versions of the value's tags, before it is loaded. It reports
// whether the lock is still held after that.
func (l *loading) prepare(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, cacheTimeout)
	defer cancel()
	var err error
	if l.settings, err = l.loadRequest.settings(l.defaults); err != nil {
		return false, err
	}
	o := l.settings
	if o.Expiration > 0 { // which begins after the load
		o.Expiration += min(l.opts.KeepStale, maxDuration-o.Expiration)
		o.Expiration += min(l.opts.LoadTimeout, maxDuration-o.Expiration)
	}
	if l.versions, err = l.tagVersions(ctx, &o); err != nil {
		return false, err
	}
	if !l.lock.sure() { // memcached was slow
		l.lock.renew(ctx)
	}
	return l.lock.sure(), nil
}

// load loads the value and stores it.
func (l *loading) load(ctx context.Context) outcome {
	began := time.Now()
	step := l.loads.step(l.flight)
	out := l.run(ctx, l.flight)
	out.step = l.loads.step(l.flight) // what follows finds out what is valid since
	if out.err != nil || out.panicked != nil {
		l.fallBack(ctx, &out)
	} else {
		l.stored = l.store(ctx, &out)
		switch {
		case out.overtaken:
			l.event(LoadEvent{Kind: LoadEventOvertaken, Key: l.flight.key, Duration: time.Since(began)})
		case l.stored:
			l.event(LoadEvent{Kind: LoadEventStored, Key: l.flight.key, Duration: time.Since(began)})
		}
	}
	if out.unchecked {
		out.step = step
	}
	return out
}

// loadUncached loads the value while memcached does not answer.
func (l *loading) loadUncached(ctx context.Context) outcome {
	if l.overdue() {
		return outcome{err: errOverdue}
	}
	step := l.loads.step(l.flight)
	out := l.run(ctx, l.flight)
	out.step, out.unchecked = step, true
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
