package main

import (
	"context"
	"fmt"
	"strings"

	libstore "github.com/eko/gocache/lib/v4/store"
)

// clientAlone is this module's client without a store on top.
const clientAlone = "client alone"

// invalidated is how many items the tag of the row of invalidations has.
const invalidated = 1000

// storeCostRows are the rows of what the store adds to the client, and of what
// tags cost.
func storeCostRows() []row {
	get, _ := workloadByName("get")
	set, _ := workloadByName("set")
	return []row{
		storeCostRow("storecpu1", "gocache store on top of the client, Get 100 B, 1 caller", get, 1),
		storeCostRow("storecpu64", "gocache store on top of the client, Get 100 B, 64 callers", get, 64),
		storeCostRow("storesetcpu64", "gocache store on top of the client, Set 100 B, 64 callers", set, 64),
		{
			Name: "storegettag64", Group: groupStore, Title: "gocache store, Get 100 B with one of 16 tags, 64 callers", Callers: 64, Unit: "ops/s",
			Baseline: gocacheMemcache, Peers: []string{ours, gocacheMemcache}, Slices: loadSlices,
			measure: func(e *env, who string, t timing) (map[string]float64, error) {
				peer := taggedPeer{storePeer{name: who}}
				data, err := e.loadWith(peer, e.server, newDataset(get.size, keyCount).renamed("tagged:"+who))
				if err != nil {
					return nil, err
				}
				return measureLoad(peer, e.server.addrs[:1], get, data, 64, t)
			},
		},
		{
			Name: "storeinvalidate1", Group: groupStore, Title: fmt.Sprintf("gocache store, Invalidate of a tag of %d items, 1 caller", invalidated), Callers: 1, Unit: "ops/s",
			Baseline: gocacheMemcache, Peers: []string{ours, gocacheMemcache},
			measure: measureInvalidate,
		},
		loadCostRow(),
	}
}

func storeCostRow(name, title string, load workload, callers int) row {
	return row{
		Name: name, Group: groupStore, Title: title, Callers: callers, Unit: "ops/s",
		Baseline: clientAlone, Peers: []string{ours, clientAlone}, Slices: loadSlices,
		measure: func(e *env, who string, t timing) (map[string]float64, error) {
			var peer Peer = storePeer{name: ours}
			if who == clientAlone {
				peer = oursPeer{}
			}
			data, err := e.loadWith(peer, e.server, newDataset(load.size, keyCount).renamed("cost:"+who))
			if err != nil {
				return nil, err
			}
			return measureLoad(peer, e.server.addrs[:1], load, data, callers, t)
		},
	}
}

// taggedPeer is a gocache store whose items have a tag. The list that the
// memcache store keeps for a tag costs its Get nothing: its items go without.
type taggedPeer struct{ storePeer }

func (p taggedPeer) Open(servers []string, callers int) (Client, error) {
	c, err := p.storePeer.Open(servers, callers)
	if err != nil || p.name != ours {
		return c, err
	}
	return &taggedClient{c.(*storeClient)}, nil
}

type taggedClient struct{ *storeClient }

func (c *taggedClient) Set(key string, value []byte) error {
	n := 0
	for i := range len(key) {
		n += int(key[i])
	}
	return c.StoreInterface.Set(context.Background(), key, value, tagOptions[n%storeTags])
}

// measureInvalidate measures how often a tag of many items is invalidated. The
// memcache store keeps the list of a tag when its items are gone and deletes
// them all again.
func measureInvalidate(e *env, who string, t timing) (map[string]float64, error) {
	peer := storePeer{name: who}
	client, err := peer.Open(e.server.addrs[:1], 1)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	s := client.(*storeClient)
	tag := "bench-invalidate:" + strings.ReplaceAll(who, " ", "-")
	for i := range invalidated {
		key := fmt.Sprintf("invalidate:%d", i)
		if err := s.StoreInterface.Set(context.Background(), key, []byte("value"), libstore.WithTags([]string{tag})); err != nil {
			return nil, err
		}
	}
	once := workload{name: "invalidate", ops: 1, sample: 1, do: func(c Client, _ *worker) error {
		return c.(*storeClient).Invalidate(context.Background(), libstore.WithInvalidateTags([]string{tag}))
	}}
	return measureLoad(peer, e.server.addrs[:1], once, newDataset(1, keyCount), 1, t)
}
