package middleware

import (
	"context"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

const (
	// lockLife is how long a lock outlives its owner: a process that dies while
	// it makes a response delays the others by that much.
	lockLife = 5 * time.Second
	// lockRenew is how often a living owner renews its lock at least.
	lockRenew = 2 * time.Second
	// renewPart is the part of LookupTimeout after which an owner renews its lock, so
	// that those who wait for it see that it lives.
	renewPart = 3
	// longestFill is how long a response may take to make and still be stored;
	// nobody waits longer than that for another process.
	longestFill = 2 * time.Minute
	// passLife is how long requests do not wait for each other after a response
	// turned out not to be for others.
	passLife = lockLife
)

// lock is a lock that this process holds in memcached: the right to make a
// response, for all processes. That of a miss stands where the response will be
// and is replaced by it; that of a revalidation has a key of its own. How locks
// and flights work together says flight.go.
//
// A lock is taken by takeLock, renewed by keep while the handler runs, and ends in
// one of four ways: the response takes its place, unlock gives it back, leaveNote
// puts a hit-for-miss note in its place, or its owner dies and it expires.
// A nil lock is none.
type lock struct {
	cache   *Cache
	key     string
	version version
}

// takeLock puts a lock where old was.
func (c *Cache) takeLock(ctx context.Context, key string, old version) (*lock, error) {
	v, err := c.swap(ctx, key, old, stored.Mark(stored.KindLock, stored.NewID()), lockLife)
	if err != nil {
		return nil, err
	}
	return &lock{cache: c, key: key, version: v}, nil
}

// takeLock is Cache.takeLock within the time that the request has for memcached.
func (x *exchange) takeLock(key string, old version) (l *lock, err error) {
	err = x.within(func(ctx context.Context) error {
		l, err = x.cache.takeLock(ctx, key, old)
		return err
	})
	return l, err
}

// takeRefreshLock takes the lock of a revalidation, in the place of a note if
// there is one: nobody need be held up by that.
func (x *exchange) takeRefreshLock(key string) (*lock, error) {
	l, err := x.takeLock(key, version{})
	if !lost(err) {
		return l, err
	}
	item, getErr := x.get(key)
	if getErr != nil {
		return l, err
	}
	if v, _ := stored.Open(item.Value); v.Kind == stored.KindPass {
		return x.takeLock(key, version{id: v.ID, cas: item.CAS, exists: true})
	}
	return l, err
}

// isAt reports whether the lock stands at key.
func (l *lock) isAt(key string) bool { return l != nil && l.key == key }

// see takes note of the CAS of the lock, by which the response will replace it.
func (l *lock) see(item *memcached.Item) {
	if item == nil {
		return
	}
	if v, err := stored.Open(item.Value); err == nil && v.ID == l.version.id {
		l.version.cas = item.CAS
	}
}

// keep renews the lock until stopKeeping. When the client takes too long to read
// what the handler writes, nobody else shall wait for that: those who do run the
// handler themselves, and a lock at the place of the response gives way to a note.
// Without a lock, only the client is watched.
func (f *fill) keep(l *lock) {
	ctx, cancel := context.WithTimeout(f.cache.stopped, longestFill)
	var held *lock
	if l != nil {
		held = &lock{cache: l.cache, key: l.key, version: l.version} // that of f is changed meanwhile
	}
	var timer *time.Timer
	ready := make(chan struct{})
	pause := f.cache.renewEvery()
	timer = time.AfterFunc(pause, func() {
		<-ready
		if ctx.Err() == nil && f.keepOnce(ctx, held) {
			timer.Reset(pause)
		}
	})
	close(ready)
	f.unkeep = func() {
		cancel()
		timer.Stop()
	}
}

// keepOnce does what keep does each time, and reports false when it is not to be done
// again.
func (f *fill) keepOnce(ctx context.Context, held *lock) (again bool) {
	kind := stored.KindLock
	if f.rec.heldUp() {
		kind = stored.KindPass
		if f.flight != nil {
			f.cache.flights.land(f.flight, outcome{})
		}
		if !held.isAt(f.name) {
			return false // expires
		}
	}
	if held != nil {
		ctx, done := context.WithTimeout(ctx, lockRenew/2)
		defer done()
		_ = held.renew(ctx, kind) // a lock that is gone is noticed when storing
	}
	return true
}

// renewEvery is how often the cache renews its locks.
func (c *Cache) renewEvery() time.Duration { return min(lockRenew, c.opts.LookupTimeout/renewPart) }

// renew extends the life of a lock, as long as it is there: an entry that took
// its place has a life of its own.
func (l *lock) renew(ctx context.Context, kind stored.Kind) error {
	if l.cache.versionless.Load() {
		return l.cache.client.Touch(ctx, l.key, lockLife)
	}
	v, err := l.cache.swap(ctx, l.key, l.version, stored.Mark(kind, l.version.id), lockLife)
	if err == nil {
		l.version.cas = v.cas
	}
	return err
}

func (f *fill) stopKeeping() {
	if f.unkeep != nil {
		f.unkeep()
	}
}

// unlock gives the lock back.
func (l *lock) unlock(ctx context.Context) error {
	if l == nil {
		return nil
	}
	return l.cache.remove(ctx, l.key, l.version)
}

// leaveNote puts a hit-for-miss note in the place of the lock, for a while, and
// returns its version.
func (l *lock) leaveNote(ctx context.Context) (version, error) {
	return l.cache.swap(ctx, l.key, l.version, stored.Mark(stored.KindPass, stored.NewID()), passLife)
}

// unlock gives the lock of f back. That of a background revalidation stays where
// it is: refreshNow leaves a note in its place.
func (f *fill) unlock() {
	f.stopKeeping()
	if f.lock == nil || f.background {
		return
	}
	l := f.lock
	f.lock = nil
	if err := f.within(l.unlock); !isAnswer(err) {
		f.fault(l.key, err)
	}
}

// unlockLate is unlock when the request is over.
func (f *fill) unlockLate(ctx context.Context) {
	if err := f.lock.unlock(ctx); !isAnswer(err) {
		f.cache.fault(f.lock.key, 0, err)
	}
}

// dismiss lets those who wait for the response of f go, here and in other
// processes: it is not for them, or will never be complete.
func (f *fill) dismiss() {
	if f.landed {
		return
	}
	f.land(outcome{})
	if !f.lock.isAt(f.name) || authorized(f.original.Header) {
		return
	}
	f.stopKeeping()
	err := f.within(func(ctx context.Context) error {
		v, err := f.lock.leaveNote(ctx)
		if err == nil {
			f.version, f.lock = v, nil
		}
		return err
	})
	if !isAnswer(err) {
		f.fault(f.name, err)
	}
}
