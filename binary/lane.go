package memcached

import (
	"sync"
	"sync/atomic"
)

// A lane is a connection that many operations share while a node is crowded:
// their requests go out in one write and their responses come in one read.
//
// What every operation on a lane writes to costs most when several processors
// do so in turn. So operations on a lane are not counted one by one: the
// connection counts as one operation of its node while anything is on the lane,
// and whoever writes or reads for many adds up for all. With two lanes a
// processor keeps to one of them.

const (
	// shareFrom is how many operations in flight share a lane. Fewer have a
	// connection each: those that share one wait for each other's batch, and
	// between batches client and server sleep in turn.
	shareFrom = 6
	// secondLane is how many bytes on their way on the lane, there and back,
	// open a second one. An estimate of them is up to twice as high for a moment,
	// and two lanes are slower than one for 64 small operations.
	secondLane = 40 << 10
	// oneLane is how many bytes on their way on one of two lanes keep both open.
	oneLane = secondLane / 4
	// bulky is how many bytes there and back make an operation too large for a
	// lane: who reads it keeps the others waiting. Operations of that size, on
	// average, take the connection that has the fewest. They share lanes again
	// when they are half as large.
	bulky = 1 << 10
	// calmAfter is how many writes in a row must find few operations before
	// there is a lane less. It keeps a busy client from falling back whenever
	// a batch of responses empties the lane for a moment.
	calmAfter = 128
	// manyPending calls on a connection are so many that others always follow.
	manyPending = 16
	// fewShare is up to how many calls on a connection, the most of late, the
	// scheduler is told of its reads: see conn.fill.
	fewShare = 16
	// forget is the part of the difference by which laneUse.most goes down with a
	// write that found less.
	forget = 16
)

// laneUse is what a connection knows of the calls that share it. It is guarded by
// conn.mu.
type laneUse struct {
	held     bool   // calls share it: it counts in conn.load and in node.inFlight
	ops      uint64 // calls that share it and that node.counters does not know of yet
	most     int    // calls that were pending at a write, the most of late
	received uint64 // conn.received at the last write
	requests uint32 // outbox.opaque at the last write
}

// cacheLine keeps what different processors write to apart.
type cacheLine [64]byte

// lane returns the connection to share, or nil if the call is to have one for
// itself.
func (n *node) lane(cl *call) *conn {
	if !n.crowded.Load() || n.bulky.Load() || cl.heavy() {
		return nil
	}
	conns := *n.conns.Load()
	if len(conns) == 0 {
		return nil
	}
	cl.shared = true
	c := conns[0]
	p := processors.Get().(*processor)
	cl.shard = p.shard
	if len(conns) > 1 && n.lanes.Load() > 1 {
		c = p.keep(conns)
	}
	processors.Put(p)
	return c
}

// shareFrom is how many operations share lanes: where there are fewer
// connections than that, more than there are connections.
func (n *node) shareFrom() int { return min(shareFrom, n.client.opts.MaxConns+1) }

// isCrowded reports whether operations are to share lanes: from when there are
// shareFrom of them until adapt finds that there are few.
func (n *node) isCrowded() bool {
	if n.crowded.Load() {
		return true
	}
	if int(n.inFlight.Load()) < n.shareFrom() {
		return false
	}
	n.calm.Store(0)
	n.lanes.Store(1)
	n.crowded.Store(true)
	return true
}

// adapt takes note of how many operations a write found on a lane, and how many
// bytes they come to.
func (n *node) adapt(operations, bytes int) {
	two := n.lanes.Load() > 1
	if !two && operations >= n.shareFrom() || two && bytes >= oneLane {
		if n.calm.Load() != 0 {
			n.calm.Store(0)
		}
		if !two && bytes >= secondLane {
			n.widen()
		}
		return
	}
	if n.calm.Add(1) < calmAfter {
		return
	}
	n.calm.Store(0)
	if two {
		n.lanes.Store(1)
	} else {
		n.crowded.Store(false)
	}
}

// widen opens a second lane.
func (n *node) widen() {
	if n.lanes.Load() > 1 || n.client.opts.MaxConns < 2 {
		return
	}
	n.lanes.Store(2)
	if len(*n.conns.Load()) < 2 {
		n.grow()
	}
}

