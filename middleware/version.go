package middleware

import (
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// version identifies a value in memcached, so that it can be replaced or removed
// only as long as it is still the one that was seen. The zero version is that of
// no value.
type version struct {
	id     uint64
	cas    uint64 // 0: not known, or the server keeps none
	exists bool
}

// swap replaces what has the version old by value, or fails with an error that
// is lost if it is not there any more. It returns the version of value, with the CAS that
// the client says it has.
func (c *Cache) swap(ctx context.Context, key string, old version, value []byte, ttl time.Duration) (version, error) {
	item := &memcached.Item{Key: key, Value: value, TTL: ttl, CAS: old.cas}
	v, _ := stored.Open(value)
	var err error
	switch {
	case !old.exists:
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
	return version{id: v.ID, cas: item.CAS, exists: true}, err
}

// swapByID looks up the CAS of what it replaces. Where there is none
// (memcached -C, or a client that replicates) another may slip in between looking
// and storing; there is no closing that gap without versions.
func (c *Cache) swapByID(ctx context.Context, old version, item *memcached.Item) error {
	current, err := c.current(ctx, item.Key, old)
	if err != nil {
		return err
	}
	if item.CAS = current.CAS; item.CAS == 0 || c.versionless.Load() {
		return c.client.Set(ctx, item)
	}
	return c.client.CompareAndSwap(ctx, item)
}

// remove removes what has the given version.
func (c *Cache) remove(ctx context.Context, key string, v version) error {
	if v.cas != 0 && !c.versionless.Load() {
		err := c.client.CompareAndDelete(ctx, key, v.cas)
		if !errors.Is(err, memcached.ErrCASConflict) && !c.lacksVersions(err) {
			return err
		}
	}
	item, err := c.current(ctx, key, v)
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

// current returns what is at key if it still has the ID of old.
func (c *Cache) current(ctx context.Context, key string, old version) (*memcached.Item, error) {
	item, err := c.client.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if v, err := stored.Open(item.Value); err == nil && v.ID != old.id {
		return nil, memcached.ErrCASConflict
	}
	return item, nil
}

// lost reports that a conditional write found something else than expected.
func lost(err error) bool {
	return errors.Is(err, memcached.ErrNotStored) || errors.Is(err, memcached.ErrCASConflict) ||
		errors.Is(err, memcached.ErrCacheMiss)
}

// lacksVersions reports that the client refused a write that depends on a CAS before it
// asked a server, as one that replicates does, and takes note of it.
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
	c.versionless.Store(true)
	return true
}
