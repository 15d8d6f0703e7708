package middleware

import (
	"bytes"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// miss makes a response that is not stored, or waits for whoever makes it.
func (x *exchange) miss(l lookup) bool {
	token := uint64(0)
	if l.state == stateLocked {
		token = l.version.id
	}
	f, leads := x.cache.flights.join(l.name, l.at, l.token(token))
	if !leads {
		return x.follow(f, l)
	}
	x.leads = f
	if l.state == stateLocked {
		return x.await(f, l.name, slot{lookup: l, why: x.missReason(l)})
	}
	lock, err := x.takeLock(l.name, l.version)
	switch {
	case err == nil:
		x.cache.flights.locked(f, x.cache.now(), l.token(lock.version.id))
		l.version = lock.version
		x.fill(slot{lookup: l, why: x.missReason(l), flight: f, lock: lock})
		return true
	case lost(err):
		return x.await(f, l.name, slot{lookup: l, why: x.missReason(l)})
	default:
		x.cache.flights.land(f, outcome{})
		x.fault(l.name, err)
		x.direct(fwdBypass, "unavailable")
		return true
	}
}

// alone makes a response that others need not wait for, but those that follow f, if
// that is not nil. It is stored if nobody else is about to make one, and for the
// followers of f in any case. It reports false to have it looked for again.
func (x *exchange) alone(l lookup, f *flight) bool {
	s := slot{lookup: l, why: x.missReason(l), flight: f, private: true}
	if l.state == stateMissing {
		lock, err := x.takeLock(l.name, l.version)
		switch {
		case err == nil:
			s.version, s.lock, s.private = lock.version, lock, false
		case lost(err) && f != nil:
			return false
		}
	} else if f != nil {
		s.private = false // what is made later takes the place of the lock
	}
	x.fill(s)
	return true
}

// follow waits for a flight of this process.
func (x *exchange) follow(f *flight, l lookup) bool {
	why := x.missReason(l)
	if l.state == stateStored {
		why = fwdStale
	}
	return x.followAs(f, l, x.directives, why)
}

// followAs is follow for a request that takes what satisfies d.
func (x *exchange) followAs(f *flight, l lookup, d policy.Directives, why forward) bool {
	x.passTurn()
	x.beginWaiting()
	timer := time.NewTimer(x.deadline.Sub(x.cache.now()))
	defer timer.Stop()
	select {
	case <-f.done:
	case <-timer.C:
		x.cache.flights.leave(f)
		x.direct(why, "contended")
		return true
	case <-x.original.Context().Done():
		x.cache.flights.leave(f)
		return false
	}
	if f.outcome.again {
		return false
	}
	e := f.outcome.entry
	if e == nil {
		x.afterFlight(l, why)
		return true
	}
	if !x.isFor(e, f.outcome.index) {
		return false // another variant: look for the right one
	}
	age := e.Age(x.cache.now())
	held, ok := x.hold(e)
	if !ok || policy.Judge(e.Terms, age, d) == policy.Validate {
		x.afterFlight(l, why)
		return true
	}
	_ = x.cache.send(x.visit, held, age, []byte(forwardStatus{why: why, collapsed: true}.String()))
	x.event(EventCollapsed, l.name, age)
	return true
}

// afterFlight runs the handler of a request that waited in vain.
func (x *exchange) afterFlight(l lookup, why forward) {
	if l.state == stateStored {
		x.fill(slot{lookup: l, why: why, stale: l.entry})
		return
	}
	x.fill(slot{lookup: l, why: why, detail: "not-shared", private: true})
}

// isFor reports whether an entry is what this request would have been stored
// under.
func (x *exchange) isFor(e *stored.Entry, ix *stored.Index) bool {
	if ix == nil {
		return e.Key == x.pageKey
	}
	return e.Key == x.cache.keys.of(letterVariant, appendVariant(bytes.Clone(x.page), ix, x.header(ix)))
}
