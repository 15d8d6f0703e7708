package ring

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"slices"
	"strconv"
)

// BMemcached is the ring of python-binary-memcached's DistributedClient, which
// is uhashring's HashRing over 160 MD5 digests per server. Weights are ignored,
// because that client has none.
//
// The username and password are part of a server's name there: changing the
// password moves most keys. An empty string stands for one that is not set
// (None). The name is the server as the Python program spells it, so a group
// that is listed there without ports only matches when Addr has none.
func BMemcached(username, password string, servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	suffix := "_" + orNone(username) + "_" + orNone(password)
	w := newWide(servers, suffix)
	return func(key string) int { return w.pick(md5.Sum(bytesOf(key))) }
}

// orNone is how Python formats an optional string.
func orNone(s string) string {
	if s == "" {
		return "None"
	}
	return s
}

// wide is a circle of 128 bits. The circle inside it orders points by their
// upper 32 bits; digests settles what is left.
type wide struct {
	circle
	digests [][md5.Size]byte // in the order of circle.points, as big-endian numbers
	servers []int32          // likewise
}

func newWide(servers []Server, suffix string) *wide {
	digests := make([][md5.Size]byte, len(servers)*pointsPerServer)
	points := populate(servers, func(Server) int {
		return pointsPerServer
	}, func(points []point, i int) {
		first := i * pointsPerServer
		buf := append(make([]byte, 0, 128), servers[i].Addr...)
		buf = append(buf, suffix...)
		buf = append(buf, '-')
		for n := range points {
			sum := md5.Sum(strconv.AppendInt(buf, int64(n), 10))
			points[n] = newPoint(binary.BigEndian.Uint32(sum[:]), first+n)
			digests[first+n] = sum
		}
	})
	w := &wide{circle: *newCircle(points)}
	w.sortTies(digests)
	w.digests = make([][md5.Size]byte, len(points))
	w.servers = make([]int32, len(points))
	for i, p := range w.points {
		w.digests[i] = digests[p.index()]
		w.servers[i] = int32(p.index() / pointsPerServer)
	}
	return w
}

// sortTies orders points that share their upper 32 bits by the whole digest,
// and of equal digests (a server that is listed twice) the last first: in
// Python's dict the later entry has replaced the other.
func (w *wide) sortTies(digests [][md5.Size]byte) {
	for i := 0; i < len(w.points); {
		end := i + 1
		for end < len(w.points) && w.points[end].place() == w.points[i].place() {
			end++
		}
		slices.SortFunc(w.points[i:end], func(a, b point) int {
			if c := bytes.Compare(digests[a.index()][:], digests[b.index()][:]); c != 0 {
				return c
			}
			return b.index() - a.index()
		})
		i = end
	}
}

// pick finds the first point behind hash.
func (w *wide) pick(hash [md5.Size]byte) int {
	i := w.from(binary.BigEndian.Uint32(hash[:]))
	for i < len(w.digests) && bytes.Compare(w.digests[i][:], hash[:]) <= 0 {
		i++
	}
	return int(w.servers[w.wrap(i)])
}
