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

// Ketama is libmemcached's weighted ketama, the default: what PHP with
// OPT_LIBKETAMA_COMPATIBLE, pylibmc with ketama_weighted and the npm package
// memcached use. The defaults of most other clients are something else: package
// placement has them.
func Ketama(servers []Server) func(key string) int { return ring.Ketama(placed(servers)) }

// placed converts servers to what package ring takes.
func placed(servers []Server) []ring.Server {
	converted := make([]ring.Server, len(servers))
	for i, s := range servers {
		converted[i] = ring.Server(s)
	}
	return converted
}
