package main

import (
	"context"
	"fmt"

	"github.com/bradfitz/gomemcache/memcache"
	libstore "github.com/eko/gocache/lib/v4/store"
	gocache "github.com/eko/gocache/store/memcache/v4"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// gocacheMemcache is gocache's own store for memcached, over gomemcache.
const gocacheMemcache = "gocache memcache"

// storeTags is how many tags the tagged values are spread over.
const storeTags = 16

// storeRows are the rows of gocache stores.
func storeRows() []row {
	get, _ := workloadByName("get")
	set, _ := workloadByName("set")
	tagged := set
	tagged.do = doSetTagged
	churn := workload{name: "churn", ops: 1, sample: 1, do: doChurn}
	return append([]row{
		storeRow("storeget64", "gocache store, Get 100 B, 64 callers", get, 64),
		storeRow("storeset64", "gocache store, Set 100 B, 64 callers", set, 64),
		storeRow("storetag16", "gocache store, Set 100 B with one of 16 tags, 16 callers", tagged, 16),
		storeRow("storechurn1", fmt.Sprintf("gocache store, %d Sets with a tag and its Invalidate, 1 caller", churned), churn, 1),
	}, storeCostRows()...)
}

// storeRow compares this store with gocache's own, on memcached and on Redis.
func storeRow(name, title string, load workload, callers int) row {
	return row{
		Name: name, Group: groupStore, Title: title, Callers: callers, Unit: "ops/s",
		Baseline: gocacheMemcache, Peers: []string{ours, gocacheMemcache, gocacheRedis, gocacheRueidis}, Slices: loadSlices,
		measure: func(e *env, who string, t timing) (map[string]float64, error) {
			var peer Peer = storePeer{name: who}
			switch who {
			case gocacheRedis:
				peer = storeRedisPeer{}
			case gocacheRueidis:
				peer = storeRueidisPeer{}
			}
			on, err := e.serverOf(peer)
			if err != nil {
				return nil, err
			}
			data, err := e.loadWith(peer, on, newDataset(max(load.size, 100), keyCount).renamed(name+":"+who))
			if err != nil {
				return nil, err
			}
			return measureLoad(peer, on.addrs[:1], load, data, callers, t)
		},
	}
}

// storePeer is a gocache store as a contestant.
type storePeer struct{ name string }

func (p storePeer) Name() string { return p.name }
func (storePeer) Module() string { return "" }

func (p storePeer) Open(servers []string, callers int) (Client, error) {
	if p.name == ours {
		client, err := memcached.New(servers, nil)
		if err != nil {
			return nil, err
		}
		return &storeClient{StoreInterface: store.New(client), close: client.Close}, nil
	}
	client := memcache.New(servers...)
	client.MaxIdleConns = callers
	return &storeClient{StoreInterface: gocache.NewMemcache(client), close: client.Close}, nil
}

// storeClient makes a Client of a gocache store.
type storeClient struct {
	libstore.StoreInterface
	close func() error
}

func (s *storeClient) Get(key string) ([]byte, error) {
	value, err := s.StoreInterface.Get(context.Background(), key)
	if err != nil {
		return nil, err
	}
	if text, ok := value.(string); ok { // Redis
		return []byte(text), nil
	}
	data, ok := value.([]byte)
	if !ok {
		return nil, fmt.Errorf("%w: a %T, want bytes", errWrongValue, value)
	}
	return data, nil
}

func (s *storeClient) Set(key string, value []byte) error {
	return s.StoreInterface.Set(context.Background(), key, value)
}

func (*storeClient) GetMulti([]string, func(string, []byte)) error { return errUnsupported }
func (*storeClient) SetMulti([]string, [][]byte) error             { return errUnsupported }
func (s *storeClient) Close() error                                { return s.close() }

// tagOptions are the options of a Set with each tag.
var tagOptions = func() (options [storeTags]libstore.Option) {
	for i := range options {
		options[i] = libstore.WithTags([]string{fmt.Sprintf("bench-tag-%d", i)})
	}
	return options
}()

// doSetTagged is doSet with a tag that the key decides.
func doSetTagged(c Client, w *worker) error {
	i := w.next() & (keyCount - 1)
	key := w.data.keys[i]
	w.data.fill(w.value, key)
	return c.(*storeClient).StoreInterface.Set(context.Background(), key, w.value, tagOptions[i%storeTags])
}
