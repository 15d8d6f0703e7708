package main

import (
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// typedGet is the Get of a store of one type.
const typedGet = "Get"

// loadCostRow is the row of what GetOrLoad adds to Get when the value is there.
func loadCostRow() row {
	get, _ := workloadByName("get")
	return row{
		Name: "storeload64", Group: groupStore, Title: "gocache store, GetOrLoad of a hit of 100 B, 64 callers", Callers: 64, Unit: "ops/s",
		Baseline: typedGet, Peers: []string{ours, typedGet}, Slices: loadSlices,
		measure: func(e *env, who string, t timing) (map[string]float64, error) {
			peer := typedPeer{name: who}
			data, err := e.loadWith(peer, e.server, newDataset(get.size, keyCount).renamed("load:"+who))
			if err != nil {
				return nil, err
			}
			return measureLoad(peer, e.server.addrs[:1], get, data, 64, t)
		},
	}
}

// typedPeer is a store of bytes, read with Get or GetOrLoad.
type typedPeer struct{ name string }

func (p typedPeer) Name() string { return p.name }
func (typedPeer) Module() string { return "" }

func (p typedPeer) Open(servers []string, _ int) (Client, error) {
	client, err := memcached.New(servers, nil)
	if err != nil {
		return nil, err
	}
	s, err := store.NewTyped[[]byte](client, &store.Options{OwnsClient: true})
	if err != nil {
		return nil, err
	}
	plain := storeClient{StoreInterface: s, close: s.Close}
	if p.name == typedGet {
		return &plain, nil
	}
	return &loadClient{plain, s}, nil
}

// loadClient reads with GetOrLoad.
type loadClient struct {
	storeClient
	typed *store.Typed[[]byte]
}

var errLoaded = errors.New("bench: a hit was loaded")

func (l *loadClient) Get(key string) ([]byte, error) {
	return l.typed.GetOrLoad(context.Background(), key, time.Hour, func(context.Context) ([]byte, error) {
		return nil, errLoaded
	})
}
