package store

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

const (
	// lockLife is how long the lock of a key outlives its owner: a process that
	// dies while it loads delays the others by that much.
	lockLife = 5 * time.Second
	// lockRenew is how often an owner that loads renews its lock.
	lockRenew = time.Second
)

// loadLock is the right to load a key, for all processes: an item of its own,
// which add creates. Its value names the owner. A Delete of the key removes the
// lock, by which its owner sees that what it loads is old.
type loadLock struct {
	client Client
	key    string
	owner  string
}

func newLoadLock(client Client, key string) loadLock {
	return loadLock{client, key, rand.Text()}
}

// lockKey returns the key of the lock of an item.
func (c *core) lockKey(itemKey string) string {
	return memcached.SafeKey(c.opts.Prefix, reservedLock+itemKey)
}

func (l *loadLock) item() *memcached.Item {
	return &memcached.Item{Key: l.key, Value: []byte(l.owner), TTL: lockLife}
}

// is reports whether an item is this lock.
func (l *loadLock) is(item *memcached.Item) bool {
	return item != nil && string(item.Value) == l.owner
}

// take takes the lock, and reports whether it did.
func (l *loadLock) take(ctx context.Context) (bool, error) {
	err := l.client.Add(ctx, l.item())
	if errors.Is(err, memcached.ErrNotStored) {
		return false, nil
	}
	return err == nil || uncertain(err), err
}

// keep renews the lock until ctx ends.
func (l *loadLock) keep(ctx context.Context) {
	ticker := time.NewTicker(lockRenew)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// A failure is noticed after the load.
			if item, err := l.client.Get(ctx, l.key); err == nil && l.is(item) {
				_ = l.client.Touch(ctx, l.key, lockLife)
			}
		}
	}
}

// unlock gives the lock back, unless it is another's by now.
func (l *loadLock) unlock(ctx context.Context) error {
	item, err := l.client.Get(ctx, l.key)
	switch {
	case errors.Is(err, memcached.ErrCacheMiss):
		return nil
	case err != nil:
		return err
	case !l.is(item):
		return nil
	case item.CAS == 0: // the server keeps none
		err = l.client.Delete(ctx, l.key)
	default:
		ended := l.item()
		ended.TTL, ended.CAS = -1, item.CAS
		err = l.client.CompareAndSwap(ctx, ended)
	}
	if errors.Is(err, memcached.ErrCacheMiss) || errors.Is(err, memcached.ErrCASConflict) {
		return nil
	}
	return err
}
