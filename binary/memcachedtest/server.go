package memcachedtest

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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
	network bool // it listens

	requests                recorder
	intercept               atomic.Pointer[func(Request) Action]
	auths, authErrors       atomic.Uint64
	bytesRead, bytesWritten atomic.Uint64

	usersMu sync.Mutex        // guards the content of users
	users   map[string]string // nil lets everybody in

	mu       sync.Mutex // guards what follows
	idle     *sync.Cond // signalled when a goroutine of the server ends
	running  int        // goroutines of the server
	listener net.Listener
	conns    map[*conn]struct{}
	lastConn uint64
	down     bool // stopped or closed
	closed   bool
}

var (
	errDown   = errors.New("memcachedtest: connection refused: the server is not running")
	errClosed = errors.New("memcachedtest: the server is closed")
)

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
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts:    o,
		users:   maps.Clone(o.Users),
		conns:   make(map[*conn]struct{}),
		network: !inBubble(),
	}
	s.idle = sync.NewCond(&s.mu)
	s.storage = newStorage(&s.opts, &s.clock)
	if !s.network {
		s.addr = fmt.Sprintf("server-%d.%s:11211", memServers.Add(1), memoryDomain)
		return s, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.addr = s.listener.Addr().String()
	return s, nil
}

// memoryDomain holds the names of the servers that listen nowhere.
const memoryDomain = "memory.test"

// memServers counts them.
var memServers atomic.Uint64

// Addr returns the address, host:port, that the server listens on.
func (s *Server) Addr() string { return s.addr }

// Stop drops all connections and refuses new ones until Restart. It returns
// when the goroutines of the connections have ended.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unlisten()
	s.drop()
}

// Restart drops all connections and all items, as restarting a memcached does.
// After Stop it starts the server again, at the same address. It fails if another
// process took the address meanwhile, or if the server is closed.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	if s.closed {
		return errClosed
	}
	s.storage.reset()
	if s.network && s.listener == nil {
		if err := s.listen(s.addr); err != nil {
			return err
		}
	}
	s.down = false
	return nil
}

// Close ends the server: it drops all connections and returns when its
// goroutines have ended. Calling it again does nothing.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.unlisten()
	s.drop()
}

// Advance moves the server's clock forward, so that items expire. Otherwise the
// clock follows time.Now. Like memcached's, it knows whole seconds only: an item
// with a TTL of one second lives up to one second.
func (s *Server) Advance(d time.Duration) { s.clock.advanced.Add(int64(d)) }
