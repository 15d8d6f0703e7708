package store

import (
	"context"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

func (c *core) getMulti(ctx context.Context, names []string) (map[string]any, error) {
	values, err := c.lookupMulti(ctx, names)
	return values, c.result("get_multi", err)
}

// lookupMulti reads items, checks their tags and decodes their values.
func (c *core) lookupMulti(ctx context.Context, names []string) (map[string]any, error) {
	items, keys, err := c.space.getMulti(ctx, names)
	failed := make(map[string]error)
	if !collect(failed, err, keys, names) {
		return nil, err
	}
	found := make(map[string]unpacked, len(items))
	for i, name := range names {
		item := items[keys[i]]
		if item == nil {
			continue
		}
		u, err := c.unpack(item.Value, item.Flags)
		if err != nil {
			failed[name] = err
		} else if !u.absent() {
			found[name] = u
		}
	}
	c.dropInvalid(ctx, found, failed)
	values := make(map[string]any, len(found))
	for name, u := range found {
		value, err := c.decode(u.payload)
		if err != nil {
			failed[name] = err
		} else {
			values[name] = value
		}
	}
	if len(failed) > 0 {
		return values, &memcached.MultiError{Errors: failed}
	}
	return values, nil
}

// dropInvalid removes the items whose tags were invalidated, or cannot be read.
func (c *core) dropInvalid(ctx context.Context, found map[string]unpacked, failed map[string]error) {
	var keys []string
	seen := make(map[string]bool)
	for _, u := range found {
		for _, t := range u.tags {
			if !seen[t.key] {
				seen[t.key] = true
				keys = append(keys, t.key)
			}
		}
	}
	if len(keys) == 0 {
		return
	}
	counters, err := c.client.GetMulti(ctx, keys)
	for name, u := range found {
		if allCurrent(counters, u.tags) {
			continue
		}
		for _, t := range u.tags {
			if cause := keyError(err, t.key); cause != nil {
				failed[name] = cause
			}
		}
		delete(found, name)
	}
}

func setMulti[T any](ctx context.Context, c *core, values map[string]T, options []libstore.Option) error {
	names, items, err := newItems(ctx, c, values, options)
	if err == nil {
		err = c.space.inGeneration(ctx, func(prefix string) error {
			return c.storeMulti(ctx, itemKeys(prefix, names), names, items)
		})
	}
	return c.result("set_multi", err)
}

// newItems returns the items of values, without their keys, and the names of
// the keys.
func newItems[T any](ctx context.Context, c *core, values map[string]T, options []libstore.Option) (names []string, items []*memcached.Item, err error) {
	o, err := c.settings(options)
	if err != nil {
		return nil, nil, err
	}
	names = make([]string, 0, len(values))
	payloads := make([]payload, 0, len(values))
	for name, value := range values {
		p, err := c.encode(value)
		if err != nil {
			return nil, nil, err
		}
		names, payloads = append(names, name), append(payloads, p)
	}
	versions, err := c.tagVersions(ctx, &o)
	if err != nil {
		return nil, nil, err
	}
	items = make([]*memcached.Item, len(names))
	for i := range items {
		items[i] = new(memcached.Item)
		fill(items[i], payloads[i], versions, o.Expiration, 0)
	}
	return names, items, nil
}

// storeMulti stores items that have the same TTL. A negative one removes them.
func (c *core) storeMulti(ctx context.Context, keys, names []string, items []*memcached.Item) error {
	for i, key := range keys {
		items[i].Key = key
	}
	if len(items) > 0 && items[0].TTL < 0 {
		return c.removeMulti(ctx, keys, names)
	}
	return byName(c.client.SetMulti(ctx, items), keys, names)
}

func (c *core) deleteMulti(ctx context.Context, names []string) error {
	err := c.space.inGeneration(ctx, func(prefix string) error {
		return c.removeMulti(ctx, itemKeys(prefix, names), names)
	})
	return c.result("delete_multi", err)
}

// removeMulti is remove of several items.
func (c *core) removeMulti(ctx context.Context, keys, names []string) error {
	var lockErr error
	if c.locks {
		locks := make([]string, len(names))
		for i := range names {
			locks[i] = c.lockKey(names[i])
		}
		lockErr = byName(c.markAll(ctx, locks), locks, names)
	}
	err := byName(c.client.DeleteMulti(ctx, keys), keys, names)
	if err == nil {
		return lockErr
	}
	failed := make(map[string]error)
	if !collect(failed, lockErr, names, names) || !collect(failed, err, names, names) {
		return err
	}
	return &memcached.MultiError{Errors: failed}
}
