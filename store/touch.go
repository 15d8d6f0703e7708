package store

import (
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Touch gives a value a new time to live, counted from now, as Set does: zero
// keeps it until it is evicted, a negative one ends it, and one below a
// millisecond is an error. It returns libstore.NotFound when there is no value.
//
// The deadline is kept with the value, so Touch reads the item and writes it
// back with compare-and-swap, two round trips. It does not work where there is
// no compare-and-swap (memcached -C, memcached.Options.Replicate).
func (b *base) Touch(ctx context.Context, key any, ttl time.Duration) error {
	name, err := keyString(key)
	if err == nil {
		err = checkTTL("Touch: a time to live", ttl)
	}
	if err == nil {
		err = b.space.do(ctx, func(start string) error {
			return b.touch(ctx, itemKey(start, name), ttl)
		})
	}
	return b.result("touch", err)
}

func (b *base) touch(ctx context.Context, key string, ttl time.Duration) error {
	for range maxAttempts {
		item, err := b.client.Get(ctx, key)
		if err != nil {
			return err
		}
		e, err := b.open(ctx, item.Value, item.Flags)
		switch {
		case err != nil:
			return err
		case e.dead:
			return memcached.ErrCacheMiss
		case ttl < 0:
			return b.client.Delete(ctx, key)
		case e.form.class == classForeign && !b.adopt(&e.form):
			return b.client.Touch(ctx, key, ttl)
		}
		item.TTL = ttl
		if err := b.restamp(ctx, item, e); err != nil {
			return err
		}
		err = b.client.CompareAndSwap(ctx, item)
		if !errors.Is(err, memcached.ErrCASConflict) {
			return err
		}
	}
	return errContended
}

// adopt makes the form of another client's value one that has room for a
// deadline, unless its flags mean something that must not change.
func (b *base) adopt(f *form) bool {
	switch {
	case b.opts.Codec != nil && f.flags <= lowMask:
		f.class = classCodec
	case b.opts.Codec == nil && f.flags == 0:
		*f = form{class: classNative, kind: kindBytes}
	default:
		return false
	}
	return true
}

// restamp gives an item the flags for its TTL.
func (b *base) restamp(ctx context.Context, item *memcached.Item, e entry) error {
	if len(e.tags) > 0 {
		keys := make([]string, len(e.tags))
		for i, t := range e.tags {
			keys[i] = t.key
		}
		// Only for the counters to live long enough: what they say was just
		// compared, and is compared again by whoever reads the item.
		if _, err := b.tags.versions(ctx, keys, item.TTL, b.defaults.TagsTTL); err != nil {
			return err
		}
	}
	stow(item, e.payload, e.tags)
	return nil
}
