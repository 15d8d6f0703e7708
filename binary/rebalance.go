package memcached

import (
	"errors"
	"slices"
)

// After a start thousands of callers come to the first connection before there is
// a second. Who is in the queue of a connection stays there, and the server serves
// all connections alike: the last of that queue would wait several times as long as
// those who come later. So a connection takes fewer calls while another one is being
// opened. The others wait for room, and choose again when it is there.

// maxGrowing bounds, about, the bytes of the calls in flight on one connection
// while another is being opened: enough to keep server and network busy, and less
// than the share that a connection has of many large operations.
const maxGrowing = 512 << 10

// errElsewhere tells a caller that waited for room to choose a connection again.
var errElsewhere = errors.New("another connection has room")

// roomGrowing returns, under mu, how many calls the queue takes while another
// connection is being opened, if so many are pending. These tell how large a
// request is, the node how large it is with its response. Small ones stay: they
// are answered soon.
func (c *conn) roomGrowing(pending int) int {
	each := max(int(c.out.queued-c.answered.Load())/max(pending, 1), int(c.node.large.Load()))
	if each < bulky {
		return maxPending
	}
	return max(1, maxGrowing/each)
}

// isFilled reports whether callers wait for room on a connection.
func (n *node) isFilled() bool {
	return slices.ContainsFunc(*n.conns.Load(), func(c *conn) bool { return c.hasWaiting.Load() })
}

// rebalance follows an attempt to connect: where there are more calls than on the
// average connection, callers that wait for room choose again.
func (n *node) rebalance() {
	conns := *n.conns.Load()
	each, all := make([]int, len(conns)), 0
	for i, c := range conns {
		each[i] = c.calls()
		all += each[i]
	}
	for i, c := range conns {
		c.sendAway(each[i] - (all+len(conns)-1)/len(conns))
	}
}

// staysInLane reports whether a call that waits for room is to share the lane all
// the same. Operations that were small so far and are large now come to lanes, too.
func (cl *call) staysInLane() bool { return cl.shared && len(cl.value) < bulky }

// calls returns how many calls use the connection. Those in a lane count as one, but
// for the large ones that wait for room.
func (c *conn) calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int(c.load.Load())
	for _, cl := range c.waiting {
		if cl.shared && !cl.staysInLane() {
			n++
		}
	}
	return n
}

// sendAway makes n callers that wait for room choose again, those that came last,
// and admits others if there is room now. Small operations stay in their lane.
func (c *conn) sendAway(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stay := max(0, len(c.waiting)-max(0, n))
	left := slices.DeleteFunc(c.waiting[stay:], func(cl *call) bool {
		if cl.staysInLane() {
			return false
		}
		cl.wake <- signalElsewhere // its caller may have it from here on
		return true
	})
	c.waiting = c.waiting[:stay+len(left)]
	c.hasWaiting.Store(len(c.waiting) > 0)
	c.admit()
}
