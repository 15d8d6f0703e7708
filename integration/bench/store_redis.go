package main

import (
	"context"

	libstore "github.com/eko/gocache/lib/v4/store"
	redisstore "github.com/eko/gocache/store/redis/v4"
	"github.com/redis/go-redis/v9"
)

// gocacheRedis is gocache's store for Redis, what people would pick instead.
const gocacheRedis = "gocache redis"

// churned is how many items the tag of the row of Set and Invalidate has.
const churned = 100

// storeRedisPeer is gocache's store for Redis as a contestant.
type storeRedisPeer struct{}

func (storeRedisPeer) Name() string   { return gocacheRedis }
func (storeRedisPeer) Module() string { return "github.com/eko/gocache/store/redis/v4" }
func (storeRedisPeer) onRedis()       {}

func (storeRedisPeer) Open(servers []string, callers int) (Client, error) {
	client := redis.NewClient(&redis.Options{Addr: servers[0], PoolSize: callers})
	return &storeClient{StoreInterface: redisstore.NewRedis(client), close: client.Close}, nil
}

// doChurn stores items with a tag, and invalidates it.
func doChurn(c Client, w *worker) error {
	s := c.(*storeClient).StoreInterface
	ctx := context.Background()
	for i := range churned {
		if err := s.Set(ctx, w.data.keys[i], []byte("value"), libstore.WithTags([]string{"bench-churn"})); err != nil {
			return err
		}
	}
	return s.Invalidate(ctx, libstore.WithInvalidateTags([]string{"bench-churn"}))
}
