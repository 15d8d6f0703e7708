package main

import (
	"context"

	"github.com/redis/rueidis"
)

// rueidisPeer is github.com/redis/rueidis on Redis: many callers share a few
// connections.
type rueidisPeer struct{}

func (rueidisPeer) Name() string   { return rueidisClient }
func (rueidisPeer) Module() string { return "github.com/redis/rueidis" }
func (rueidisPeer) onRedis()       {}

// Open takes the defaults whatever the number of callers, but for the cache in
// the client's own memory: no row asks for it, and it costs each connection a
// subscription.
func (rueidisPeer) Open(servers []string, _ int) (Client, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: servers[:1], DisableCache: true})
	if err != nil {
		return nil, err
	}
	return &rueidisAdapter{c}, nil
}

type rueidisAdapter struct{ c rueidis.Client }

func (r *rueidisAdapter) Get(key string) ([]byte, error) {
	return r.c.Do(context.Background(), r.c.B().Get().Key(key).Build()).AsBytes()
}

// Set passes the value's bytes as a string in place, as the library advises.
func (r *rueidisAdapter) Set(key string, value []byte) error {
	return r.c.Do(context.Background(), r.c.B().Set().Key(key).Value(rueidis.BinaryString(value)).Build()).Error()
}

// GetMulti is one MGET.
func (r *rueidisAdapter) GetMulti(keys []string, visit func(key string, value []byte)) error {
	values, err := rueidis.MGet(r.c, context.Background(), keys)
	for key, message := range values {
		if message.IsNil() {
			continue
		}
		value, err := message.AsBytes()
		if err != nil {
			return err
		}
		visit(key, value)
	}
	return err
}

// SetMulti is one MSET.
func (r *rueidisAdapter) SetMulti(keys []string, values [][]byte) error {
	pairs := r.c.B().Mset().KeyValue()
	for i, key := range keys {
		pairs = pairs.KeyValue(key, rueidis.BinaryString(values[i]))
	}
	return r.c.Do(context.Background(), pairs.Build()).Error()
}

func (r *rueidisAdapter) Close() error {
	r.c.Close()
	return nil
}
