package middleware

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// miss makes a response that is not stored, or waits for whoever makes it.
func (x *exchange) miss(l lookup) bool {
	token := uint64(0)
	if l.state == stateLocked {
		token = l.stamp.id
	}
	f, leads := x.cache.flights.join(l.name, l.at, token)
	if !leads {
		return x.follow(f, l)
	}
	if l.state == stateLocked {
		return x.await(f, l.name)
	}
	lock, err := x.takeLock(l.name, l.stamp)
	switch {
	case err == nil:
		x.cache.flights.locked(f, x.cache.now(), lock.id)
		l.stamp = lock
		x.fill(slot{lookup: l, why: x.missReason(l), flight: f, lock: l.name, held: lock})
		return true
	case lost(err):
		return x.await(f, l.name)
	default:
		x.cache.flights.land(f, outcome{})
		x.fault(l.name, err)
		x.direct(fwdBypass, "unavailable")
		return true
	}
}

// takeLock puts a lock where old was.
func (x *exchange) takeLock(key string, old stamp) (lock stamp, err error) {
	err = x.within(func(ctx context.Context) error {
		lock, err = x.cache.swap(ctx, key, old, stored.Mark(stored.KindLock, stored.NewID()), lockLife)
		return err
	})
	return lock, err
}

// alone makes a response that others need not wait for, and stores it if nobody
// else is about to.
func (x *exchange) alone(l lookup) {
	s := slot{lookup: l, why: x.missReason(l), private: true}
	if l.state == stateMissing {
		if lock, err := x.takeLock(l.name, l.stamp); err == nil {
			s.stamp, s.lock, s.held, s.private = lock, l.name, lock, false
		}
	}
	x.fill(s)
}

// follow waits for a flight of this process.
func (x *exchange) follow(f *flight, l lookup) bool {
	select {
	case <-f.done:
	case <-x.original.Context().Done():
		x.cache.flights.leave(f)
		x.g.Abort()
		return true
	}
	if f.outcome.again {
		return false
	}
	e := f.outcome.entry
	if e == nil {
		x.afterFlight(l)
		return true
	}
	if !x.isFor(e, f.outcome.index) {
		return false // another variant: look for the right one
	}
	age := e.Age(x.cache.now())
	if policy.Judge(e.Terms, age, x.directives) == policy.Validate {
		x.afterFlight(l)
		return true
	}
	why := x.missReason(l)
	if l.state == stateStored {
		why = fwdStale
	}
	x.cache.send(x.g, e, age, []byte(forwardStatus{why: why, collapsed: true}.String()))
	x.event(EventCollapsed, l.name, age)
	return true
}

// afterFlight runs the handler of a request that waited in vain.
func (x *exchange) afterFlight(l lookup) {
	if l.state == stateStored {
		x.fill(slot{lookup: l, why: fwdStale, stale: l.entry})
		return
	}
	x.fill(slot{lookup: l, why: x.missReason(l), detail: "not-shared", private: true})
}

// isFor reports whether an entry is what this request would have been stored
// under.
func (x *exchange) isFor(e *stored.Entry, ix *stored.Index) bool {
	full := x.page
	if ix != nil {
		full = appendVariant(bytes.Clone(x.page), ix, x.header(ix))
	}
	return string(full) == string(e.Full)
}

// await waits until another process has made the response, or failed to, and has
// it looked for again.
func (x *exchange) await(f *flight, key string) bool {
	defer x.cache.flights.land(f, outcome{again: true})
	const first, longest = 2 * time.Millisecond, 50 * time.Millisecond
	timer := time.NewTimer(first)
	defer timer.Stop()
	deadline := x.cache.now().Add(longestFill)
	for pause := first; ; pause = min(pause*3/2, longest) {
		select {
		case <-timer.C:
		case <-x.original.Context().Done():
			return false
		}
		locked, err := x.stillLocked(key)
		if err != nil || !locked {
			return false
		}
		if x.cache.now().After(deadline) {
			x.cache.flights.land(f, outcome{again: true})
			x.direct(fwdURIMiss, "contended")
			return true
		}
		timer.Reset(pause)
	}
}

// stillLocked looks whether the value at key is a lock. The time for that is not
// the request's to spend, as long as memcached answers.
func (x *exchange) stillLocked(key string) (bool, error) {
	ctx, cancel := context.WithTimeout(x.original.Context(), x.cache.opts.LookupTimeout)
	defer cancel()
	item, err := x.cache.client.Get(ctx, key)
	if errors.Is(err, memcached.ErrCacheMiss) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v, _ := stored.Open(item.Value)
	return v.Kind == stored.KindLock, nil
}
