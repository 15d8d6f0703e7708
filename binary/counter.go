package memcached

import (
	"context"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// Increment adds delta to a decimal number and returns the sum, which wraps
// around at 2^64. It returns ErrCacheMiss if the key is missing and ErrNotNumber
// if the value is not a number. It keeps the time to live.
//
// memcached may reject values of 2^63 and above with ErrNotNumber: it looks for
// a minus sign in them, and reads past the value (util.c, safe_strtoull).
func (c *Client) Increment(ctx context.Context, key string, delta uint64) (uint64, error) {
	return c.count(ctx, "increment", wire.OpIncrement, key, delta, 0, wire.ExpiryNoCreate, c.limits(ctx))
}

// Decrement subtracts delta and stops at 0. It is otherwise like Increment.
// The server keeps the length of the value: "10" becomes "9 ".
func (c *Client) Decrement(ctx context.Context, key string, delta uint64) (uint64, error) {
	return c.count(ctx, "decrement", wire.OpDecrement, key, delta, 0, wire.ExpiryNoCreate, c.limits(ctx))
}

// IncrementOrSet is Increment for a key that may be missing: it then stores and
// returns initial, with a time to live as in Item.TTL. An existing number keeps
// its time to live.
func (c *Client) IncrementOrSet(ctx context.Context, key string, delta, initial uint64, ttl time.Duration) (uint64, error) {
	return c.countOrSet(ctx, "increment_or_set", wire.OpIncrement, key, delta, initial, ttl)
}

// DecrementOrSet is Decrement for a key that may be missing: see IncrementOrSet.
func (c *Client) DecrementOrSet(ctx context.Context, key string, delta, initial uint64, ttl time.Duration) (uint64, error) {
	return c.countOrSet(ctx, "decrement_or_set", wire.OpDecrement, key, delta, initial, ttl)
}

// createAttempts is how often countOrSet tries when others create and delete
// the counter at the same time.
const createAttempts = 8

func (c *Client) countOrSet(ctx context.Context, name string, op wire.Opcode, key string, delta, initial uint64, ttl time.Duration) (n uint64, err error) {
	if err := checkTTL(ttl); err != nil {
		return 0, &OpError{Op: name, Key: key, Err: err}
	}
	l := c.limits(ctx) // of all attempts
	for range createAttempts {
		// The server answers that it did not store when another client created
		// the counter between its look-up and its creation (proto_bin.c).
		n, err = c.count(ctx, name, op, key, delta, initial, expiry(ttl), l)
		if err != ErrNotStored {
			break
		}
	}
	return n, err
}

func (c *Client) count(ctx context.Context, name string, op wire.Opcode, key string, delta, initial uint64, exp uint32, l limits) (uint64, error) {
	cl := c.newCall(op, key)
	cl.delta, cl.initial, cl.expiry, cl.limits = delta, initial, exp, l
	cl, err := c.run(ctx, name, cl)
	if err != nil {
		return 0, err
	}
	n := cl.result.number
	cl.free()
	return n, nil
}
