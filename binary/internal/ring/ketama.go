package ring

import (
	"crypto/md5"
	"encoding/binary"
	"math"
	"net"
	"strconv"
	"strings"
)

// Ketama is libmemcached's weighted ketama: what PHP (with
// OPT_LIBKETAMA_COMPATIBLE), pylibmc (with ketama_weighted) and C programs use.
// Rules from libmemcached 1.1 (hosts.cc, update_continuum, and hash.cc,
// dispatch_host).
//
// The port is part of a server's name unless it is 11211. IPv6 addresses are
// hashed without brackets. A Unix socket is hashed as its path with port 0, as
// memcached_server_add_unix_socket does (pylibmc, PHP's addServers and
// configuration strings go through it); PHP's addServer, alone, hashes the bare
// path.
func Ketama(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	return ringBy(ketamaCircle(servers), ketamaHash)
}

// ketamaCircle has the points of libmemcached's weighted ketama.
func ketamaCircle(servers []Server) *circle {
	total := totalWeight(servers)
	return newCircle(populate(servers, func(s Server) int {
		return 4 * ketamaDigests(s, total, len(servers))
	}, func(points []point, i int) {
		putKetama(points, libmemcachedName(servers[i].Addr), i)
	}))
}

// Twemproxy is the default of twemproxy (servers without names): Ketama's points,
// and the key's place by FNV-1a.
func Twemproxy(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	return ringBy(ketamaCircle(servers), fnv1aSigned64)
}

// XmemcachedKetama is xmemcached's KetamaMemcachedSessionLocator, which hashes
// Java's printed address: "/10.0.0.1:11211", or "name/10.0.0.1:11211" where Java
// finds a name for it. An Addr without a slash is taken for an address.
func XmemcachedKetama(servers []Server) func(key string) int {
	return xmemcachedKetama(servers, func(addr string) string {
		if strings.Contains(addr, "/") {
			return addr
		}
		return "/" + addr
	})
}

// XmemcachedKetamaNginx is KetamaMemcachedSessionLocator(true).
func XmemcachedKetamaNginx(servers []Server) func(key string) int {
	return xmemcachedKetama(servers, libmemcachedName)
}

// xmemcachedKetama has 160 points per server and unit of weight.
func xmemcachedKetama(servers []Server, name func(addr string) string) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	last := len(servers) - 1
	pick := ringBy(newCircle(populate(servers, eachWeight(pointsPerServer), func(points []point, i int) {
		putKetama(points, name(servers[i].Addr), last-i) // as in SpymemcachedKetama
	})), ketamaHash)
	return func(key string) int { return last - pick(key) }
}

// SpymemcachedKetama is the ketama of spymemcached's KetamaConnectionFactory
// (KetamaNodeLocator), which always has the port in a server's name. Servers of
// equal weight count as unweighted.
//
// spymemcached hashes an InetSocketAddress in its printed form: address:port
// for a server given as an IP address, but host/address:port for one given by
// name, where Java could resolve it. Addr is hashed as it is, so such a group is
// matched by passing servers with that form as Addr.
func SpymemcachedKetama(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	weighted := !equalWeights(servers)
	total := totalWeight(servers)
	last := len(servers) - 1
	c := newCircle(populate(servers, func(s Server) int {
		if !weighted {
			return pointsPerServer
		}
		return 4 * ketamaDigests(s, total, len(servers))
	}, func(points []point, i int) {
		// Numbered from the end: where two servers share a place, the later one
		// has it, because its entry replaces the other's in Java's TreeMap.
		putKetama(points, servers[i].Addr, last-i)
	}))
	return func(key string) int {
		return last - c.points[c.wrap(c.from(ketamaHash(key)))].index()
	}
}

// ketamaDigests is the number of MD5 digests, of four points each, that a
// server of this weight gets.
//
// It is computed in 32-bit floats because libmemcached does so, and the rounding
// shows: 25 servers of equal weight get 39 digests each, 24 get 40. The explicit
// conversions keep the compiler from fusing a multiplication with the addition.
func ketamaDigests(s Server, total uint64, servers int) int {
	share := float32(s.weight()) / float32(total)
	digests := float32(share * pointsPerServer)
	digests = float32(digests / 4)
	digests = float32(digests * float32(servers))
	return int(math.Floor(float64(digests + 1e-10)))
}

// putKetama fills in the points of one server: four from the MD5 of each of
// name-0, name-1 and so on.
func putKetama(points []point, name string, index int) {
	buf := append(make([]byte, 0, 128), name...)
	buf = append(buf, '-')
	for n := range len(points) / 4 {
		sum := md5.Sum(strconv.AppendInt(buf, int64(n), 10))
		for at := range 4 {
			points[4*n+at] = newPoint(binary.LittleEndian.Uint32(sum[4*at:]), index)
		}
	}
}

// ketamaHash is the place of a key: the first four bytes of its MD5.
func ketamaHash(key string) uint32 {
	sum := md5.Sum(bytesOf(key))
	return binary.LittleEndian.Uint32(sum[:])
}

// libmemcachedName is the name under which libmemcached hashes a server.
func libmemcachedName(addr string) string {
	if strings.HasPrefix(addr, "/") {
		return addr + ":0"
	}
	host, port, err := net.SplitHostPort(addr)
	switch {
	case err != nil:
		return addr
	case port == "11211":
		return host
	}
	return host + ":" + port
}
