package memcached

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// A connection on which an operation ran out of time may be dead: a load
// balancer can forget it without a word. So it is suspected, together with those
// on which nothing was read since the operation began, and operations use others
// until something is read from it.

// tellingSilence is how long an operation must have waited to say something of
// the connection: a healthy server on a busy machine takes milliseconds.
const tellingSilence = 25 * time.Millisecond

// doubt suspects the connection when an operation on it, begun at the given
// time, ended for lack of time and nothing was read meanwhile.
func (c *conn) doubt(began int64, cause error) {
	switch {
	case began == 0 || c.lastRead.Load() > began || errors.Is(cause, context.Canceled):
	case c.node.client.now()-began >= int64(tellingSilence):
		c.node.suspect(began)
	}
}

// suspect takes the connections out of use on which nothing was read since the
// given time. Those without operations are asked.
func (n *node) suspect(since int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed != nil {
		return
	}
	var trusted []*conn
	for _, c := range *n.conns.Load() {
		if c.lastRead.Load() > since {
			trusted = append(trusted, c)
			continue
		}
		c.suspected.Store(true)
		if c.lastRead.Load() > since { // the reader may not have seen the mark
			c.suspected.Store(false)
			trusted = append(trusted, c)
			continue
		}
		n.suspects = append(n.suspects, c)
		if c.load.CompareAndSwap(0, 1) {
			n.client.goroutines.Go(func() { n.ask(c) })
		}
	}
	n.conns.Store(&trusted)
	n.vacate()
	n.hurry()
}

// ask sends an operation on a suspected connection. It ends with an answer, or
// like every operation that gets none.
func (n *node) ask(c *conn) {
	cl := n.client.newCall(wire.OpGet, proofKey)
	cl.prefix, cl.deadline = "", n.client.now()+int64(n.client.silence())
	if owned, _ := c.roundTrip(context.Background(), cl, false); owned {
		c.load.Add(-1)
		cl.free()
	}
}

// trust takes a connection into use again when something was read from it.
func (n *node) trust(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.Index(n.suspects, c)
	if i < 0 {
		return
	}
	n.suspects = slices.Delete(n.suspects, i, i+1)
	c.suspected.Store(false)
	n.add(c)
	// The name has moved meanwhile, or another has taken its place.
	if peerOf(c.nc) != n.peer || len(*n.conns.Load()) > n.client.opts.MaxConns {
		n.dismiss(func(other *conn) bool { return other == c })
	}
}

// isDeadFlow reports, under mu, whether the server answered on other connections
// while one was silent since the given time.
func (n *node) isDeadFlow(since int64) bool {
	return slices.ContainsFunc(*n.conns.Load(), func(c *conn) bool {
		return c.received.Load() > 0 && c.lastRead.Load() > since
	})
}

// open returns, under mu, how many connections there are.
func (n *node) open() int { return len(*n.conns.Load()) + len(n.suspects) + len(n.leaving) }

// full reports, under mu, whether there are Options.MaxConns connections. When all
// of them are suspected there may be one more: the operations need one that works.
// Those that leave do not keep it away.
func (n *node) full() bool {
	if len(*n.conns.Load()) == 0 {
		return len(n.suspects) > n.client.opts.MaxConns
	}
	return n.open() >= n.client.opts.MaxConns
}
