package middleware

import (
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// beginWaiting begins the time for which the request waits for the responses of
// others, all in all.
func (x *exchange) beginWaiting() {
	if x.deadline.IsZero() {
		x.deadline = x.cache.now().Add(longestFill)
	}
}

// await waits until another process has given the lock at key back, by storing the
// response or otherwise, and has it looked for again. A lock whose owner does not
// renew it is nobody's: then this request makes the response, for the flight f that
// it leads, as s says.
func (x *exchange) await(f *flight, key string, s slot) bool {
	x.passTurn()
	x.beginWaiting()
	const first, longest = 2 * time.Millisecond, 50 * time.Millisecond
	timer := time.NewTimer(first)
	defer timer.Stop()
	var seen version
	changed := x.cache.now()
	for pause := first; ; pause = min(pause*3/2, longest) {
		select {
		case <-timer.C:
		case <-x.original.Context().Done():
			x.cache.flights.land(f, outcome{again: true})
			return false
		}
		held, err := x.lockAt(key)
		now := x.cache.now()
		silence := x.ownerSilence(held)
		switch {
		case err != nil || !held.exists:
			x.cache.flights.land(f, outcome{again: true})
			return false
		case !seen.exists:
			seen = held
		case held != seen:
			seen, changed = held, now
		case now.Sub(changed) >= silence:
			x.inherit(f, key, held, s)
			return true
		}
		if now.After(x.deadline) {
			x.cache.flights.land(f, outcome{again: true})
			x.direct(fwdURIMiss, "contended")
			return true
		}
		timer.Reset(min(pause, max(0, changed.Add(silence).Sub(now))))
	}
}

// ownerSilence is how long a lock stays as it is before its owner counts as dead. A
// renewal changes the CAS, and nothing else; where there is none, only the end of its
// life tells.
func (x *exchange) ownerSilence(held version) time.Duration {
	if held.cas == 0 || x.cache.versionless.Load() {
		return lockLife
	}
	return x.cache.opts.LookupTimeout
}

// inherit makes the response for which a lock was taken whose owner seems dead. If it
// lives after all, the lock is that of both, and the first response is stored.
func (x *exchange) inherit(f *flight, key string, held version, s slot) {
	c := x.cache
	s.flight, s.lock = f, &lock{cache: c, key: key, version: held}
	token := s.version.id
	if s.lock.isAt(s.name) {
		s.version, token = held, held.id
	}
	c.flights.locked(f, c.now(), s.token(token))
	x.fill(s)
}

// lockAt returns the version of the lock at key; that of no value if there is none.
// The time for that is not the request's to spend, as long as memcached answers, and
// ends with the request.
func (x *exchange) lockAt(key string) (version, error) {
	ctx, cancel := context.WithTimeout(x.original.Context(), x.cache.opts.LookupTimeout)
	defer cancel()
	item, err := x.cache.client.Get(ctx, key)
	if errors.Is(err, memcached.ErrCacheMiss) {
		return version{}, nil
	}
	if err != nil {
		return version{}, err
	}
	v, _ := stored.Open(item.Value)
	if v.Kind != stored.KindLock {
		return version{}, nil
	}
	return version{id: v.ID, cas: item.CAS, exists: true}, nil
}
