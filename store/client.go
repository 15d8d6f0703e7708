package store

import (
	"context"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Client is what the store needs of a memcached client. *memcached.Client is
// one; a decorator around it that adds tracing or limits is another. The
// errors have the meanings of package memcached.
type Client interface {
	AppendValue(ctx context.Context, dst []byte, key string) (value []byte, flags uint32, err error)
	Get(ctx context.Context, key string) (*memcached.Item, error)
	GetMulti(ctx context.Context, keys []string) (map[string]*memcached.Item, error)
	Set(ctx context.Context, item *memcached.Item) error
	SetMulti(ctx context.Context, items []*memcached.Item) error
	Add(ctx context.Context, item *memcached.Item) error
	CompareAndSwap(ctx context.Context, item *memcached.Item) error
	Touch(ctx context.Context, key string, ttl time.Duration) error
	Delete(ctx context.Context, key string) error
	DeleteMulti(ctx context.Context, keys []string) error
	Increment(ctx context.Context, key string, delta uint64) (uint64, error)
	Decrement(ctx context.Context, key string, delta uint64) (uint64, error)
	IncrementOrSet(ctx context.Context, key string, delta, initial uint64, ttl time.Duration) (uint64, error)
	FlushAll(ctx context.Context, after time.Duration) error
}

var _ Client = (*memcached.Client)(nil)
