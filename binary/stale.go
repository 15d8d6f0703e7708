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

var errStale = unavailable(errors.New("the server closed the connection while it was idle"))

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
