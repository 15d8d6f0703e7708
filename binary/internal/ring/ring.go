package ring

import (
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"unsafe"
)

// Server is one place where keys can live.
type Server struct {
	// Addr is the server's name as every client of the group must spell it:
	// host:port, [host]:port for IPv6, or the absolute path of a Unix socket.
	// The name and not its resolved address is hashed, so that a server which
	// moves to another IP address keeps its keys.
	Addr string
	// Weight is the server's share relative to the others; below 1 means 1.
	Weight int
}

// pointsPerServer is what libmemcached, spymemcached, Dalli and uhashring all
// give a server of average weight.
const pointsPerServer = 160

// weight is the server's weight, brought into the range that libmemcached can
// express (uint32).
func (s Server) weight() uint64 {
	return uint64(min(max(int64(s.Weight), 1), math.MaxUint32))
}

// totalWeight is the sum of all weights; it cannot overflow, because that would
// take 2^32 servers.
func totalWeight(servers []Server) (total uint64) {
	for _, s := range servers {
		total += s.weight()
	}
	return total
}

// equalWeights reports whether weights make no difference.
func equalWeights(servers []Server) bool {
	for _, s := range servers {
		if s.weight() != servers[0].weight() {
			return false
		}
	}
	return true
}

// few answers the cases that need no ring: nobody to pick from, and no choice.
// Every client this package follows skips hashing for a single server.
func few(n int) (pick func(key string) int, ok bool) {
	switch n {
	case 0:
		return func(string) int { return -1 }, true
	case 1:
		return func(string) int { return 0 }, true
	}
	return nil, false
}

// bytesOf is key as a slice without a copy. Callers must only read it: the hash
// functions do.
func bytesOf(key string) []byte {
	return unsafe.Slice(unsafe.StringData(key), len(key))
}

// point is a place on a circle of 32 bits and what stands there: the place in
// the upper half and an index in the lower, so that points sort by place and
// then by index.
type point uint64

func newPoint(place uint32, index int) point { return point(place)<<32 | point(uint32(index)) }

func (p point) place() uint32 { return uint32(p >> 32) }
func (p point) index() int    { return int(uint32(p)) }

// populate makes the points of all servers: count says how many one server has,
// and put fills in those of servers[i], as many as there is room for. Hashing is
// most of the work of building a ring, so large groups use all processors.
func populate(servers []Server, count func(Server) int, put func(points []point, i int)) []point {
	ends := make([]int, len(servers))
	total := 0
	for i, s := range servers {
		total += count(s)
		ends[i] = total
	}
	points := make([]point, total)
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			start := 0
			if i > 0 {
				start = ends[i-1]
			}
			put(points[start:ends[i]], i)
		}
	}
	const worthwhile = 100 // servers per goroutine
	workers := max(min(runtime.GOMAXPROCS(0), len(servers)/worthwhile), 1)
	var wg sync.WaitGroup
	for w := 1; w < workers; w++ {
		wg.Go(func() { fill(len(servers)*w/workers, len(servers)*(w+1)/workers) })
	}
	fill(0, len(servers)/workers)
	wg.Wait()
	return points
}

// circle holds points in order and finds a place among them in constant time: a
// table, indexed by the highest bits of a place, says where the search begins.
// There are between half as many and as many entries as points, and hashes
// spread evenly, so on average at most one point is passed over.
type circle struct {
	points []point
	starts []uint32 // starts[b] is the first point whose highest bits are at least b
	shift  uint     // a place shifted right by this is its entry in starts
}

// newCircle sorts points into a circle in linear time: a counting sort by the
// highest bits, which also makes the table, then a sort within each entry.
func newCircle(points []point) *circle {
	width := max(bits.Len(uint(len(points)))-1, 1)
	c := &circle{
		points: make([]point, len(points)),
		starts: make([]uint32, 1<<width+1),
		shift:  uint(32 - width),
	}
	for _, p := range points {
		c.starts[p.place()>>c.shift]++
	}
	end := uint32(0)
	for b, count := range c.starts {
		end += count
		c.starts[b] = end
	}
	for _, p := range slices.Backward(points) { // turns ends into starts
		b := p.place() >> c.shift
		c.starts[b]--
		c.points[c.starts[b]] = p
	}
	for b := range len(c.starts) - 1 {
		sortEntry(c.points[c.starts[b]:c.starts[b+1]])
	}
	return c
}

// sortEntry sorts the points of one entry, nearly always none to three.
func sortEntry(points []point) {
	if len(points) > 12 {
		slices.Sort(points)
		return
	}
	for i := 1; i < len(points); i++ {
		for j := i; j > 0 && points[j] < points[j-1]; j-- {
			points[j], points[j-1] = points[j-1], points[j]
		}
	}
}

// from is the position of the first point at or after place; it is
// len(c.points) when there is none.
func (c *circle) from(place uint32) int {
	b := place >> c.shift
	i, end := int(c.starts[b]), int(c.starts[b+1])
	for i < end && c.points[i].place() < place {
		i++
	}
	return i
}

// after is the position of the first point behind place; it is len(c.points)
// when there is none.
func (c *circle) after(place uint32) int {
	b := place >> c.shift
	i, end := int(c.starts[b]), int(c.starts[b+1])
	for i < end && c.points[i].place() <= place {
		i++
	}
	return i
}

// wrap continues at the beginning of the circle behind its end.
func (c *circle) wrap(i int) int {
	if i == len(c.points) {
		return 0
	}
	return i
}
