package main

import (
	"fmt"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// ringServers is the number of servers of the largest ring.
const ringServers = 1000

// ringRow is the building of this client's default ring.
func ringRow() row {
	return row{
		Name: "ring1000", Group: groupScale,
		Title: "default ring (Ketama) of 1,000 servers built",
		Peers: []string{ours},
		measure: func(*env, string, timing) (map[string]float64, error) {
			servers := manyServers(ringServers)
			start := time.Now()
			pick := memcached.Ketama(servers)
			took := time.Since(start)
			if i := pick("bench:ring"); i < 0 || i >= len(servers) {
				return nil, fmt.Errorf("bench: the ring picked server %d of %d", i, len(servers))
			}
			return map[string]float64{metricBuild: float64(took) / float64(time.Millisecond)}, nil
		},
	}
}

// manyServers names n servers.
func manyServers(n int) []memcached.Server {
	servers := make([]memcached.Server, n)
	for i := range servers {
		servers[i] = memcached.Server{Addr: fmt.Sprintf("10.0.%d.%d:11211", i/250, i%250+1), Weight: 1}
	}
	return servers
}
