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
	if c.raw == nil || now-c.lastRead.Load() < int64(idleCheck) {
		return false
	}
	n, err := peek(c.raw)
	return n >= 0 || err != nil
}

// rawConn returns the socket under nc, TLS or not, or nil if there is none.
func rawConn(nc net.Conn) syscall.RawConn {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = t.NetConn()
	}
	s, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
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

// failIdle is fail for a connection that is idle, unless a call came first: it
// would be lost.
func (c *conn) failIdle() {
	c.mu.Lock()
	if c.reading || c.writing || c.out.enqueued != c.dequeued.Load() {
		c.mu.Unlock()
		c.load.Add(-1)
		return
	}
	c.failLocked(errIdle, false)
}
