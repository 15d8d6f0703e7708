package memcached

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"time"
)

// attempt is an attempt to connect. It runs in the background, limited by
// Options.DialTimeout; operations wait for it while their own time lasts.
type attempt struct {
	began    int64 // on the client's clock
	ctx      context.Context
	cancel   context.CancelFunc
	late     *time.Timer  // calls node.overdue
	slow     atomic.Bool  // calls wait for room no longer because of it: see rebalance.go
	stage    atomic.Int32 // what it waits for: a stage
	counted  bool         // that it failed is known already; guarded by node.mu
	replaced bool         // by another attempt; guarded by node.mu
	worked   bool         // the server has taken connections before
	moved    bool         // its address is a new one of the server's name; guarded by node.mu
	peer     string       // the address that was reached; guarded by node.mu
	proved   bool         // it makes a connection only if an operation is answered on it

	ended chan struct{} // closed when conn and err are set and their consequences known: it ended, or is overdue
	conn  *conn
	err   error
}

// replace ends an attempt that another takes the place of, under mu.
func (a *attempt) replace() {
	a.counted, a.replaced = true, true
	a.cancel()
}

// dial returns a new connection. Operations that need one at the same time get
// the same, and when there are Options.MaxConns the newest of them. If fresh is not
// set a connection that others have made meanwhile will do. While the server is down
// it fails at once.
func (n *node) dial(ctx context.Context, deadline int64, fresh bool) (*conn, error) {
	n.mu.Lock()
	if n.closed != nil {
		defer n.mu.Unlock()
		return nil, &fault{cause: n.closed, unsent: true}
	}
	if err := n.health.err; err != nil {
		defer n.mu.Unlock()
		return nil, &fault{cause: err, unsent: true}
	}
	if conns := *n.conns.Load(); len(conns) > 0 && !fresh {
		defer n.mu.Unlock()
		return conns[0], nil // others were faster
	}
	a := n.dialing.Load()
	if a == nil {
		if n.full() {
			defer n.mu.Unlock()
			return n.newest(), nil // others were faster
		}
		a = n.startAttempt()
		n.dialing.Store(a)
	}
	n.mu.Unlock()

	timeout, stop := n.client.timer(deadline)
	defer stop()
	select {
	case <-a.ended:
		if a.err != nil {
			return nil, &fault{cause: a.err, unsent: true}
		}
		return a.conn, nil
	case <-ctx.Done():
		return nil, &fault{cause: ctx.Err(), unsent: true}
	case <-timeout:
		return nil, &fault{cause: a.waitsFor(errNoConnection), unsent: true}
	}
}

// newest returns, under mu, the newest connection, if possible one that is not
// suspected.
func (n *node) newest() *conn {
	conns := *n.conns.Load()
	if len(conns) == 0 {
		conns = n.suspects
	}
	return conns[len(conns)-1]
}

// grow opens another connection in the background, unless that is under way.
func (n *node) grow() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dialing.Load() == nil && n.mayGrow() {
		n.dialing.Store(n.startAttempt())
	}
}

// mayGrow reports, under mu, whether another connection may be opened.
func (n *node) mayGrow() bool {
	return n.closed == nil && n.health.err == nil && n.client.now() >= n.health.pauses.growAt && !n.full()
}

// startAttempt begins an attempt to connect, under mu.
func (n *node) startAttempt() *attempt {
	a := &attempt{began: n.client.now(), worked: n.counters.dials.Load() > 0, ended: make(chan struct{})}
	a.ctx, a.cancel = context.WithTimeout(context.Background(), n.client.opts.DialTimeout)
	n.attempts = append(n.attempts, a)
	space := n.health.pauses.space(a.began, n.health.retryAfter)
	if limit := n.attemptLimit(); limit > 0 && n.health.state() < down {
		a.late = time.AfterFunc(space+limit, func() { n.overdue(a) })
	}
	slow := time.AfterFunc(space+n.client.silence()/slowPart, func() { n.slowed(a) })
	n.client.goroutines.Go(func() {
		defer a.cancel()
		defer slow.Stop()
		if space > 0 {
			select {
			case <-time.After(space):
			case <-a.ctx.Done():
			}
		}
		nc, secure, err := n.connect(a)
		if a.late != nil {
			a.late.Stop()
		}
		n.dialed(a, nc, secure, err)
	})
	return a
}

// mustProve reports whether an operation has to be answered on the connection of
// an attempt before it is used.
func (n *node) mustProve() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.onTrial()
}

// onTrial is mustProve under mu. A dead connection is reason enough.
func (n *node) onTrial() bool { return n.health.mustProve() || len(n.suspects) > 0 }