// refuse counts a call that was not enqueued, unless it goes to another server or
// chooses another connection.
func (c *conn) refuse(cl *call, f *fault) *fault {
	if cl.shared && !isRetired(f.cause) && f.cause != errElsewhere {
		c.node.counters.ops.Add(1)
	}
	return f
}

// share counts, under mu, a call that shares the connection. It returns false
// when SetServers removed the server.
func (c *conn) share() bool {
	if !c.lane.held {
		if !c.node.enter() {
			return false
		}
		c.lane.held = true
		c.load.Add(1)
	}
	c.lane.ops++
	return true
}

// unshare ends, under mu, the sharing of the connection, whose queue is empty.
// If it returns true the connection counted as an operation of the node, and
// node.leave has to follow when mu is released.
func (c *conn) unshare() bool {
	if !c.lane.held {
		return false
	}
	c.lane.held = false
	c.load.Add(-1)
	return true
}

// survey looks, under mu, at what n bytes that are about to be written join: how
// many of the calls share the connection and were not counted yet, how many are
// pending, and about how many bytes these come to, there and back.
func (c *conn) survey(n int) (ops uint64, pending, bytes int) {
	pending = c.pending()
	received, l := c.received.Load(), &c.lane
	each := c.node.weigh(int(received-l.received)+n, int(c.out.opaque-l.requests))
	ops, l.ops = l.ops, 0
	l.received, l.requests = received, c.out.opaque
	if l.most = max(l.most, pending); l.most > pending {
		l.most -= (l.most - pending + forget - 1) / forget
	}
	if few := l.most <= fewShare; few != c.few.Load() {
		c.few.Store(few)
	}
	return ops, pending, pending * each
}

// weigh takes note that requests came to a number of bytes, there and back, and
// returns the average. A few very large ones among many do not make it bulky.
func (n *node) weigh(bytes, requests int) (average int) {
	each := bytes / max(requests, 1)
	average = blend(&n.each, min(each, 4*bulky))
	if room := roomFor(blend(&n.large, min(each, 2*alone))); room != n.room.Load() {
		n.room.Store(room)
	}
	if is := n.bulky.Load(); !is && average >= bulky || is && average < bulky/2 {
		n.bulky.Store(!is)
	}
	return average
}

// blend adds a value to a moving average.
func blend(average *atomic.Int32, value int) int {
	const weight = 16 // of what was before
	before := int(average.Load())
	after := before + (value-before)/weight
	if after != before {
		average.Store(int32(after)) // of two at the same time one counts
	}
	return after
}

// expectsMore reports, under mu, whether other calls are likely to follow at
// once: when fewer are pending than of late, as the callers who were answered
// come back, and where there are so many that some always do. Who yields to
// nobody wakes up a thread for nothing; who does not wait for those who come back
// writes two batches where one would do, and these stay apart.
func (c *conn) expectsMore() bool {
	pending := c.pending()
	return pending < c.lane.most || pending > manyPending
}

// processor is what one of the processors that run goroutines keeps to. The
// pool hands each its own again, mostly.
type processor struct {
	shard uint32 // of getCounters
	lane  int
	uses  int
	_     cacheLine
}

var processors = sync.Pool{New: func() any {
	i := nextShard.Add(1)
	return &processor{shard: i % shards, lane: int(i % 2)}
}}

// checkEvery is how often a processor uses its lane before it looks whether the
// other lies idle, and changeAfter how often in a row it has to.
const (
	checkEvery  = 64
	changeAfter = 4 * checkEvery
)

// keep returns the processor's lane, one of the first two of conns. When the
// other lies idle, as two processors keep to one, it changes over.
func (p *processor) keep(conns []*conn) *conn {
	if p.uses++; p.uses%checkEvery == 0 {
		switch {
		case conns[1-p.lane].load.Load() > 0:
			p.uses = 0
		case p.uses >= changeAfter:
			p.uses, p.lane = 0, 1-p.lane
		}
	}
	return conns[p.lane]
}
