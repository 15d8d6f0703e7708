package memcached_test

import (
	"context"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// operations are all operations of a client, with arguments that are fine.
func operations() map[string]func(ctx context.Context, c *memcached.Client) error {
	item := func() *memcached.Item { return &memcached.Item{Key: "k", Value: []byte("v"), CAS: 1} }
	return map[string]func(ctx context.Context, c *memcached.Client) error{
		"Get": func(ctx context.Context, c *memcached.Client) error { _, err := c.Get(ctx, "k"); return err },
		"GetAndTouch": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetAndTouch(ctx, "k", time.Hour)
			return err
		},
		"AppendValue": func(ctx context.Context, c *memcached.Client) error {
			_, _, err := c.AppendValue(ctx, nil, "k")
			return err
		},
		"GetMulti": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetMulti(ctx, []string{"k"})
			return err
		},
		"Set":            func(ctx context.Context, c *memcached.Client) error { return c.Set(ctx, item()) },
		"Add":            func(ctx context.Context, c *memcached.Client) error { return c.Add(ctx, item()) },
		"Replace":        func(ctx context.Context, c *memcached.Client) error { return c.Replace(ctx, item()) },
		"CompareAndSwap": func(ctx context.Context, c *memcached.Client) error { return c.CompareAndSwap(ctx, item()) },
		"SetMulti": func(ctx context.Context, c *memcached.Client) error {
			return c.SetMulti(ctx, []*memcached.Item{item()})
		},
		"Append":           func(ctx context.Context, c *memcached.Client) error { return c.Append(ctx, "k", []byte("v")) },
		"Prepend":          func(ctx context.Context, c *memcached.Client) error { return c.Prepend(ctx, "k", []byte("v")) },
		"Touch":            func(ctx context.Context, c *memcached.Client) error { return c.Touch(ctx, "k", time.Hour) },
		"Delete":           func(ctx context.Context, c *memcached.Client) error { return c.Delete(ctx, "k") },
		"CompareAndDelete": func(ctx context.Context, c *memcached.Client) error { return c.CompareAndDelete(ctx, "k", 1) },
		"DeleteMulti":      func(ctx context.Context, c *memcached.Client) error { return c.DeleteMulti(ctx, []string{"k"}) },
		"Increment":        func(ctx context.Context, c *memcached.Client) error { _, err := c.Increment(ctx, "k", 1); return err },
		"Decrement":        func(ctx context.Context, c *memcached.Client) error { _, err := c.Decrement(ctx, "k", 1); return err },
		"IncrementOrSet": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.IncrementOrSet(ctx, "k", 1, 1, 0)
			return err
		},
		"DecrementOrSet": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.DecrementOrSet(ctx, "k", 1, 1, 0)
			return err
		},
		"FlushAll":    func(ctx context.Context, c *memcached.Client) error { return c.FlushAll(ctx, 0) },
		"Ping":        func(ctx context.Context, c *memcached.Client) error { return c.Ping(ctx) },
		"Versions":    func(ctx context.Context, c *memcached.Client) error { _, err := c.Versions(ctx); return err },
		"ServerStats": func(ctx context.Context, c *memcached.Client) error { _, err := c.ServerStats(ctx, ""); return err },
	}
}
