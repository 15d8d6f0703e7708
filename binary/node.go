package memcached

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// node is one server: its connections, and whether it is up.
type node struct {
	client *Client
	addr   address

	// Read by every operation and rarely written.
	conns     atomic.Pointer[[]*conn] // replaced under mu
	crowded   atomic.Bool             // there are so many operations that small ones share lanes
	bulky     atomic.Bool             // they are not small
	lanes     atomic.Int32            // connections that they share: 1 or 2
	room      atomic.Int32            // calls that the queue of a connection takes: see also roomGrowing
	dialing   atomic.Pointer[attempt] // the one that operations wait for, replaced under mu; nil: none
	failing   atomic.Bool             // health has something to forget when an operation is answered
	retired   atomic.Bool             // SetServers removed the server
	unsettled *unsettled              // shared by all nodes of one address
	_         cacheLine

	// Written by operations, but for shared ones.
	inFlight atomic.Int32 // operations; those on a lane count as one
	calm     atomic.Int32 // writes in a row that found few operations on a lane
	each     atomic.Int32 // bytes of a request and its response, on average
	large    atomic.Int32 // the same, to see whether they are large
	counters serverCounters
	_        cacheLine

	mu          sync.Mutex    // guards what follows
	closed      error         // why no more connections are made
	suspects    []*conn       // connections that operations do not use: see suspect.go
	leaving     []*conn       // connections that are closed when they are idle: see leave.go
	peer        string        // the address of the connections
	failedPeer  string        // the address that failed last
	strays      int           // connections in a row that led elsewhere
	attempts    []*attempt    // all, oldest first
	connectTook time.Duration // the last that made a connection; 0: none did
	health      health
	recovering  bool // recover runs
	reaper      *time.Timer

	woken chan struct{} // tells recover that the state has changed
}

// newNode returns a node of a server. It is called under Client.mu, or by New.
func newNode(c *Client, a address) *node {
	n := &node{client: c, addr: a, woken: make(chan struct{}, 1), unsettled: c.unsettledOf(a)}
	n.health = health{ejectAfter: c.opts.EjectAfter, retryAfter: c.opts.RetryAfter}
	n.conns.Store(new([]*conn))
	n.room.Store(maxPending)
	return n
}

// pick chooses a connection and counts the call on it: a lane where many small
// operations are in flight, otherwise a free one or that with the fewest. If fresh
// is set it is one that was made for the call or later; tried is the one of these
// on which the call has waited for room already, or nil.
func (n *node) pick(ctx context.Context, cl *call, fresh bool, tried *conn) (c *conn, crowd bool, err error) {
	conns := *n.conns.Load()
	if fresh {
		conns = startingAt(tried, conns)
	}
	if len(conns) == 0 {
		opened, err := n.dial(ctx, cl.deadline, fresh)
		if err != nil {
			return nil, false, err
		}
		if conns = startingAt(opened, *n.conns.Load()); len(conns) == 0 { // it is out of use already
			conns = []*conn{opened}
		}
	}
	if n.isCrowded() && !n.bulky.Load() && !cl.heavy() && len(cl.value) < bulky {
		c, crowd = conns[0], true
		c.load.Add(1)
	} else {
		if few := conns[:n.spread(len(conns))]; len(few) == len(conns) {
			c, crowd = n.free(conns)
		} else {
			c, crowd = n.least(few)
		}
	}
	return c, crowd, nil
}

// startingAt returns c and the connections that were added after it, or none if c is not
// among them.
func startingAt(c *conn, conns []*conn) []*conn {
	if i := slices.Index(conns, c); i >= 0 {
		return conns[i:]
	}
	return nil
}

// spread returns how many of a number of connections bulky operations take: all, or, if
// they are not much too large for a lane, as many as have several to write at once.
func (n *node) spread(conns int) int {
	const several = 6
	if !n.bulky.Load() || !n.crowded.Load() || n.each.Load() >= 3*bulky {
		return conns
	}
	return min(conns, max(2, int(n.inFlight.Load())/several))
}

// free counts the call on a connection without any, or else on the one with the
// fewest.
func (n *node) free(conns []*conn) (c *conn, crowd bool) {
	for _, c := range conns {
		if c.load.CompareAndSwap(0, 1) {
			return c, false
		}
	}
	if len(conns) < n.client.opts.MaxConns {
		n.grow()
	}
	return n.least(conns)
}

// least counts the call on the connection with the fewest.
func (n *node) least(conns []*conn) (c *conn, crowd bool) {
	c = conns[0]
	for _, other := range conns[1:] {
		if other.load.Load() < c.load.Load() {
			c = other
		}
	}
	c.load.Add(1)
	return c, true
}

// add publishes a connection, under mu.
func (n *node) add(c *conn) {
	conns := append(slices.Clone(*n.conns.Load()), c)
	n.conns.Store(&conns)
	n.vacate()
	n.supervise()
}

// remove takes a broken connection out.
func (n *node) remove(c *conn) {
	n.mu.Lock()
	conns := slices.DeleteFunc(slices.Clone(*n.conns.Load()), func(other *conn) bool { return other == c })
	n.conns.Store(&conns)
	n.suspects = slices.DeleteFunc(n.suspects, func(other *conn) bool { return other == c })
	n.leaving = slices.DeleteFunc(n.leaving, func(other *conn) bool { return other == c })
	n.mu.Unlock()
}

// close ends all connections; operations under way end with cause.
func (n *node) close(cause error) {
	n.mu.Lock()
	if n.closed == nil {
		n.closed = cause
	}
	if n.reaper != nil {
		n.reaper.Stop()
	}
	for _, a := range n.attempts {
		a.cancel()
	}
	select {
	case n.woken <- struct{}{}:
	default:
	}
	conns := slices.Concat(*n.conns.Load(), n.suspects, n.leaving)
	n.mu.Unlock()
	for _, c := range conns {
		c.fail(cause)
	}
}
