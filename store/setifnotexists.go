package store

import (
	"context"
	"errors"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

func (c *core) setIfNotExists(ctx context.Context, key, value any, options []libstore.Option) (stored bool, err error) {
	name, item, err := c.newItem(ctx, key, value, options)
	if err == nil {
		err = c.space.inGeneration(ctx, func(prefix string) error {
			item.Key = itemKey(prefix, name)
			stored, err = c.addOrReplaceAbsent(ctx, item)
			return err
		})
	}
	return stored && err == nil, c.result("set_if_not_exists", err)
}

// addOrReplaceAbsent stores an item if there is none, or one that is expired or
// invalidated.
func (c *core) addOrReplaceAbsent(ctx context.Context, item *memcached.Item) (bool, error) {
	for range maxAttempts {
		item.CAS = 0
		err := c.client.Add(ctx, item)
		if !errors.Is(err, memcached.ErrNotStored) {
			return err == nil, err
		}
		existing, err := c.client.Get(ctx, item.Key)
		if errors.Is(err, memcached.ErrCacheMiss) {
			continue
		}
		if err != nil {
			return false, err
		}
		u, err := c.unpackValid(ctx, existing.Value, existing.Flags)
		if err != nil || !u.absent() {
			return false, err
		}
		item.CAS = existing.CAS
		err = c.client.CompareAndSwap(ctx, item)
		if !errors.Is(err, memcached.ErrCASConflict) && !errors.Is(err, memcached.ErrCacheMiss) {
			return err == nil, err
		}
	}
	return false, errContended
}
