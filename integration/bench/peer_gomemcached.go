package main

import (
	"context"

	"github.com/aliexpressru/gomemcached/memcached"
)

// gomemcachedPeer is github.com/aliexpressru/gomemcached: binary protocol with
// SASL PLAIN, a connection for each operation in flight, pipelined batches.
type gomemcachedPeer struct{}

func (gomemcachedPeer) Name() string   { return gomemcached }
func (gomemcachedPeer) Module() string { return "github.com/aliexpressru/gomemcached" }

// Open keeps as many connections as there are callers, and switches off what
// works beside the operations: metrics, logs, health checks.
func (gomemcachedPeer) Open(servers []string, callers int) (Client, error) {
	c, err := memcached.InitFromEnv(context.Background(),
		memcached.WithServersList(servers),
		memcached.WithMaxIdleConns(callers),
		memcached.WithDisableNodeProvider(),
		memcached.WithDisableRefreshConnsInPool(),
		memcached.WithDisableMemcachedDiagnostic(),
		memcached.WithDisableLogger(),
	)
	if err != nil {
		return nil, err
	}
	return &gomemcachedClient{c}, nil
}

type gomemcachedClient struct{ c *memcached.Client }

func (g *gomemcachedClient) Get(key string) ([]byte, error) {
	response, err := g.c.Get(context.Background(), key)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

func (g *gomemcachedClient) Set(key string, value []byte) error {
	_, err := g.c.Store(context.Background(), memcached.Set, key, 0, value)
	return err
}

func (g *gomemcachedClient) GetMulti(keys []string, visit func(key string, value []byte)) error {
	values, err := g.c.MultiGet(context.Background(), keys)
	for key, value := range values {
		visit(key, value)
	}
	return err
}

func (g *gomemcachedClient) SetMulti(keys []string, values [][]byte) error {
	items := make(map[string][]byte, len(keys))
	for i, key := range keys {
		items[key] = values[i]
	}
	return g.c.MultiStore(context.Background(), memcached.Set, items, 0)
}

func (g *gomemcachedClient) Close() error { return g.c.CloseAllConns(context.Background()) }
