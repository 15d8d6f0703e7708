package main

import (
	"context"
	"fmt"

	libstore "github.com/eko/gocache/lib/v4/store"
	redisstore "github.com/eko/gocache/store/redis/v4"
	"github.com/redis/go-redis/v9"
)

// gocacheRedis is gocache's store for Redis, what people would pick instead.
const gocacheRedis = "gocache redis"

// churned is how many items the tag of the row of Set and Invalidate has.
const churned = 100

// storeRedisRows compare this store on memcached with gocache's on Redis.
func storeRedisRows() []row {
	get, _ := workloadByName("get")
	set, _ := workloadByName("set")
	tagged := set
	tagged.do = doSetTagged
	churn := workload{name: "churn", ops: 1, sample: 1, do: doChurn}
	return []row{
		storeRedisRow("storeredisget64", "gocache store beside Redis, Get 100 B, 64 callers", get, 64),
		storeRedisRow("storeredisset64", "gocache store beside Redis, Set 100 B, 64 callers", set, 64),
		storeRedisRow("storeredistag16", "gocache store beside Redis, Set 100 B with one of 16 tags, 16 callers", tagged, 16),
		storeRedisRow("storeredisinvalidate1", fmt.Sprintf("gocache store beside Redis, %d Sets with a tag and its Invalidate, 1 caller", churned), churn, 1),
	}
}

func storeRedisRow(name, title string, load workload, callers int) row {
	return row{
		Name: name, Group: groupStore, Title: title, Callers: callers, Unit: "ops/s",
		Baseline: gocacheRedis, Peers: []string{ours, gocacheRedis}, Slices: loadSlices,
		measure: func(e *env, who string, t timing) (map[string]float64, error) {
			var peer Peer = storePeer{name: who}
			on := e.server
			if who == gocacheRedis {
				var err error
				if on, err = e.redis(false); err != nil {
					return nil, err
				}
				peer = redisPeer{}
			}
			data, err := e.loadWith(peer, on, newDataset(max(load.size, 100), keyCount).renamed(name+":"+who))
			if err != nil {
				return nil, err
			}
			return measureLoad(peer, on.addrs[:1], load, data, callers, t)
		},
	}
}

// redisPeer is gocache's store for Redis as a contestant.
type redisPeer struct{}

func (redisPeer) Name() string   { return gocacheRedis }
func (redisPeer) Module() string { return "github.com/eko/gocache/store/redis/v4" }

func (redisPeer) Open(servers []string, callers int) (Client, error) {
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
