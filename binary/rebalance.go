package memcached

import (
	"errors"
	"slices"
)

// After a start thousands of callers come to the first connection before there is
// a second. Who is in the queue of a connection stays there, and the server serves
// all connections alike: the last of that queue would wait several times as long as
// those who come later. So a connection takes fewer calls while another one is being
// opened. The others wait for room, and choose again when it is there, or have room as
// before when that takes long.

// maxGrowing bounds, about, the bytes of the calls in flight on one connection
// while another is being opened: enough to keep server and network busy, and less
// than each connection gets when thousands of large operations are spread.
const maxGrowing = 512 << 10

// slowPart is the part of Options.Timeout after which calls wait no longer for a
// connection that is being opened: they need the time for an answer.
const slowPart = 4

// errElsewhere tells a caller that waited for room to choose a connection again.
var errElsewhere = errors.New("another connection has room")

// roomGrowing returns, under mu, how many calls the queue takes while another
// connection is being opened, if so many are pending. These tell how large a
// request is, the node how large it is with its response. Small ones are not held
// back: they are answered soon.
func (c *conn) roomGrowing(pending int) int {
	each := max(int(c.out.queued-c.answered.Load())/max(pending, 1), int(c.node.large.Load()))
	if each < bulky {
		return maxPending
	}
	return max(1, maxGrowing/each)
}

// wantsMore reports whether callers wait for room who would use another connection.
func (n *node) wantsMore() bool {
	return slices.ContainsFunc(*n.conns.Load(), func(c *conn) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return slices.ContainsFunc(c.waiting, func(cl *call) bool { return !cl.staysInLane() })
	})
}

// rebalance follows an attempt to connect, when it ends and when it is slow: where
// there are more calls than on the average connection, callers that wait for room
// choose again.
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

// slowed lets callers have room as if nothing was being opened: the attempt takes long.
func (n *node) slowed(a *attempt) {
	a.slow.Store(true)
	n.rebalance()
}

// staysInLane reports whether a call that waits for room in a lane is to stay there.
// Operations come to lanes that are large where others were small so far: these are
// not.
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

// vacate makes, under mu, all callers that wait for room on a connection that is out
// of use choose again. On one that is suspected they stay while there is no other.
func (n *node) vacate() {
	unused := n.leaving
	if len(*n.conns.Load()) > 0 {
		unused = slices.Concat(unused, n.suspects)
	}
	for _, c := range unused {
		c.sendAllAway()
	}
}

// isReplaced reports, under mu, whether the connection went out of use after it was
// chosen: then vacate may have been there already, and nobody would wake who waits for
// room now. Where there is no other, callers stay.
func (c *conn) isReplaced() bool {
	conns := *c.node.conns.Load()
	return len(conns) > 0 && !slices.Contains(conns, c)
}

// sendAllAway makes all callers that wait for room choose again.
func (c *conn) sendAllAway() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cl := range c.waiting {
		cl.wake <- signalElsewhere
	}
	c.waiting = nil
	c.hasWaiting.Store(false)
}

// sendAway makes n callers that wait for room choose again, those that came last,
// and admits others if there is room now. Small operations stay in their lane.
func (c *conn) sendAway(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := max(0, len(c.waiting)-max(0, n))
	stay := slices.DeleteFunc(c.waiting[first:], func(cl *call) bool {
		if cl.staysInLane() {
			return false
		}
		cl.wake <- signalElsewhere // from here on it may be its caller's again
		return true
	})
	c.waiting = c.waiting[:first+len(stay)]
	c.hasWaiting.Store(len(c.waiting) > 0)
	c.admit()
}
