package memcached

import (
	"context"
	"net"
)

// dialing is a connection attempt that several operations may wait for.
type dialing struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when conn and err are set
	conn   *conn
	err    error
}

// dial returns a new connection. Operations that need one at the same time get
// the same, and when there are Options.MaxConns the newest of them. While the
// server is known to be down it fails fast, except for one operation after each
// pause.
func (n *node) dial(ctx context.Context, deadline int64) (*conn, error) {
	n.mu.Lock()
	if n.closed != nil {
		defer n.mu.Unlock()
		return nil, &fault{cause: n.closed, unsent: true}
	}
	if err := n.health.err; err != nil && (n.dialing != nil || !n.health.mayConnect(n.client.now())) {
		defer n.mu.Unlock()
		return nil, &fault{cause: err, unsent: true}
	}
	d := n.dialing
	if d == nil {
		if conns := *n.conns.Load(); len(conns) >= n.client.opts.MaxConns {
			defer n.mu.Unlock()
			return conns[len(conns)-1], nil // others were faster
		}
		d = n.startDialing()
	}
	n.mu.Unlock()

	if deadline != noDeadline {
		deadline += int64(dialGrace)
	}
	timeout, stop := n.client.timer(deadline)
	defer stop()
	select {
	case <-d.done:
		if d.err != nil {
			return nil, &fault{cause: d.err, unsent: true}
		}
		return d.conn, nil
	case <-ctx.Done():
		return nil, &fault{cause: ctx.Err(), unsent: true}
	case <-timeout:
		return nil, &fault{cause: errDialTimeout, unsent: true}
	}
}

// grow opens another connection in the background, unless that is under way.
func (n *node) grow() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed == nil && n.dialing == nil && n.health.mayConnect(n.client.now()) && len(*n.conns.Load()) < n.client.opts.MaxConns {
		n.startDialing()
	}
}

// startDialing begins a connection attempt, under mu.
func (n *node) startDialing() *dialing {
	ctx, cancel := context.WithTimeout(context.Background(), n.client.opts.dialTimeout())
	d := &dialing{cancel: cancel, done: make(chan struct{})}
	n.dialing = d
	n.client.goroutines.Go(func() {
		defer cancel()
		nc, secure, err := n.connect(ctx)
		n.dialed(d, nc, secure, err)
	})
	return d
}

// dialed ends a connection attempt.
func (n *node) dialed(d *dialing, nc net.Conn, secure bool, err error) {
	n.mu.Lock()
	n.dialing = nil
	defer close(d.done)
	if n.closed != nil {
		if err == nil {
			_ = nc.Close()
		}
		d.err = n.closed
		n.mu.Unlock()
		return
	}
	if err != nil {
		d.err = err
		n.counters.dialErrors.Add(1)
		rebuild := n.followUp(n.health.connectFailed(n.client.now(), err, len(*n.conns.Load()) > 0))
		n.mu.Unlock()
		if rebuild {
			n.client.rebuild()
		}
		return
	}
	d.conn = newConn(n, nc, secure)
	n.add(d.conn)
	n.counters.dials.Add(1)
	rebuild := n.followUp(n.health.connected())
	n.mu.Unlock()
	if rebuild {
		n.client.rebuild()
	}
}
