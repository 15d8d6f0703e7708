package ring

import (
	"encoding/binary"
	"hash/crc32"
	"net"
	"strconv"
)

// Circles with a number of points per server, each the hash of a name with a
// number.

// ringBy returns a placement in which a key belongs to the first point at or
// after its hash.
func ringBy(c *circle, h hash) func(key string) int {
	return func(key string) int { return c.points[c.wrap(c.from(h(key)))].index() }
}

// namedPoints fills in points: h of name, separator and number, for each number
// from first on.
func namedPoints(points []point, h hash, name, separator string, first, index int) {
	buf := append(append(make([]byte, 0, 128), name...), separator...)
	for n := range points {
		text := strconv.AppendInt(buf, int64(first+n), 10)
		points[n] = newPoint(h(string(text)), index)
	}
}

// each is for populate: the same number of points for each server, or for each
// unit of weight.
func each(n int) func(Server) int { return func(Server) int { return n } }

func eachWeight(n int) func(Server) int {
	return func(s Server) int { return n * int(min(s.weight(), maxPointWeight)) }
}

// maxPointWeight bounds the memory of rings that have points for each unit of
// weight: what is above it counts as it.
const maxPointWeight = 1000

// libmemcachedPoints is what a server has in libmemcached's ring without
// weights.
const libmemcachedPoints = 100

// LibmemcachedConsistent is libmemcached's DISTRIBUTION_CONSISTENT with its
// default hash: PHP with memcached.default_consistent_hash, pylibmc with ketama.
// With a weight above 1 it has Ketama's points.
func LibmemcachedConsistent(servers []Server) func(key string) int {
	return libmemcachedRing(servers, oneAtATime)
}

// LibmemcachedConsistentMD5 is DISTRIBUTION_CONSISTENT with HASH_MD5.
func LibmemcachedConsistentMD5(servers []Server) func(key string) int {
	return libmemcachedRing(servers, ketamaHash)
}

func libmemcachedRing(servers []Server, h hash) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	for _, s := range servers {
		if s.weight() > 1 {
			return ringBy(ketamaCircle(servers), h)
		}
	}
	return unweightedRing(servers, h)
}

func unweightedRing(servers []Server, h hash) func(key string) int {
	return ringBy(newCircle(populate(servers, each(libmemcachedPoints), func(points []point, i int) {
		namedPoints(points, h, libmemcachedName(servers[i].Addr), "-", 0, i)
	})), h)
}

// XmemcachedLibmemcached is xmemcached's LibmemcachedMemcachedSessionLocator:
// libmemcached's ring with bytes that are not signed, and without weights.
func XmemcachedLibmemcached(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	return unweightedRing(servers, oneAtATimeUnsigned)
}

// SpymemcachedConsistent is spymemcached's CONSISTENT locator with NATIVE_HASH.
func SpymemcachedConsistent(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	last := len(servers) - 1
	pick := ringBy(newCircle(populate(servers, each(pointsPerServer), func(points []point, i int) {
		namedPoints(points, javaHash, servers[i].Addr, "-", 0, last-i) // the later of two wins, as in SpymemcachedKetama
	})), javaHash)
	return func(key string) int { return last - pick(key) }
}

// NPMMemcache is the default of the npm package memcache: 50 points per server.
func NPMMemcache(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	const points = 50
	return ringBy(newCircle(populate(servers, each(points), func(points []point, i int) {
		namedPoints(points, fnv1aFloat, servers[i].Addr, "\x00", 1, i)
	})), fnv1aFloat)
}

// CRCRing is nginx's "hash … consistent" with 160 points, and ketama_points of
// Cache::Memcached::Fast with 150: each point is the CRC-32 of host, NUL, port
// and the point before it.
func CRCRing(points int, servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	return ringBy(newCircle(populate(servers, eachWeight(points), func(points []point, i int) {
		putCRC(points, servers[i].Addr, i)
	})), crc)
}

func putCRC(points []point, addr string, index int) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	base := crc32.ChecksumIEEE([]byte(host + "\x00" + port))
	var previous [4]byte
	for n := range points {
		place := crc32.Update(base, crc32.IEEETable, previous[:])
		points[n] = newPoint(place, index)
		binary.LittleEndian.PutUint32(previous[:], place)
	}
}

// Memcache is the default of PHP's Memcache (PECL): 160 points per server and
// weight, and 1,024 buckets, each of the first point at or after its beginning.
func Memcache(servers []Server) func(key string) int { return bucketRing(servers, crc) }

// MemcacheFNV is PHP's Memcache with memcache.hash_function = fnv.
func MemcacheFNV(servers []Server) func(key string) int { return bucketRing(servers, fnv1aSigned) }

func bucketRing(servers []Server, h hash) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	const buckets = 1024
	c := newCircle(populate(servers, eachWeight(pointsPerServer), func(points []point, i int) {
		namedPoints(points, h, servers[i].Addr, "-", 0, i)
	}))
	var owners [buckets]int32
	for b := range owners {
		owners[b] = int32(c.points[c.wrap(c.from(uint32(b)*(0xffffffff/buckets)))].index())
	}
	return func(key string) int { return int(owners[h(key)%buckets]) }
}
