package memcached

import (
	"context"
	"errors"
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
	conns   atomic.Pointer[[]*conn] // replaced under mu
	crowded atomic.Bool             // operations share lanes
	lanes   atomic.Int32            // connections that they share: 1 or 2
	failing atomic.Bool             // health has something to forget when an operation succeeds
	retired atomic.Bool             // SetServers removed the server
	_       cacheLine

	// Written by operations, but for shared ones.
	inFlight atomic.Int32 // operations; those on a lane count as one
	calm     atomic.Int32 // writes in a row that found few operations on a lane
	counters counters
	_        cacheLine

	mu      sync.Mutex // guards what follows
	closed  error      // why no more connections are made
	dialing *dialing   // nil: nobody dials
	health  health
	reaper  *time.Timer
}

// counters are the numbers behind ServerStats.
type counters struct {
	ops, errors, dials, dialErrors atomic.Uint64
}

func newNode(c *Client, a address) *node {
	n := &node{client: c, addr: a}
	n.conns.Store(new([]*conn))
	return n
}

// doWithRetry sends the call on one of the connections, and a second time on a fresh
// one if that is safe. It returns as conn.roundTrip does.
func (n *node) doWithRetry(ctx context.Context, cl *call) (owned bool, err error) {
	if c := n.lane(cl); c != nil {
		repeatable := cl.repeatable()
		if owned, err = c.roundTrip(ctx, cl, true); err == nil {
			n.answered()
			return true, nil
		}
		if !owned || !again(ctx, err, repeatable) {
			n.counters.errors.Add(1)
			return owned, err
		}
		n.client.counters.retries.Add(1)
		cl.reset()
		return n.doUnshared(ctx, cl, true)
	}
	return n.doUnshared(ctx, cl, false)
}

// doUnshared is doWithRetry for a call that is counted in inFlight and in the load of its
// connection. If fresh is set it is the second attempt.
func (n *node) doUnshared(ctx context.Context, cl *call, fresh bool) (owned bool, err error) {
	if !n.enter() {
		return true, &fault{cause: errRetired, unsent: true}
	}
	defer n.leave()
	if !fresh {
		n.counters.ops.Add(1)
	}
	repeatable := cl.repeatable()
	for {
		c, crowd, err := n.pick(ctx, cl, fresh)
		if err != nil {
			n.counters.errors.Add(1)
			return true, err
		}
		owned, err := c.roundTrip(ctx, cl, crowd)
		if owned {
			c.load.Add(-1)
		}
		if err == nil {
			n.answered()
			return true, nil
		}
		if !owned || fresh || !again(ctx, err, repeatable) {
			n.counters.errors.Add(1)
			return owned, err
		}
		n.client.counters.retries.Add(1)
		cl.reset()
		fresh = true
	}
}

// again reports whether a call that failed may be sent a second time.
func again(ctx context.Context, err error, repeatable bool) bool {
	var f *fault
	return errors.As(err, &f) && f.lost && (f.unsent || repeatable) && ctx.Err() == nil
}

// pick chooses a connection and counts the call on it: a free one while there
// are fewer operations than connections, otherwise one that many share.
func (n *node) pick(ctx context.Context, cl *call, fresh bool) (c *conn, crowd bool, err error) {
	conns := *n.conns.Load()
	if len(conns) == 0 || fresh {
		c, err = n.dial(ctx, cl.deadline)
		if err != nil {
			return nil, false, err
		}
		c.load.Add(1)
		return c, n.inFlight.Load() > 1, nil
	}
	if n.isCrowded() && !cl.heavy() {
		c, crowd = conns[0], true
		c.load.Add(1)
	} else {
		c, crowd = n.free(conns)
	}
	return c, crowd, nil
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
	if idle := n.client.opts.IdleTimeout; idle > 0 && n.reaper == nil {
		n.reaper = time.AfterFunc(idle, n.reap)
	}
}

// remove takes a broken connection out.
func (n *node) remove(c *conn) {
	n.mu.Lock()
	conns := slices.DeleteFunc(slices.Clone(*n.conns.Load()), func(other *conn) bool { return other == c })
	n.conns.Store(&conns)
	n.mu.Unlock()
}

// reap closes connections that were idle for too long.
func (n *node) reap() {
	idle := n.client.opts.IdleTimeout
	now := n.client.now()
	next := idle
	for _, c := range *n.conns.Load() {
		unused := time.Duration(now - c.lastRead.Load())
		if unused < idle {
			next = min(next, idle-unused)
			continue
		}
		if c.load.CompareAndSwap(0, 1) {
			c.failIdle()
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed != nil || len(*n.conns.Load()) == 0 {
		n.reaper = nil
		return
	}
	n.reaper.Reset(next)
}

var errIdle = unavailable(errors.New("the connection was idle for Options.IdleTimeout"))

// close ends all connections; operations under way end with cause.
func (n *node) close(cause error) {
	n.mu.Lock()
	if n.closed == nil {
		n.closed = cause
	}
	if n.reaper != nil {
		n.reaper.Stop()
	}
	if n.dialing != nil {
		n.dialing.cancel()
	}
	conns := *n.conns.Load()
	n.mu.Unlock()
	for _, c := range conns {
		c.fail(cause)
	}
}
