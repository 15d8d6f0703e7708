package middleware

import (
	"context"
	"errors"
	"time"

	memcached "github.com/bmemcached/bmemcached-go/binary"
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
	passLife = 5 * time.Second
)

// swap replaces what has the given stamp by value, or fails with ErrCacheMiss or
// ErrCASConflict if it is not there any more. It returns the new stamp.
func (c *Cache) swap(ctx context.Context, key string, old stamp, value []byte, ttl time.Duration) (stamp, error) {
	item := &memcached.Item{Key: key, Value: value, TTL: ttl, CAS: old.cas}
	_, id, _, _ := openItem(value)
	var err error
	switch {
	case !old.any:
		err = c.client.Add(ctx, item)
	case old.cas != 0:
		err = c.client.CompareAndSwap(ctx, item)
	default:
		err = c.swapByID(ctx, old, item)
	}
	return stamp{id: id, cas: item.CAS, any: true}, err
}

// swapByID serves servers that keep no versions (memcached -C): the value itself
// tells whether it is still the same one. Between looking and storing another
// may slip in; there is no closing that gap without versions.
func (c *Cache) swapByID(ctx context.Context, old stamp, item *memcached.Item) error {
	current, err := c.client.Get(ctx, item.Key)
	if err != nil {
		return err
	}
	if _, id, _, err := openItem(current.Value); err == nil && id != old.id {
		return memcached.ErrCASConflict
	}
	return c.client.Set(ctx, item)
}

// unlock removes a lock that is still its owner's.
func (c *Cache) unlock(ctx context.Context, key string, s stamp) error {
	if s.cas != 0 {
		return c.client.CompareAndDelete(ctx, key, s.cas)
	}
	current, err := c.client.Get(ctx, key)
	if err != nil {
		return err
	}
	if _, id, _, err := openItem(current.Value); err != nil || id != s.id {
		return memcached.ErrCASConflict
	}
	return c.client.Delete(ctx, key)
}

// lost reports that a conditional write found something else than expected.
func lost(err error) bool {
	return errors.Is(err, memcached.ErrNotStored) || errors.Is(err, memcached.ErrCASConflict) ||
		errors.Is(err, memcached.ErrCacheMiss)
}

// keepLocked extends a lock while its owner works, until stop is called.
func (c *Cache) keepLocked(key string) (stop func()) {
	ctx, cancel := context.WithTimeout(c.stopped, longestFill)
	var timer *time.Timer
	ready := make(chan struct{})
	timer = time.AfterFunc(lockRenew, func() {
		<-ready
		if ctx.Err() != nil {
			return
		}
		touch, done := context.WithTimeout(ctx, lockRenew/2)
		defer done()
		_ = c.client.Touch(touch, key, lockLife) // a lock that is gone is noticed when storing
		timer.Reset(lockRenew)
	})
	close(ready)
	return func() {
		cancel()
		timer.Stop()
	}
}
