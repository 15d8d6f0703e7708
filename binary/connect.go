package memcached

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// stage is what an attempt to connect waits for.
type stage = int32

const (
	stageConnect stage = iota
	stageTLS
	stageGreeting
	stageAuth
	stageCredentials
	stageProof
)

// waitsFor returns why an attempt is not over yet. timeout is the limit that was
// reached.
func (a *attempt) waitsFor(timeout error) error {
	switch a.stage.Load() {
	case stageTLS:
		return unavailable(fmt.Errorf("TLS: no answer to the handshake; the server may not speak TLS on this port: %w", timeout))
	case stageGreeting:
		if a.worked {
			return unavailable(fmt.Errorf("the server takes connections and does not answer: %w", timeout))
		}
		return unavailable(fmt.Errorf("no answer to a binary request: the server may speak only the text protocol (memcached -B ascii) or expect TLS: %w", timeout))
	case stageAuth:
		return unavailable(fmt.Errorf("the server stopped answering during authentication: %w", timeout))
	case stageCredentials:
		return unavailable(fmt.Errorf("no credentials yet: %w", timeout))
	case stageProof:
		return unavailable(fmt.Errorf("%w: %w", errUnproved, timeout))
	default:
		return unavailable(timeout)
	}
}

// connect dials, encrypts and authenticates.
func (n *node) connect(a *attempt) (nc net.Conn, secure bool, err error) {
	ctx, opts := a.ctx, &n.client.opts
	switch {
	case opts.DialContext != nil:
		nc, err = opts.DialContext(ctx, n.addr.network, n.addr.target)
	case n.addr.network == "unix":
		nc, err = n.client.dialer.dial(ctx, n.addr.network, n.addr.target)
	default:
		nc, err = n.dialTCP(a)
	}
	switch {
	case err != nil:
		return nil, false, unavailable(dialError(ctx, err))
	case nc == nil:
		return nil, false, unavailable(errors.New("Options.DialContext returned neither a connection nor an error"))
	}
	n.reached(a, nc)
	if deadline, ok := ctx.Deadline(); ok {
		_ = nc.SetDeadline(deadline) // before AfterFunc's, which ends the attempt early
	}
	raw := nc // nc is a result: it may become nil while AfterFunc's function runs
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(longAgo) })
	defer stop()
	conn := nc
	if opts.TLS != nil && n.addr.network != "unix" {
		a.stage.Store(stageTLS)
		t, err := n.encrypt(a, nc)
		if err != nil {
			_ = nc.Close()
			return nil, false, err
		}
		conn = t
	}
	secure = isTLS(conn)
	if err := n.handshake(a, conn, secure); err != nil {
		_ = nc.Close()
		return nil, false, err
	}
	if !stop() {
		_ = nc.Close()
		return nil, false, unavailable(dialError(ctx, ctx.Err()))
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, secure, nil
}

// isTLS reports whether nc encrypts. Options.DialContext may have done so.
func isTLS(nc net.Conn) bool {
	_, ok := nc.(interface{ ConnectionState() tls.ConnectionState })
	return ok
}

// encrypt runs the TLS handshake.
func (n *node) encrypt(a *attempt, nc net.Conn) (net.Conn, error) {
	config := n.client.opts.TLS
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = n.addr.host
	}
	t := tls.Client(newSocket(nc), config)
	err := t.HandshakeContext(a.ctx)
	var notTLS tls.RecordHeaderError
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &notTLS):
		return nil, unavailable(fmt.Errorf("TLS: the server does not speak TLS on this port: %w", err))
	case isTimeout(err):
		return nil, a.waitsFor(errDialTimeout)
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
