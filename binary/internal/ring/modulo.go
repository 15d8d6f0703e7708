package ring

import (
	"net"
	"slices"
	"sort"
	"strings"
)

// Placements that take the hash of a key modulo the number of servers, or the
// sum of their weights. When a server is added nearly every key moves, and the
// order of the servers counts.

// modulo picks by h modulo the number of servers. Weights are ignored.
func modulo(servers []Server, h hash) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	n := uint32(len(servers))
	return func(key string) int { return int(h(key) % n) }
}

// weightedModulo picks by h modulo the sum of the weights: a server counts as
// often as its weight.
func weightedModulo(servers []Server, h hash) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	if equalWeights(servers) && servers[0].weight() == 1 {
		return modulo(servers, h)
	}
	ends := make([]uint64, len(servers)) // of each server's share
	total := uint64(0)
	for i, s := range servers {
		total += s.weight()
		ends[i] = total
	}
	return func(key string) int {
		place := uint64(h(key)) % total
		return sort.Search(len(ends), func(i int) bool { return place < ends[i] })
	}
}

// Modulo is gomemcache's placement: CRC-32.
func Modulo(servers []Server) func(key string) int { return modulo(servers, crc) }

// WeightedModulo is CRC-32 modulo the weights: python-memcached with
// useOldServerHashFunction.
func WeightedModulo(servers []Server) func(key string) int { return weightedModulo(servers, crc) }

// Libmemcached is the default of libmemcached, and so of PHP's Memcached and of
// pylibmc: one-at-a-time.
func Libmemcached(servers []Server) func(key string) int { return modulo(servers, oneAtATime) }

// LibmemcachedMD5 and the following are libmemcached's other hashes with its
// default distribution (MODULA).
func LibmemcachedMD5(servers []Server) func(key string) int { return modulo(servers, ketamaHash) }

// LibmemcachedCRC is libmemcached's HASH_CRC, and spymemcached's CRC_HASH.
func LibmemcachedCRC(servers []Server) func(key string) int { return modulo(servers, crc15) }

// LibmemcachedFNV1 is libmemcached's HASH_FNV1_32.
func LibmemcachedFNV1(servers []Server) func(key string) int { return modulo(servers, fnv1Signed) }

// LibmemcachedFNV1a is libmemcached's HASH_FNV1A_32.
func LibmemcachedFNV1a(servers []Server) func(key string) int { return modulo(servers, fnv1aSigned) }

// LibmemcachedFNV164 is libmemcached's HASH_FNV1_64.
func LibmemcachedFNV164(servers []Server) func(key string) int {
	return modulo(servers, fnv1Signed64)
}

// LibmemcachedFNV1a64 is libmemcached's HASH_FNV1A_64.
func LibmemcachedFNV1a64(servers []Server) func(key string) int {
	return modulo(servers, fnv1aSigned64)
}

// LibmemcachedMurmur is libmemcached's HASH_MURMUR.
func LibmemcachedMurmur(servers []Server) func(key string) int { return modulo(servers, murmur2) }

// CRC15 is the default of Cache::Memcached and Cache::Memcached::Fast (Perl),
// and nginx's hash without consistent.
func CRC15(servers []Server) func(key string) int { return weightedModulo(servers, crc15) }

// CRC15Positive is the default of python-memcached, and the standard strategy of
// PHP's Memcache: as CRC15, with 1 where that hashes to 0.
func CRC15Positive(servers []Server) func(key string) int {
	return weightedModulo(servers, crc15Positive)
}

// Spymemcached is the default of spymemcached (Java): String.hashCode.
func Spymemcached(servers []Server) func(key string) int { return modulo(servers, javaHash) }

// SpymemcachedFNV1 and the following are spymemcached's other hashes with its
// default locator (ARRAY_MOD).
func SpymemcachedFNV1(servers []Server) func(key string) int { return modulo(servers, fnv1Units) }

// SpymemcachedFNV1a is spymemcached's FNV1A_32_HASH.
func SpymemcachedFNV1a(servers []Server) func(key string) int { return modulo(servers, fnv1aUnits) }

// SpymemcachedFNV164 is spymemcached's FNV1_64_HASH.
func SpymemcachedFNV164(servers []Server) func(key string) int {
	return modulo(servers, fnv1Units64)
}

// SpymemcachedFNV1a64 is spymemcached's FNV1A_64_HASH.
func SpymemcachedFNV1a64(servers []Server) func(key string) int {
	return modulo(servers, fnv1aUnits64)
}

// Xmemcached is the default of xmemcached (Java): String.hashCode modulo the
// weights.
func Xmemcached(servers []Server) func(key string) int { return weightedModulo(servers, javaHash) }

// Memjs is the default of memjs (Node).
func Memjs(servers []Server) func(key string) int { return modulo(servers, javaScriptHash) }

// NPMMemcacheModulo is ModulaHash of the npm package memcache.
func NPMMemcacheModulo(servers []Server) func(key string) int { return modulo(servers, fnv1aFloat) }

// MC is the default of memcachier/mc (Go): FNV-1a.
func MC(servers []Server) func(key string) int { return modulo(servers, fnv1a) }

// TwemproxyModulo is twemproxy's distribution modula: it sorts the servers by
// name, shorter names first.
func TwemproxyModulo(servers []Server) func(key string) int {
	order := make([]int, len(servers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := shortName(servers[a].Addr), shortName(servers[b].Addr)
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		return strings.Compare(x, y)
	})
	sorted := make([]Server, len(servers))
	for i, at := range order {
		sorted[i] = servers[at]
	}
	pick := weightedModulo(sorted, fnv1aSigned64)
	return func(key string) int {
		if i := pick(key); i >= 0 {
			return order[i]
		}
		return -1
	}
}

// shortName is addr without the port if that is memcached's own.
func shortName(addr string) string {
	if host, port, err := net.SplitHostPort(addr); err == nil && port == "11211" {
		return host
	}
	return addr
}
