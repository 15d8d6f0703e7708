package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

func (c *core) increment(ctx context.Context, key any, delta uint64) (uint64, error) {
	n, err := c.addTo(ctx, key, delta, true)
	return n, c.result("increment", err)
}

func (c *core) decrement(ctx context.Context, key any, delta uint64) (uint64, error) {
	n, err := c.addTo(ctx, key, delta, false)
	return n, c.result("decrement", err)
}

// addTo lets the server add delta to a number, or subtract it. The server does
// not see a number in an envelope, so a tagged one is changed here.
func (c *core) addTo(ctx context.Context, key any, delta uint64, up bool) (n uint64, err error) {
	name, err := keyString(key)
	if err != nil {
		return 0, err
	}
	err = c.space.inGeneration(ctx, func(prefix string) error {
		key := itemKey(prefix, name)
		n, err = c.addOnServer(ctx, key, delta, up)
		if errors.Is(err, memcached.ErrNotNumber) {
			n, err = c.addToTagged(ctx, key, delta, up)
		}
		return err
	})
	return n, err
}

// addOnServer lets the server add. It reads the item in the same round trip: the
// server keeps a number for a while after its deadline.
func (c *core) addOnServer(ctx context.Context, key string, delta uint64, up bool) (n uint64, err error) {
	expired := make(chan bool, 1)
	go func() {
		var buf [maxDigits]byte
		_, flags, err := c.client.AppendValue(ctx, buf[:0], key)
		_, left, expires := split(flags, time.Now())
		expired <- err == nil && expires && left <= 0
	}()
	if up {
		n, err = c.client.Increment(ctx, key, delta)
	} else {
		n, err = c.client.Decrement(ctx, key, delta)
	}
	if <-expired && err == nil {
		return 0, memcached.ErrCacheMiss
	}
	return n, err
}

// addToTagged adds to a number in an envelope, with compare-and-swap.
func (c *core) addToTagged(ctx context.Context, key string, delta uint64, up bool) (uint64, error) {
	for range maxAttempts {
		item, err := c.client.Get(ctx, key)
		if err != nil {
			return 0, err
		}
		u, err := c.unpackValid(ctx, item.Value, item.Flags)
		if err != nil {
			return 0, err
		}
		if u.absent() {
			return 0, memcached.ErrCacheMiss
		}
		n, err := strconv.ParseUint(number(u.data), 10, 64)
		if err != nil || len(u.tags) == 0 {
			return 0, fmt.Errorf("store: %w", memcached.ErrNotNumber)
		}
		if up {
			n += delta
		} else {
			n -= min(n, delta)
		}
		e := envelope{u.form, u.tags, strconv.AppendUint(nil, n, 10)}
		item.Value = e.bytes()
		item.TTL = serverTTL(u.left, 0) // the flags keep the stamp
		err = c.client.CompareAndSwap(ctx, item)
		if !errors.Is(err, memcached.ErrCASConflict) {
			return n, err
		}
	}
	return 0, errContended
}
