package placement

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// Placements of Python clients. Those of pylibmc are libmemcached's.

// PythonMemcached is the default of python-memcached: memcache.Client(servers).
func PythonMemcached(servers []memcached.Server) func(key string) int {
	return ring.CRC15Positive(toRing(servers))
}

// PythonMemcachedOldHash is python-memcached after
// memcache.useOldServerHashFunction().
func PythonMemcachedOldHash(servers []memcached.Server) func(key string) int {
	return ring.WeightedModulo(toRing(servers))
}

// Pymemcache is the default of pymemcache's HashClient for keys given as str:
// rendezvous hashing with MurmurHash3. key_prefix is not part of the placement:
// see [WithoutPrefix]. Its cost grows with the number of servers. Weights are
// ignored.
func Pymemcache(servers []memcached.Server) func(key string) int {
	return ring.Pymemcache(toRing(servers))
}

// BMemcached is the ring of python-binary-memcached's DistributedClient, which
// hashes its credentials along: changing the password moves two thirds of the
// keys. Empty strings stand for credentials that are not set.
func BMemcached(username, password string) memcached.Distribution {
	return func(servers []memcached.Server) func(key string) int {
		return ring.BMemcached(username, password, toRing(servers))
	}
}
