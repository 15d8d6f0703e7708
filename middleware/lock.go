package middleware

import (
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

const (
	// lockLife is how long a lock outlives its owner: a process that dies while
	// it makes a response delays the others by that much.
	lockLife = 5 * time.Second
	// lockRenew is how often a living owner extends its lock.
	lockRenew = 2 * time.Second
	// longestFill is how long a response may take to make and still be stored;
	// nobody waits longer than that for another process.
	longestFill = 2 * time.Minute
	// passLife is how long requests do not wait for each other after a response
	// turned out not to be for sharing.
	passLife = lockLife
)

// swap replaces what has the given stamp by value, or fails with an error that
// is lost if it is not there any more. It returns the stamp of value, whose
// version is not known before it is read.
func (c *Cache) swap(ctx context.Context, key string, old stamp, value []byte, ttl time.Duration) (stamp, error) {
	item := &memcached.Item{Key: key, Value: value, TTL: ttl, CAS: old.cas}
	v, _ := stored.Open(value)
	var err error
	switch {
	case !old.any:
		err = c.client.Add(ctx, item)
	case old.cas != 0 && !c.versionless.Load():
		if err = c.client.CompareAndSwap(ctx, item); errors.Is(err, memcached.ErrCASConflict) {
			err = c.swapByID(ctx, old, item) // a lock that was renewed is the same lock
		}
	default:
		err = c.swapByID(ctx, old, item)
	}
	if c.lacksVersions(err) {
		err = c.swapByID(ctx, old, item)
	}
	return stamp{id: v.ID, any: true}, err
}

// swapByID looks up the version of what it replaces. Where there are none
// (memcached -C, or a client that replicates) another may slip in between looking
// and storing; there is no closing that gap without versions.
func (c *Cache) swapByID(ctx context.Context, old stamp, item *memcached.Item) error {
	current, err := c.current(ctx, item.Key, old)
	if err != nil {
		return err
	}
	if item.CAS = current.CAS; item.CAS == 0 || c.versionless.Load() {
		return c.client.Set(ctx, item)
	}
	return c.client.CompareAndSwap(ctx, item)
}

// lacksVersions reports, once, that the client refused a write that depends on a
// version before it asked a server: one that replicates does.
func (c *Cache) lacksVersions(err error) bool {
	var op *memcached.OpError
	if !errors.As(err, &op) || op.Server != "" {
		return false
	}
	for _, other := range []error{
		memcached.ErrUnavailable, memcached.ErrClosed, memcached.ErrTooLarge, memcached.ErrMalformedKey,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, other) {
			return false
		}
	}
	return c.versionless.CompareAndSwap(false, true)
}

// current returns what is at key if it still has the id of old.
func (c *Cache) current(ctx context.Context, key string, old stamp) (*memcached.Item, error) {
	item, err := c.client.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if v, err := stored.Open(item.Value); err == nil && v.ID != old.id {
		return nil, memcached.ErrCASConflict
	}
	return item, nil
}

// unlock removes what has the given stamp.
func (c *Cache) unlock(ctx context.Context, key string, s stamp) error {
	if s.cas != 0 && !c.versionless.Load() {
		err := c.client.CompareAndDelete(ctx, key, s.cas)
		if !errors.Is(err, memcached.ErrCASConflict) && !c.lacksVersions(err) {
			return err
		}
	}
	item, err := c.current(ctx, key, s)
	if err != nil {
		return err
	}
	if item.CAS != 0 && !c.versionless.Load() {
		if err = c.client.CompareAndDelete(ctx, key, item.CAS); !c.lacksVersions(err) {
			return err
		}
	}
	return c.client.Delete(ctx, key)
}

// lost reports that a conditional write found something else than expected.
func lost(err error) bool {
	return errors.Is(err, memcached.ErrNotStored) || errors.Is(err, memcached.ErrCASConflict) ||
		errors.Is(err, memcached.ErrCacheMiss)
}

// keepLock extends the lock of f while its handler works, until stop is called.
// When the client takes too long to read what the handler writes, nobody else
// shall wait for that: those who do run the handler themselves, and a lock at the
// place of the response gives way to a note.
func (f *fill) keepLock() (stop func()) {
	c, key, held := f.cache, f.lock, f.held
	inPlace := f.lock == f.name
	ctx, cancel := context.WithTimeout(c.stopped, longestFill)
	var timer *time.Timer
	ready := make(chan struct{})
	timer = time.AfterFunc(lockRenew, func() {
		<-ready
		if ctx.Err() != nil {
			return
		}
		kind := stored.KindLock
		if f.rec.heldUp() {
			kind = stored.KindPass
			if f.flight != nil {
				c.flights.land(f.flight, outcome{})
			}
			if !inPlace {
				return // expires
			}
		}
		renew, done := context.WithTimeout(ctx, lockRenew/2)
		defer done()
		_ = c.renew(renew, key, held, kind) // a lock that is gone is noticed when storing
		timer.Reset(lockRenew)
	})
	close(ready)
	return func() {
		cancel()
		timer.Stop()
	}
}

// renew extends the life of a lock, as long as it is there: an entry that took
// its place has a life of its own.
func (c *Cache) renew(ctx context.Context, key string, held stamp, kind stored.Kind) error {
	if c.versionless.Load() {
		return c.client.Touch(ctx, key, lockLife)
	}
	_, err := c.swap(ctx, key, held, stored.Mark(kind, held.id), lockLife)
	return err
}
