package ring

import (
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
	"net"
	"strconv"
)

// Dalli is the ring of the Ruby client Dalli (lib/dalli/ring.rb): SHA-1 for the
// servers, CRC-32 for the keys, and a key belongs to the point before it.
// IPv6 addresses are hashed without brackets, Unix sockets by their path.
func Dalli(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	total := float64(totalWeight(servers))
	c := newCircle(populate(servers, func(s Server) int {
		return int(float64(uint64(len(servers))*pointsPerServer*s.weight()) / total)
	}, func(points []point, i int) {
		putDalli(points, dalliName(servers[i].Addr), i)
	}))
	return func(key string) int {
		i := c.after(crc32.ChecksumIEEE(bytesOf(key)))
		if i == 0 {
			i = len(c.points)
		}
		return c.points[i-1].index()
	}
}

// putDalli fills in the points of one server: the first four bytes of the SHA-1
// of each of name:0, name:1 and so on.
func putDalli(points []point, name string, index int) {
	buf := append(make([]byte, 0, 128), name...)
	buf = append(buf, ':')
	for n := range points {
		sum := sha1.Sum(strconv.AppendInt(buf, int64(n), 10))
		points[n] = newPoint(binary.BigEndian.Uint32(sum[:]), index)
	}
}

// dalliName is the name under which Dalli hashes a server: host:port, where
// its parser has taken the brackets from an IPv6 address.
func dalliName(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host + ":" + port
}
