package memcached

import "github.com/bmemcached/bmemcached-go/binary/internal/ring"

// Server is one server as a Distribution sees it. Addr is host:port (or the
// path of a Unix socket) built from the name given to New; Weight is at least
// 1.
type Server = ring.Server

// Distribution decides which server holds a key. It is called once per set of
// servers; the pick function that it returns gives the index into servers for
// a key, and must be fast and safe for concurrent use.
type Distribution func(servers []Server) (pick func(key string) int)

// Ketama is libmemcached's weighted ketama, the default: a Go service finds
// what PHP, Python (pylibmc) and C services stored.
func Ketama(servers []Server) func(key string) int { return ring.Ketama(servers) }

// SpymemcachedKetama is the ketama of spymemcached (Java), which differs from
// libmemcached's for servers on port 11211. Java hashes "host/ip:port" for
// servers that it was given by name; to meet it, give it addresses.
func SpymemcachedKetama(servers []Server) func(key string) int {
	return ring.SpymemcachedKetama(servers)
}

// Dalli is the ring of the Ruby client Dalli.
func Dalli(servers []Server) func(key string) int { return ring.Dalli(servers) }

// Modulo is CRC-32 of the key modulo the number of servers, as gomemcache
// picks. Weights are ignored, and adding a server moves nearly every key.
func Modulo(servers []Server) func(key string) int { return ring.Modulo(servers) }

// BMemcached is the ring of python-binary-memcached's DistributedClient, which
// hashes its credentials along: changing the password moves two thirds of the
// keys. Empty strings stand for credentials that are not set.
func BMemcached(username, password string) Distribution {
	return func(servers []Server) func(key string) int {
		return ring.BMemcached(username, password, servers)
	}
}
