package placement

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// Placements of Node clients. The npm package memcached uses memcached.Ketama.

// Memjs is the default of memjs.
func Memjs(servers []memcached.Server) func(key string) int { return ring.Memjs(toRing(servers)) }

// MemcachePlus is the default of the npm package memcache-plus.
func MemcachePlus(servers []memcached.Server) func(key string) int {
	return ring.SpymemcachedKetama(toRing(servers))
}

// NPMMemcache is the default of the npm package memcache.
func NPMMemcache(servers []memcached.Server) func(key string) int {
	return ring.NPMMemcache(toRing(servers))
}

// NPMMemcacheModulo is the npm package memcache with ModulaHash.
func NPMMemcacheModulo(servers []memcached.Server) func(key string) int {
	return ring.NPMMemcacheModulo(toRing(servers))
}
