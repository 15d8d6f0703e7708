package memcachedtest

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// version is what the server calls itself: the memcached that it was checked
// against.
const version = "1.6.18"

// Server is a memcached inside the process. Its methods may be called from
// several goroutines.
type Server struct {
	opts    Options
	storage *storage
	clock   clock
	addr    string

	mu       sync.Mutex // guards what follows
	idle     *sync.Cond // signalled when a goroutine of the server ends
	running  int        // goroutines of the server
	listener net.Listener
	conns    map[*conn]struct{}
	lastConn uint64
	down     bool // stopped or closed
	closed   bool
}

var errDown = errors.New("memcachedtest: connection refused: the server is not running")

// Start starts a server that is closed when the test ends. The test fails at
// once if that is not possible.
func Start(tb testing.TB, opts *Options) *Server {
	tb.Helper()
	s, err := NewServer(opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// NewServer starts a server that listens on a free port of 127.0.0.1. The
// caller closes it. Inside a testing/synctest bubble it does not listen and is
// reached through DialContext only.
func NewServer(opts *Options) (*Server, error) {
	s := &Server{opts: opts.withDefaults(), conns: make(map[*conn]struct{})}
	s.idle = sync.NewCond(&s.mu)
	s.storage = newStorage(&s.opts, &s.clock)
	if inBubble() {
		s.addr = fmt.Sprintf("memory-%d:11211", memServers.Add(1))
		return s, nil
	}
	if err := s.listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.addr = s.listener.Addr().String()
	return s, nil
}

// memServers counts the servers that listen nowhere, which makes their names.
var memServers atomic.Uint64

// Addr returns the address, host:port, that the server listens on.
func (s *Server) Addr() string { return s.addr }

// listen starts accepting connections at addr.
func (s *Server) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("memcachedtest: listen: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener = l
	s.spawn(func() { s.accept(l) })
	return nil
}

// spawn runs f in a goroutine that Close waits for. The caller holds the lock.
func (s *Server) spawn(f func()) {
	s.running++
	go func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.running--
			s.idle.Broadcast()
		}()
		f()
	}()
}

func (s *Server) accept(l net.Listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return // the listener was closed
		}
		if s.serve(nc) != nil {
			nc.Close()
		}
	}
}

// serve starts a goroutine that answers the requests from nc.
func (s *Server) serve(nc net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	s.lastConn++
	c := newConn(s, s.lastConn, nc)
	s.conns[c] = struct{}{}
	s.spawn(func() {
		c.serve()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
	})
	return nil
}

// Close ends the server: it drops all connections and returns when its
// goroutines have ended. Calling it again does nothing.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.stop()
}

// stop drops everything and waits, letting go of the lock meanwhile.
func (s *Server) stop() {
	s.down = true
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
	for c := range s.conns {
		close(c.done)
		c.nc.Close()
		delete(s.conns, c)
	}
	for s.running > 0 {
		s.idle.Wait()
	}
}
