package placement

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// Placements of libmemcached: C programs, PHP's Memcached extension, pylibmc.

// Libmemcached is the default of libmemcached and of what is built on it:
// one-at-a-time modulo the number of servers. Weights are ignored.
func Libmemcached(servers []memcached.Server) func(key string) int {
	return ring.Libmemcached(toRing(servers))
}

// PHPMemcached is the default of PHP's Memcached extension: new Memcached().
// With OPT_LIBKETAMA_COMPATIBLE the extension uses [memcached.Ketama].
// OPT_PREFIX_KEY is not part of the placement: see [WithoutPrefix].
func PHPMemcached(servers []memcached.Server) func(key string) int {
	return ring.Libmemcached(toRing(servers))
}

// Pylibmc is the default of pylibmc: pylibmc.Client(servers). With the behavior
// ketama_weighted it uses [memcached.Ketama].
func Pylibmc(servers []memcached.Server) func(key string) int {
	return ring.Libmemcached(toRing(servers))
}

// LibmemcachedConsistent is libmemcached's DISTRIBUTION_CONSISTENT with the
// default hash: pylibmc's behavior ketama, and php.ini's
// memcached.default_consistent_hash. It is not [memcached.Ketama].
func LibmemcachedConsistent(servers []memcached.Server) func(key string) int {
	return ring.LibmemcachedConsistent(toRing(servers))
}

// LibmemcachedConsistentMD5 is libmemcached's DISTRIBUTION_CONSISTENT with
// HASH_MD5.
func LibmemcachedConsistentMD5(servers []memcached.Server) func(key string) int {
	return ring.LibmemcachedConsistentMD5(toRing(servers))
}

// LibmemcachedMD5 is libmemcached's HASH_MD5 with the default distribution, and
// spymemcached's KETAMA_HASH with the default locator.
func LibmemcachedMD5(servers []memcached.Server) func(key string) int {
	return ring.LibmemcachedMD5(toRing(servers))
}

// LibmemcachedCRC is libmemcached's HASH_CRC with the default distribution, and
// spymemcached's CRC_HASH with the default locator.
func LibmemcachedCRC(servers []memcached.Server) func(key string) int {
	return ring.LibmemcachedCRC(toRing(servers))
}

// LibmemcachedFNV1 is libmemcached's HASH_FNV1_32 with the default
// distribution.
func LibmemcachedFNV1(servers []memcached.Server) func(key string) int {
	return ring.LibmemcachedFNV1(toRing(servers))
}

// LibmemcachedFNV1a is libmemcached's HASH_FNV1A_32 with the default
// distribution.
func LibmemcachedFNV1a(servers []memcached.Server) func(key string) int {
	return ring.LibmemcachedFNV1a(toRing(servers))
}

// LibmemcachedFNV1x64 is libmemcached's HASH_FNV1_64 with the default
// distribution.
func LibmemcachedFNV1x64(servers []memcached.Server) func(key string) int {
	return ring.LibmemcachedFNV164(toRing(servers))
}

// LibmemcachedFNV1ax64 is libmemcached's HASH_FNV1A_64 with the default
// distribution.
func LibmemcachedFNV1ax64(servers []memcached.Server) func(key string) int {
	return ring.LibmemcachedFNV1a64(toRing(servers))
}

// LibmemcachedMurmur is libmemcached's HASH_MURMUR with the default
// distribution.
func LibmemcachedMurmur(servers []memcached.Server) func(key string) int {
	return ring.LibmemcachedMurmur(toRing(servers))
}
