package binary

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// calmAfter is how many operations in a row must find a free connection before
// a node spreads them again. It keeps a busy client from falling back whenever
// a batch of responses empties the queue for a moment.
const calmAfter = 128

// secondShared is from how many calls on the first connection on a second one
// is shared too.
const secondShared = 128

// node is one server: its connections, and whether it is up.
type node struct {
	client *Client
	addr   address

	conns    atomic.Pointer[[]*conn] // replaced under mu
	inFlight atomic.Int32            // operations
	crowded  atomic.Bool             // operations are concentrated on one connection
	calm     atomic.Int32            // operations in a row that found few others
	counters counters
	suspect  atomic.Bool // health has something to forget when an operation succeeds
	retired  atomic.Bool // SetServers removed the server

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

// do sends the call on one of the connections, and a second time on a fresh
// one if that is safe. It returns as conn.do does.
func (n *node) do(ctx context.Context, cl *call) (mine bool, err error) {
	if !n.enter() {
		return true, &fault{cause: errRetired, unsent: true}
	}
	defer n.leave()
	n.counters.ops.Add(1)
	repeatable := cl.repeatable()
	for attempt := 0; ; attempt++ {
		c, crowd, err := n.pick(ctx, cl, attempt > 0)
		if err != nil {
			n.counters.errors.Add(1)
			return true, err
		}
		mine, err := c.do(ctx, cl, crowd)
		if mine {
			c.load.Add(-1)
		}
		if err == nil {
			n.answered()
			return true, nil
		}
		var f *fault
		if mine && attempt == 0 && errors.As(err, &f) && f.lost && (f.unsent || repeatable) && ctx.Err() == nil {
			n.client.counters.retries.Add(1)
			cl.reset()
			continue
		}
		n.counters.errors.Add(1)
		return mine, err
	}
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
		c, crowd = n.shared(conns), true
		c.load.Add(1)
	} else {
		c, crowd = n.free(conns)
	}
	return c, crowd, nil
}

// shared returns the connection on which operations are concentrated: the
// first, and with very many operations the second in turn, so that one is
// filled while the other is emptied.
func (n *node) shared(conns []*conn) *conn {
	c := conns[0]
	load := c.load.Load()
	if load < secondShared || n.client.opts.MaxConns < 2 {
		return c
	}
	if len(conns) < 2 {
		n.grow()
		return c
	}
	if conns[1].load.Load() < load {
		return conns[1]
	}
	return c
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

// isCrowded reports whether operations are to be concentrated: at once when
// there are more of them than connections, and until calmAfter operations in a
// row have found fewer.
func (n *node) isCrowded() bool {
	if int(n.inFlight.Load()) > n.client.opts.MaxConns {
		if !n.crowded.Load() {
			n.crowded.Store(true)
		}
		if n.calm.Load() != 0 {
			n.calm.Store(0)
		}
		return true
	}
	if !n.crowded.Load() {
		return false
	}
	if n.calm.Add(1) < calmAfter {
		return true
	}
	n.crowded.Store(false)
	return false
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
			c.fail(errIdle)
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
