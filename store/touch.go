package store

import (
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

func (c *core) touch(ctx context.Context, key any, ttl time.Duration) error {
	name, err := keyString(key)
	if err == nil {
		err = checkTTL("Touch: a time to live", ttl)
	}
	if err == nil {
		err = c.space.inGeneration(ctx, func(prefix string) error {
			return c.touchItem(ctx, prefix, name, ttl)
		})
	}
	return c.result("touch", err)
}

// touchItem reads an item and writes it back with the stamp of a new deadline.
func (c *core) touchItem(ctx context.Context, prefix, name string, ttl time.Duration) error {
	key := itemKey(prefix, name)
	for range maxAttempts {
		item, err := c.client.Get(ctx, key)
		if err != nil {
			return err
		}
		u, err := c.unpackValid(ctx, item.Value, item.Flags)
		switch {
		case err != nil:
			return err
		case u.absent():
			return memcached.ErrCacheMiss
		case ttl < 0:
			return c.remove(ctx, prefix, name)
		case u.form.class == classForeign && !c.adopt(&u.form):
			return c.client.Touch(ctx, key, ttl)
		}
		if err := c.restamp(ctx, item, u, ttl); err != nil {
			return err
		}
		err = c.client.CompareAndSwap(ctx, item)
		if !errors.Is(err, memcached.ErrCASConflict) {
			return err
		}
	}
	return errContended
}

// adopt gives another client's value a form with room for a stamp. It returns
// false when the flags have a meaning that must stay.
func (c *core) adopt(f *form) bool {
	switch {
	case c.opts.Codec != nil && f.flags <= lowMask:
		f.class = classCodec
	case c.opts.Codec == nil && f.flags == 0:
		*f = form{class: classNative, kind: kindBytes}
	default:
		return false
	}
	return true
}

// restamp gives an item a new TTL.
func (c *core) restamp(ctx context.Context, item *memcached.Item, u unpacked, ttl time.Duration) error {
	if len(u.tags) > 0 {
		keys := make([]string, len(u.tags))
		for i, t := range u.tags {
			keys[i] = t.key
		}
		// Only so that the counters live long enough. The item keeps the
		// versions that it had: they were just checked, and every reader checks
		// them again.
		if _, err := c.tags.versions(ctx, keys, ttl, c.defaults.TagsTTL); err != nil {
			return err
		}
	}
	fill(item, u.payload, u.tags, ttl, 0)
	return nil
}
