package placement

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// Placements of other Go clients.

// Gomemcache is the default of bradfitz/gomemcache: CRC-32 of the key modulo
// the number of servers. Weights are ignored, and adding a server moves nearly
// every key.
func Gomemcache(servers []memcached.Server) func(key string) int { return ring.Modulo(toRing(servers)) }

// MC is the default of memcachier/mc.
func MC(servers []memcached.Server) func(key string) int { return ring.MC(toRing(servers)) }

// Gomemcached is the default of aliexpressru/gomemcached.
func Gomemcached(servers []memcached.Server) func(key string) int {
	return ring.Gomemcached(toRing(servers))
}
