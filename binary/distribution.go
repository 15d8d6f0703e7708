package memcached

import "github.com/bmemcached/bmemcached-go/binary/internal/ring"

// Server is one server as a Distribution sees it.
type Server struct {
	// Addr is host:port, [host]:port for IPv6, or the path of a Unix socket. It
	// is made from the name given to New, and not resolved: a server that moves
	// to another IP address keeps its keys.
	Addr string
	// Weight is the server's share of the keys relative to the others: 1 or
	// more.
	Weight int
}

// Distribution decides which server holds a key. It is called once per set of
// servers; the pick function that it returns gives the index into servers for
// a key, and must be fast and safe for concurrent use.
type Distribution func(servers []Server) (pick func(key string) int)

// Ketama is libmemcached's weighted ketama, the default: a Go service finds
// what PHP, Python (pylibmc) and C services stored.
func Ketama(servers []Server) func(key string) int { return ring.Ketama(placed(servers)) }

// SpymemcachedKetama is the ketama of spymemcached (Java), which differs from
// libmemcached's for servers on port 11211. Java hashes "host/ip:port" for
// servers that it was given by name; to meet it, give it addresses.
func SpymemcachedKetama(servers []Server) func(key string) int {
	return ring.SpymemcachedKetama(placed(servers))
}

// Dalli is the ring of the Ruby client Dalli.
func Dalli(servers []Server) func(key string) int { return ring.Dalli(placed(servers)) }

// Modulo is CRC-32 of the key modulo the number of servers, as gomemcache
// picks. Weights are ignored, and adding a server moves nearly every key.
func Modulo(servers []Server) func(key string) int { return ring.Modulo(placed(servers)) }

// BMemcached is the ring of python-binary-memcached's DistributedClient, which
// hashes its credentials along: changing the password moves two thirds of the
// keys. Empty strings stand for credentials that are not set.
func BMemcached(username, password string) Distribution {
	return func(servers []Server) func(key string) int {
		return ring.BMemcached(username, password, placed(servers))
	}
}

// placed converts servers to what package ring takes.
func placed(servers []Server) []ring.Server {
	converted := make([]ring.Server, len(servers))
	for i, s := range servers {
		converted[i] = ring.Server(s)
	}
	return converted
}
