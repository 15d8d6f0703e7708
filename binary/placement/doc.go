// Package placement has the ways in which other memcached clients decide which
// server holds a key. With the other client's placement a Go service finds what
// that client stored, and deletes what it would find:
//
//	client, err := memcached.New(servers, &memcached.Options{
//		Distribution: placement.PHPMemcached,
//	})
//
// Most clients do not use ketama unless they are told to, so most need one of
// these, or a change of their own settings to libmemcached's weighted ketama,
// which is [memcached.Ketama], the default. With a single server none of this
// matters.
//
// Each function is a [memcached.Distribution] or returns one. They are pure
// functions of the servers' names and weights and of the key, and are compared
// with recordings of the clients themselves. What they need:
//
//   - The same names. Where a ring hashes a server's name, both sides must spell
//     it alike: an address and a name of one server are two.
//   - The same order, where a function takes a hash modulo the number of servers
//     or the sum of weights: most of the defaults do.
//   - The key as the other side hashes it. Some clients add a prefix on the wire
//     that is not part of the placement: see [WithoutPrefix].
//   - Text keys. Clients in Java, JavaScript and Python hash characters; for keys
//     that are not UTF-8 there is no counterpart.
//
// Where a ring has points for each unit of weight, weights above 1,000 count as
// 1,000.
package placement

import (
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// toRing converts servers.
func toRing(servers []memcached.Server) []ring.Server {
	converted := make([]ring.Server, len(servers))
	for i, s := range servers {
		converted[i] = ring.Server{Addr: s.Addr, Weight: s.Weight}
	}
	return converted
}

// WithoutPrefix places a key that begins with prefix by what follows it. PHP's
// OPT_PREFIX_KEY, libmemcached's and pymemcache's prefixes and the namespace of
// Perl's clients are added on the wire only; Dalli's namespace, Django's
// KEY_PREFIX and the namespace of the npm package memcached take part in the
// placement and need no WithoutPrefix. A nil d means [memcached.Ketama].
func WithoutPrefix(prefix string, d memcached.Distribution) memcached.Distribution {
	if d == nil {
		d = memcached.Ketama
	}
	return func(servers []memcached.Server) func(key string) int {
		pick := d(servers)
		if pick == nil {
			return nil // the client names the mistake
		}
		return func(key string) int { return pick(strings.TrimPrefix(key, prefix)) }
	}
}
