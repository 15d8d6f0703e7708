package discovery_test

import (
	"fmt"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// What the documentation says of the keys that move.
func TestPlacement_WhatMoves(t *testing.T) {
	const n, keys = 10, 20_000
	list := func(n int, last string) []memcached.Server {
		servers := make([]memcached.Server, n)
		for i := range servers {
			servers[i] = memcached.Server{Addr: fmt.Sprintf("10.1.0.%d:11211", i+1), Weight: 1}
		}
		servers[n-1].Addr = last
		return servers
	}
	before := list(n, "10.1.0.99:11211")
	heavy := append(list(n, "10.1.0.99:11211"), memcached.Server{Addr: "10.1.0.98:11211", Weight: 5})
	for name, c := range map[string]struct {
		distribution memcached.Distribution
		after        []memcached.Server
		least, most  float64 // shares of all keys, n servers: 1/n is 0.1
	}{
		"same names":                          {memcached.Ketama, list(n, "10.1.0.99:11211"), 0, 0},
		"another address":                     {memcached.Ketama, list(n, "10.1.0.98:11211"), 0.13, 0.25},
		"one less":                            {memcached.Ketama, before[:n-1], 0.07, 0.13},
		"one more":                            {memcached.Ketama, append(list(n, "10.1.0.99:11211"), memcached.Server{Addr: "10.1.0.98:11211", Weight: 1}), 0.06, 0.13},
		"one more of weight 5, of 15":         {memcached.Ketama, heavy, 0.40, 0.55},
		"one less, with placement.Gomemcache": {placement.Gomemcache, before[:n-1], 0.8, 1},
	} {
		from, to := c.distribution(before), c.distribution(c.after)
		moved := 0
		for i := range keys {
			key := fmt.Sprint("key:", i)
			if before[from(key)] != c.after[to(key)] {
				moved++
			}
		}
		if share := float64(moved) / keys; share < c.least || share > c.most {
			t.Errorf("%s: %.3f of the keys move, want %v to %v", name, share, c.least, c.most)
		}
	}
}
