package main

import (
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

// gomemcachePeer is github.com/bradfitz/gomemcache: text protocol, a connection
// for each operation in flight.
type gomemcachePeer struct{}

func (gomemcachePeer) Name() string   { return gomemcache }
func (gomemcachePeer) Module() string { return "github.com/bradfitz/gomemcache" }

// Open keeps as many idle connections as there are callers, as the library
// advises; with its default of 2 nearly every operation would dial.
func (gomemcachePeer) Open(servers []string, callers int) (Client, error) {
	c := memcache.New(servers...)
	c.MaxIdleConns = callers
	return &gomemcacheClient{c}, nil
}

type gomemcacheClient struct{ c *memcache.Client }

func (g *gomemcacheClient) Get(key string) ([]byte, error) {
	item, err := g.c.Get(key)
	if err != nil {
		return nil, err
	}
	return item.Value, nil
}

func (g *gomemcacheClient) Set(key string, value []byte) error {
	return g.c.Set(&memcache.Item{Key: key, Value: value})
}

func (g *gomemcacheClient) GetMulti(keys []string, visit func(key string, value []byte)) error {
	items, err := g.c.GetMulti(keys)
	for key, item := range items {
		visit(key, item.Value)
	}
	return err
}

// SetMulti is one Set after the other: the library has no batch for writing.
func (g *gomemcacheClient) SetMulti(keys []string, values [][]byte) error {
	for i, key := range keys {
		if err := g.Set(key, values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (g *gomemcacheClient) Close() error { return g.c.Close() }

// OpenUntimed is Open with operations that wait for an hour.
func (gomemcachePeer) OpenUntimed(servers []string, callers int) (Client, error) {
	c := memcache.New(servers...)
	c.MaxIdleConns, c.Timeout = callers, time.Hour
	return &gomemcacheClient{c}, nil
}
