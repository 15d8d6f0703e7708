package faultproxy

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is one client's connection and its continuation to the server.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	once           sync.Once
	done           chan struct{} // closed by cut
	forgotten      atomic.Bool   // nothing passes any more
	stalled        atomic.Pointer[<-chan struct{}]
}

// cut ends both halves. The server's half always ends in order, because it is
// the client that is under test.
func (l *link) cut(reset bool) {
	l.once.Do(func() {
		close(l.done)
		end(l.client, reset)
		end(l.server, false)
	})
}

// end closes conn, with a reset instead of a FIN if reset is true.
func end(conn net.Conn, reset bool) {
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0) // on failure it is a FIN after all
	}
	conn.Close()
}

// pump moves bytes from src to dst, as the direction that pick names wants
// them, until the link is cut or src has sent everything: then it tells dst so,
// and the other direction goes on.
func (l *link) pump(dst, src net.Conn, pick func(*Faults) *Direction) {
	buf := make([]byte, 32<<10)
	var (
		since  *Faults // the faults that passed counts for
		passed int
	)
	for {
		n, err := src.Read(buf)
		for rest := buf[:n]; len(rest) > 0; {
			faults := l.proxy.faults.Load()
			if faults != since {
				since, passed = faults, 0
			}
			piece, more := pick(faults).piece(rest, passed)
			if !more {
				dst.Write(piece) // what still passes before the cut
				l.cut(pick(faults).Reset)
				return
			}
			if !l.pass(dst, piece, pick(faults)) {
				return
			}
			passed += len(piece)
			rest = rest[len(piece):]
		}
		if err == io.EOF {
			err = dst.(*net.TCPConn).CloseWrite()
			if err == nil {
				return
			}
		}
		if err != nil {
			l.cut(false)
			return
		}
	}
}

// pass does to one piece what d says, and reports whether the link still stands.
func (l *link) pass(dst net.Conn, piece []byte, d *Direction) bool {
	if d.Delay > 0 {
		select {
		case <-time.After(d.Delay):
		case <-l.done:
			return false
		}
	}
	if stalled := l.stalled.Load(); stalled != nil && dst == l.server && !l.await(*stalled) {
		return false
	}
	if d.Hold != nil && !l.await(d.Hold) {
		return false
	}
	if d.Swallow || l.forgotten.Load() || d.Drop != nil && d.Drop(piece) {
		return true
	}
	if d.Corrupt != nil {
		d.Corrupt(piece)
	}
	if _, err := dst.Write(piece); err != nil {
		l.cut(false)
		return false
	}
	return true
}

// await waits until c is closed, and reports whether the link still stands.
func (l *link) await(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-l.done:
		return false
	}
}

// piece returns what of rest passes next, after passed bytes have, and whether
// the connection goes on behind it.
func (d *Direction) piece(rest []byte, passed int) (piece []byte, more bool) {
	if d.Cut && passed+len(rest) >= d.After {
		return rest[:max(0, d.After-passed)], false
	}
	if d.Piece > 0 && len(rest) > d.Piece {
		return rest[:d.Piece], true
	}
	return rest, true
}
