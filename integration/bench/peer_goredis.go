package main

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/redis/go-redis/v9"
)

// goredisPeer is github.com/redis/go-redis on Redis: a connection for each
// operation in flight.
type goredisPeer struct{}

func (goredisPeer) Name() string   { return goredisClient }
func (goredisPeer) Module() string { return "github.com/redis/go-redis/v9" }
func (goredisPeer) onRedis()       {}

// Open takes the defaults with a pool as large as the number of callers; that of
// the library is 10 for each processor.
func (goredisPeer) Open(servers []string, callers int) (Client, error) {
	return &goredisAdapter{redis.NewClient(&redis.Options{Addr: servers[0], PoolSize: callers})}, nil
}

type goredisAdapter struct{ c *redis.Client }

func (g *goredisAdapter) Get(key string) ([]byte, error) {
	return g.c.Get(context.Background(), key).Bytes()
}

func (g *goredisAdapter) Set(key string, value []byte) error {
	return g.c.Set(context.Background(), key, value, 0).Err()
}

// GetMulti is one MGET. It looks at the strings' bytes in place: a conversion
// would add a copy to the library's own work.
func (g *goredisAdapter) GetMulti(keys []string, visit func(key string, value []byte)) error {
	values, err := g.c.MGet(context.Background(), keys...).Result()
	if err != nil {
		return err
	}
	for i, value := range values {
		switch value := value.(type) {
		case nil:
		case string:
			visit(keys[i], unsafe.Slice(unsafe.StringData(value), len(value)))
		default:
			return fmt.Errorf("%w: a %T, want a string", errWrongValue, value)
		}
	}
	return nil
}

// SetMulti is one MSET.
func (g *goredisAdapter) SetMulti(keys []string, values [][]byte) error {
	pairs := make([]any, 0, 2*len(keys))
	for i, key := range keys {
		pairs = append(pairs, key, values[i])
	}
	return g.c.MSet(context.Background(), pairs...).Err()
}

func (g *goredisAdapter) Close() error { return g.c.Close() }
