package memcached

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// dialing is a connection attempt that several operations may wait for.
type dialing struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when conn and err are set
	conn   *conn
	err    error
}

// health is what a node knows of its server. It is guarded by node.mu.
type health struct {
	failures int           // consecutive
	err      error         // the last failure
	pause    time.Duration // before the next attempt
	retryAt  int64         // when that is, on the client's clock
	ejected  bool
}

// dialGrace is how much longer than Options.Timeout an operation waits for a
// connection attempt, which ends by itself before: it knows what is wrong.
const dialGrace = 25 * time.Millisecond

// firstPause is the share of Options.RetryAfter that the first pause takes.
const firstPause = 4

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
	down := n.health.err != nil
	if down && (n.dialing != nil || n.client.now() < n.health.retryAt) {
		defer n.mu.Unlock()
		return nil, &fault{cause: n.health.err, unsent: true}
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

var errDialTimeout = &timeoutError{"no connection within Options.Timeout"}

// grow opens another connection in the background, unless that is under way.
func (n *node) grow() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed == nil && n.dialing == nil && n.client.now() >= n.health.retryAt && len(*n.conns.Load()) < n.client.opts.MaxConns {
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
		changed := n.failed(err)
		n.mu.Unlock()
		if changed {
			n.client.rebuild()
		}
		return
	}
	d.conn = newConn(n, nc, secure)
	n.add(d.conn)
	n.counters.dials.Add(1)
	changed := n.recovered()
	n.mu.Unlock()
	if changed {
		n.client.rebuild()
	}
}

// failed notes, under mu, that no connection could be made, and reports whether
// that ejects the server.
func (n *node) failed(err error) (ejected bool) {
	h := &n.health
	longest := n.client.opts.RetryAfter
	h.pause = min(max(2*h.pause, longest/firstPause), longest)
	jittered := h.pause - time.Duration(rand.Int64N(int64(h.pause)/4+1))
	h.retryAt = n.client.now() + int64(jittered)
	if len(*n.conns.Load()) > 0 {
		return false // it works, and does not take more connections
	}
	if h.err == nil {
		n.client.log().Warn("memcached: server is down", "server", n.addr.name, "error", err)
	}
	h.err = err
	return n.countFailure()
}

// countFailure counts, under mu, a failure of the server, and reports whether
// that ejects it.
func (n *node) countFailure() (ejected bool) {
	n.failing.Store(true)
	h := &n.health
	h.failures++
	limit := n.client.opts.EjectAfter
	if limit == 0 || h.failures < limit || h.ejected || n.closed != nil {
		return false
	}
	h.ejected = true
	n.client.log().Warn("memcached: server is ejected", "server", n.addr.name, "failures", h.failures)
	n.client.goroutines.Go(n.probe)
	return true
}

// recovered notes, under mu, that the server answers, and reports whether it
// was ejected.
func (n *node) recovered() (returned bool) {
	h := &n.health
	returned = h.ejected
	if h.err != nil || returned {
		n.client.log().Info("memcached: server is back", "server", n.addr.name)
	}
	*h = health{}
	n.failing.Store(false)
	return returned
}

// connect dials, encrypts and authenticates.
func (n *node) connect(ctx context.Context) (nc net.Conn, secure bool, err error) {
	opts := &n.client.opts
	dial := opts.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	nc, err = dial(ctx, n.addr.network, n.addr.target)
	switch {
	case err != nil:
		return nil, false, unavailable(dialError(ctx, err))
	case nc == nil:
		return nil, false, unavailable(errors.New("Options.DialContext returned neither a connection nor an error"))
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = nc.SetDeadline(deadline) // before AfterFunc's, which ends the attempt early
	}
	raw := nc // nc is a result: it may become nil while AfterFunc's function runs
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(longAgo) })
	defer stop()
	conn := nc
	if opts.TLS != nil && n.addr.network != "unix" {
		t, err := n.encrypt(ctx, nc)
		if err != nil {
			_ = nc.Close()
			return nil, false, err
		}
		conn = t
	}
	if err := n.handshake(ctx, conn, conn != nc); err != nil {
		_ = nc.Close()
		return nil, false, err
	}
	if !stop() {
		_ = nc.Close()
		return nil, false, unavailable(dialError(ctx, ctx.Err()))
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, conn != nc, nil
}

// encrypt runs the TLS handshake.
func (n *node) encrypt(ctx context.Context, nc net.Conn) (net.Conn, error) {
	config := n.client.opts.TLS
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = n.addr.host
	}
	t := tls.Client(nc, config)
	err := t.HandshakeContext(ctx)
	var notTLS tls.RecordHeaderError
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &notTLS):
		return nil, unavailable(fmt.Errorf("TLS: the server does not speak TLS on this port: %w", err))
	case isTimeout(err):
		return nil, unavailable(fmt.Errorf("TLS: no answer to the handshake; the server may not speak TLS on this port: %w", dialError(ctx, err)))
	case errors.Is(err, io.EOF), isReset(err):
		return nil, unavailable(fmt.Errorf("TLS: the server closed the connection during the handshake; it may not speak TLS on this port, or be out of connections: %w", err))
	default:
		return nil, unavailable(fmt.Errorf("TLS: %w", err))
	}
}

// dialError turns the end of the attempt's own context into a timeout.
func dialError(ctx context.Context, err error) error {
	if ctx.Err() == context.DeadlineExceeded || isTimeout(err) {
		return errDialTimeout
	}
	return err
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
