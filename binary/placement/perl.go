package placement

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// Placements of Perl clients. Their namespace is not part of the placement: see
// WithoutPrefix.

// CacheMemcached is the default of Perl's Cache::Memcached and
// Cache::Memcached::Fast.
func CacheMemcached(servers []memcached.Server) func(key string) int {
	return ring.CRC15(toRing(servers))
}

// CacheMemcachedFastKetama is Cache::Memcached::Fast with ketama_points => points.
func CacheMemcachedFastKetama(points int) memcached.Distribution {
	return func(servers []memcached.Server) func(key string) int {
		return ring.CRCRing(max(points, 1), toRing(servers))
	}
}
