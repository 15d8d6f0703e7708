package placement

import (
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// Placements of Java clients.

// Spymemcached is the default of spymemcached: String.hashCode modulo the
// number of servers (DefaultConnectionFactory, BinaryConnectionFactory).
func Spymemcached(servers []memcached.Server) func(key string) int {
	return ring.Spymemcached(toRing(servers))
}

// SpymemcachedKetama is spymemcached's KetamaConnectionFactory, which differs
// from [memcached.Ketama] for servers on port 11211. Java hashes "host/ip:port"
// for servers that it was given by name; to meet it, give it addresses.
func SpymemcachedKetama(servers []memcached.Server) func(key string) int {
	return ring.SpymemcachedKetama(toRing(servers))
}

// SpymemcachedConsistent is spymemcached's locator CONSISTENT with NATIVE_HASH,
// which it uses unless told otherwise. It spreads keys unevenly.
func SpymemcachedConsistent(servers []memcached.Server) func(key string) int {
	return ring.SpymemcachedConsistent(toRing(servers))
}

// SpymemcachedFNV1 is spymemcached's FNV1_32_HASH with the default locator.
func SpymemcachedFNV1(servers []memcached.Server) func(key string) int {
	return ring.SpymemcachedFNV1(toRing(servers))
}

// SpymemcachedFNV1a is spymemcached's FNV1A_32_HASH with the default locator.
func SpymemcachedFNV1a(servers []memcached.Server) func(key string) int {
	return ring.SpymemcachedFNV1a(toRing(servers))
}

// SpymemcachedFNV1x64 is spymemcached's FNV1_64_HASH with the default locator.
func SpymemcachedFNV1x64(servers []memcached.Server) func(key string) int {
	return ring.SpymemcachedFNV164(toRing(servers))
}

// SpymemcachedFNV1ax64 is spymemcached's FNV1A_64_HASH with the default
// locator.
func SpymemcachedFNV1ax64(servers []memcached.Server) func(key string) int {
	return ring.SpymemcachedFNV1a64(toRing(servers))
}

// Xmemcached is the default of xmemcached: String.hashCode modulo the sum of
// weights (ArrayMemcachedSessionLocator).
func Xmemcached(servers []memcached.Server) func(key string) int {
	return ring.Xmemcached(toRing(servers))
}

// XmemcachedKetama is xmemcached's KetamaMemcachedSessionLocator, which hashes
// Java's printed address: "/10.0.0.1:11211", or "name/10.0.0.1:11211" where
// Java finds a name for it.
func XmemcachedKetama(servers []memcached.Server) func(key string) int {
	return ring.XmemcachedKetama(toRing(servers))
}

// XmemcachedKetamaNginx is xmemcached's KetamaMemcachedSessionLocator(true).
func XmemcachedKetamaNginx(servers []memcached.Server) func(key string) int {
	return ring.XmemcachedKetamaNginx(toRing(servers))
}

// XmemcachedLibmemcached is xmemcached's LibmemcachedMemcachedSessionLocator.
func XmemcachedLibmemcached(servers []memcached.Server) func(key string) int {
	return ring.XmemcachedLibmemcached(toRing(servers))
}

// XmemcachedElection is xmemcached's ElectionMemcachedSessionLocator. Its cost
// grows with the number of servers and their weights.
func XmemcachedElection(servers []memcached.Server) func(key string) int {
	return ring.XmemcachedElection(toRing(servers))
}
