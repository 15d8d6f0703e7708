package sessiontest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
)

// counter counts the operations that requests need.
type counter struct {
	session.Client
	n atomic.Int64
}

func (c *counter) Get(ctx context.Context, key string) (*memcached.Item, error) {
	c.n.Add(1)
	return c.Client.Get(ctx, key)
}

func (c *counter) GetAndTouch(ctx context.Context, key string, ttl time.Duration) (*memcached.Item, error) {
	c.n.Add(1)
	return c.Client.GetAndTouch(ctx, key, ttl)
}

func (c *counter) Set(ctx context.Context, item *memcached.Item) error {
	c.n.Add(1)
	return c.Client.Set(ctx, item)
}

func (c *counter) Add(ctx context.Context, item *memcached.Item) error {
	c.n.Add(1)
	return c.Client.Add(ctx, item)
}

func (c *counter) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	c.n.Add(1)
	return c.Client.CompareAndSwap(ctx, item)
}

func (c *counter) Delete(ctx context.Context, key string) error {
	c.n.Add(1)
	return c.Client.Delete(ctx, key)
}

func (c *counter) CompareAndDelete(ctx context.Context, key string, cas uint64) error {
	c.n.Add(1)
	return c.Client.CompareAndDelete(ctx, key, cas)
}
