package middleware

import (
	"context"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Client is what the cache needs of a memcached client: *memcached.Client, or
// anything that decorates one. Its methods are called from many goroutines at once.
type Client interface {
	// AppendValue appends the value of key to dst: the read of a hit.
	AppendValue(ctx context.Context, dst []byte, key string) (value []byte, flags uint32, err error)
	Get(ctx context.Context, key string) (*memcached.Item, error)
	GetMulti(ctx context.Context, keys []string) (map[string]*memcached.Item, error)
	Set(ctx context.Context, item *memcached.Item) error
	SetMulti(ctx context.Context, items []*memcached.Item) error
	Add(ctx context.Context, item *memcached.Item) error
	CompareAndSwap(ctx context.Context, item *memcached.Item) error
	Touch(ctx context.Context, key string, ttl time.Duration) error
	CompareAndDelete(ctx context.Context, key string, cas uint64) error
	Delete(ctx context.Context, key string) error
	DeleteMulti(ctx context.Context, keys []string) error
	IncrementOrSet(ctx context.Context, key string, delta, initial uint64, ttl time.Duration) (uint64, error)
}

var _ Client = (*memcached.Client)(nil)
