package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Increment adds delta to a number in one round trip and returns the sum. It
// wraps around at 2⁶⁴. The type and the time to live of the value stay: what
// was stored as int64 is read as int64.
//
// It returns libstore.NotFound when there is no value, and
// memcached.ErrNotNumber when it is no number or below zero. SetIfNotExists
// makes a counter start.
func (s *Store) Increment(ctx context.Context, key any, delta uint64) (uint64, error) {
	n, err := s.count(ctx, key, delta, true)
	return n, s.result("increment", err)
}

// Decrement is Increment downwards. It stops at zero.
func (s *Store) Decrement(ctx context.Context, key any, delta uint64) (uint64, error) {
	n, err := s.count(ctx, key, delta, false)
	return n, s.result("decrement", err)
}

// count lets the server count, and does it here for tagged items, which the
// server takes for text.
func (s *Store) count(ctx context.Context, key any, delta uint64, up bool) (n uint64, err error) {
	name, err := keyString(key)
	if err != nil {
		return 0, err
	}
	err = s.space.do(ctx, func(start string) error {
		key := itemKey(start, name)
		if up {
			n, err = s.client.Increment(ctx, key, delta)
		} else {
			n, err = s.client.Decrement(ctx, key, delta)
		}
		if errors.Is(err, memcached.ErrNotNumber) {
			n, err = s.countTagged(ctx, key, delta, up)
		}
		return err
	})
	return n, err
}

// countTagged counts in an item that is in an envelope.
func (s *Store) countTagged(ctx context.Context, key string, delta uint64, up bool) (uint64, error) {
	for range maxAttempts {
		item, err := s.client.Get(ctx, key)
		if err != nil {
			return 0, err
		}
		e, err := s.open(ctx, item.Value, item.Flags)
		if err != nil {
			return 0, err
		}
		if e.dead {
			return 0, memcached.ErrCacheMiss
		}
		n, err := strconv.ParseUint(number(e.data), 10, 64)
		if err != nil || len(e.tags) == 0 {
			return 0, fmt.Errorf("memcached store: %w", memcached.ErrNotNumber)
		}
		if up {
			n += delta
		} else {
			n -= min(n, delta)
		}
		sealed := envelope{e.form, e.tags, strconv.AppendUint(nil, n, 10)}
		item.Value = sealed.seal()
		if item.TTL = e.left; e.left > 0 { // the flags keep the deadline itself
			item.TTL = max(e.left, time.Millisecond)
		}
		err = s.client.CompareAndSwap(ctx, item)
		if !errors.Is(err, memcached.ErrCASConflict) {
			return n, err
		}
	}
	return 0, errContended
}
