package memcached

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// idleCheck is how long a connection must have been quiet to be looked at
// before it is used.
const idleCheck = 10 * time.Millisecond

var (
	errStale = unavailable(errors.New("the server closed the connection while it was idle"))
	errIdle  = unavailable(errors.New("the connection was idle for Options.IdleTimeout"))
)

// stale reports, under mu, whether a connection without calls was closed by the
// server, or has bytes that nobody asked for. It costs a system call, which
// does not wait, when the connection was quiet for idleCheck.
func (c *conn) stale(now int64) bool {
	return now-c.lastRead.Load() >= int64(idleCheck) && c.ended()
}

// ended is stale without the look at the clock.
func (c *conn) ended() bool {
	if c.raw == nil {
		return false
	}
	n, err := peek(c.raw)
	return n >= 0 || err != nil
}

// dropStale ends the idle connections that the server has closed. When it has
// closed one it may have closed all: left alone, each would cost an operation, and
// look like a sign of life of a server that is dead.
func (n *node) dropStale() {
	for _, c := range *n.conns.Load() {
		if c.load.CompareAndSwap(0, 1) {
			c.failIdle(errStale)
		}
	}
}

// below returns the connection of package net under TLS, or nc.
func below(nc net.Conn) net.Conn { return bare(underTLS(nc)) }

// underTLS returns what is under TLS, or nc.
func underTLS(nc net.Conn) net.Conn {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return nc
}

// rawConn returns the socket under nc, TLS or not, or nil if there is none.
func rawConn(nc net.Conn) syscall.RawConn {
	s, ok := below(nc).(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// supervise starts, under mu, the timer that ends connections because of their
// age.
func (n *node) supervise() {
	if n.reaper != nil {
		return
	}
	if next := n.nextEnd(); next != noDeadline {
		// One that is over may not be idle yet.
		n.reaper = time.AfterFunc(max(time.Duration(next-n.client.now()), leaveCheck), n.reap)
	}
}

// nextEnd returns, under mu, when the next connection may be over.
func (n *node) nextEnd() int64 {
	next := noDeadline
	for _, c := range *n.conns.Load() {
		next = min(next, c.expires)
		if idle := n.client.opts.IdleTimeout; idle > 0 {
			next = min(next, c.lastRead.Load()+int64(idle))
		}
	}
	return next
}

// reap closes connections that were idle for too long, and makes those leave
// that are too old.
func (n *node) reap() {
	now := n.client.now()
	if idle := n.client.opts.IdleTimeout; idle > 0 {
		for _, c := range *n.conns.Load() {
			if now-c.lastRead.Load() >= int64(idle) && c.load.CompareAndSwap(0, 1) {
				c.failIdle(errIdle)
			}
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.reaper = nil; n.closed != nil {
		return
	}
	n.dismiss(func(c *conn) bool { return c.expires <= now })
	n.supervise()
}

// failIdle is fail for a connection that is idle, unless a call came first: it
// would be lost. If cause is errStale the connection ends only if it is.
func (c *conn) failIdle(cause error) {
	c.mu.Lock()
	if c.reading || c.writing || c.out.enqueued != c.dequeued.Load() || cause == errStale && !c.ended() {
		c.mu.Unlock()
		c.load.Add(-1)
		return
	}
	c.failLocked(cause)
}
