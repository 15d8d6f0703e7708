package memcachedtest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
)

// tooManyConns is what memcached says, in the text protocol whatever was
// expected, before it closes a connection above the limit.
const tooManyConns = "ERROR Too many open connections\r\n"

// listen starts accepting connections at addr. The caller holds the lock.
func (s *Server) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("memcachedtest: listen: %w", err)
	}
	s.listener = l
	s.spawn(func() { s.accept(l) })
	return nil
}

// unlisten ends that. The caller holds the lock.
func (s *Server) unlisten() {
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
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
	if len(s.conns) >= s.opts.MaxConns {
		s.spawn(func() {
			io.WriteString(nc, tooManyConns)
			nc.Close()
		})
		return nil
	}
	s.lastConn++
	c := newConn(s, s.lastConn, nc)
	if s.opts.TLS != nil {
		c.nc = tls.Server(nc, s.opts.TLS)
	}
	s.conns[c] = struct{}{}
	s.spawn(func() {
		c.serve()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
	})
	return nil
}

// spawn runs f in a goroutine that drop waits for. The caller holds the lock.
// (A sync.WaitGroup would do, but for servers made outside of a
// testing/synctest bubble and used inside.)
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

// drop ends all connections and waits for their goroutines, letting go of the
// lock meanwhile. New connections are refused from here on. The caller holds
// the lock.
func (s *Server) drop() {
	s.down = true
	for c := range s.conns {
		c.drop()
		delete(s.conns, c)
	}
	for s.running > 0 && !(s.running == 1 && s.listener != nil) {
		s.idle.Wait()
	}
}