// attemptLimit returns how long an attempt may take before the server is down.
func (n *node) attemptLimit() time.Duration {
	if n.onTrial() {
		return n.trialTime()
	}
	return n.client.opts.Timeout
}

// trialTime returns how long a server that was silent has to answer: some times
// as long as the last connection took.
func (n *node) trialTime() time.Duration {
	limit := n.client.opts.DialTimeout
	if timeout := n.client.opts.Timeout; timeout > 0 {
		limit = min(limit, timeout)
	}
	if n.connectTook == 0 {
		return max(limit/4, min(limit, minTrial))
	}
	return min(max(8*n.connectTook, minTrial), limit)
}

// hurry makes, under mu, an attempt that began while nothing was wrong count as one
// that begins now, when a server that was silent has to answer: nobody waits for it
// longer than for a new one.
func (n *node) hurry() {
	if a := n.dialing.Load(); a != nil && a.late != nil && n.onTrial() {
		a.late.Reset(n.trialTime())
	}
}

const minTrial = 50 * time.Millisecond

// reached notes which address an attempt goes on with.
func (n *node) reached(a *attempt, nc net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a.peer = peerOf(nc)
}

// overdue notes that an attempt takes longer than operations wait for it. It
// goes on, and without other connections the server is down meanwhile.
func (n *node) overdue(a *attempt) {
	n.mu.Lock()
	switch {
	case n.closed != nil || n.dialing.Load() != a:
		n.mu.Unlock()
	case len(*n.conns.Load()) > 0:
		a.late.Reset(n.attemptLimit())
		n.mu.Unlock()
	default:
		a.counted = true
		err := a.waitsFor(errNoConnection)
		n.end(a, nil, err)
		n.follow(n.health.connectFailed(n.client.now(), err, false))
		close(a.ended)
	}
}

// end notes, under mu, what came of an attempt for those who wait for it. Closing
// ended tells them: after follow, as who tries again must find what has changed. If
// others wait for room the next attempt follows at once: without one the connections
// that there are would have room for all of them.
func (n *node) end(a *attempt, c *conn, err error) {
	if n.dialing.Load() != a {
		return // nobody waits: it is a probe
	}
	var next *attempt
	if err == nil && n.wantsMore() && n.mayGrow() {
		next = n.startAttempt()
	}
	n.dialing.Store(next)
	a.conn, a.err = c, err
}

// dialed ends an attempt.
func (n *node) dialed(a *attempt, nc net.Conn, secure bool, err error) {
	if err != nil {
		n.dropStale()
	}
	n.mu.Lock()
	n.attempts = slices.DeleteFunc(n.attempts, func(other *attempt) bool { return other == a })
	if n.dialing.Load() == a {
		defer close(a.ended)
	}
	switch {
	case n.closed != nil:
		n.end(a, nil, n.closed)
		n.mu.Unlock()
		if err == nil {
			_ = nc.Close()
		}
	case err != nil:
		n.counters.dialErrors.Add(1)
		n.follow(n.attemptFailed(a, err))
		n.rebalance()
	default:
		n.counters.dials.Add(1)
		n.follow(n.attemptSucceeded(a, nc, secure))
		n.rebalance()
	}
}

// attemptFailed ends, under mu, an attempt that made no connection.
func (n *node) attemptFailed(a *attempt, err error) transition {
	n.end(a, nil, err)
	if a.peer != "" {
		n.failedPeer = a.peer
	}
	if !a.counted {
		return n.health.connectFailed(n.client.now(), err, len(*n.conns.Load()) > 0)
	}
	if !a.replaced && n.health.err != nil {
		n.health.err = err // it says more
	}
	return transition{}
}

// attemptSucceeded ends, under mu, an attempt that made a connection.
func (n *node) attemptSucceeded(a *attempt, nc net.Conn, secure bool) (t transition) {
	n.connectTook = time.Duration(n.client.now() - a.began)
	n.health.pauses.connected()
	if a.proved {
		t = n.health.answered()
	}
	switch {
	case n.health.err != nil: // it fell when the greeting was over, and is tried again
		n.end(a, nil, n.health.err)
		_ = nc.Close()
		return t
	case len(*n.conns.Load()) >= n.client.opts.MaxConns, // it was ejected, and has its connections
		n.isStray(a, nc):
		n.health.pauses.grow(n.client.now(), min(strayPause, n.health.retryAfter))
		n.end(a, n.newest(), nil)
		_ = nc.Close()
	default: // one more than Options.MaxConns, if all others are suspected
		c := newConn(n, nc, secure)
		n.failedPeer = ""
		n.add(c)
		n.end(a, c, nil)
	}
	for _, other := range n.attempts {
		if other != n.dialing.Load() {
			other.replace()
		}
	}
	return t
}
