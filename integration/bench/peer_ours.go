package main

import (
	"context"

	"github.com/bmemcached/bmemcached-go/binary"
)

// oursPeer is this module's client with its default options.
type oursPeer struct{}

func (oursPeer) Name() string   { return ours }
func (oursPeer) Module() string { return "github.com/bmemcached/bmemcached-go" }

// Open takes the defaults whatever the number of callers: there is nothing to
// size.
func (oursPeer) Open(servers []string, _ int) (Client, error) {
	return openOurs(servers, nil)
}

// OpenUntimed is Open with operations that wait without a limit.
func (oursPeer) OpenUntimed(servers []string, _ int) (Client, error) {
	return openOurs(servers, &memcached.Options{Timeout: -1})
}

func openOurs(servers []string, opts *memcached.Options) (Client, error) {
	c, err := memcached.New(servers, opts)
	if err != nil {
		return nil, err
	}
	return &oursClient{c}, nil
}

type oursClient struct{ c *memcached.Client }

func (o *oursClient) Get(key string) ([]byte, error) {
	item, err := o.c.Get(context.Background(), key)
	if err != nil {
		return nil, err
	}
	return item.Value, nil
}

func (o *oursClient) Set(key string, value []byte) error {
	return o.c.Set(context.Background(), &memcached.Item{Key: key, Value: value})
}

func (o *oursClient) GetMulti(keys []string, visit func(key string, value []byte)) error {
	items, err := o.c.GetMulti(context.Background(), keys)
	for key, item := range items {
		visit(key, item.Value)
	}
	return err
}

func (o *oursClient) SetMulti(keys []string, values [][]byte) error {
	backing := make([]memcached.Item, len(keys))
	items := make([]*memcached.Item, len(keys))
	for i, key := range keys {
		backing[i] = memcached.Item{Key: key, Value: values[i]}
		items[i] = &backing[i]
	}
	return o.c.SetMulti(context.Background(), items)
}

func (o *oursClient) Close() error { return o.c.Close() }
