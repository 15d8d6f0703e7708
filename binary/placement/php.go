package placement

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// Placements of PHP's older extension, Memcache. Those of Memcached are
// libmemcached's.

// PHPMemcache is the default of PHP's Memcache extension: a consistent ring of
// CRC-32 (memcache.hash_strategy = consistent, memcache.hash_function = crc32).
func PHPMemcache(servers []memcached.Server) func(key string) int {
	return ring.Memcache(toRing(servers))
}

// PHPMemcacheFNV is PHP's Memcache extension with memcache.hash_function = fnv.
func PHPMemcacheFNV(servers []memcached.Server) func(key string) int {
	return ring.MemcacheFNV(toRing(servers))
}

// PHPMemcacheStandard is PHP's Memcache extension with memcache.hash_strategy =
// standard.
func PHPMemcacheStandard(servers []memcached.Server) func(key string) int {
	return ring.CRC15Positive(toRing(servers))
}
