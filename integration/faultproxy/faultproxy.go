// Package faultproxy puts a bad network between a client and a real server: it
// forwards TCP connections and delays, holds, splits, cuts, resets, swallows or
// corrupts what passes through them, while a test runs.
package faultproxy

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Faults says what a Proxy does to its connections. The zero value forwards
// everything untouched.
type Faults struct {
	Refuse    bool      // new connections are reset as soon as they are accepted
	Requests  Direction // what the client sends
	Responses Direction // what the server sends
}

// Direction says what happens to the bytes that pass one way.
type Direction struct {
	Delay   time.Duration       // every piece waits that long
	Hold    <-chan struct{}     // every piece waits until it is closed, also when the sender has gone meanwhile; nil: none does
	Piece   int                 // passes at most that many bytes at a time; 0: as they come
	Swallow bool                // bytes vanish, the connection stays
	Drop    func(p []byte) bool // says which pieces vanish; called by several goroutines at once
	Cut     bool                // the connection ends when After bytes have passed since the fault was set
	After   int
	Reset   bool           // a cut is a reset (RST) instead of an end (FIN)
	Corrupt func(p []byte) // alters a piece in place; called by several goroutines at once
}

// Proxy is a faulty way to a server. Its methods are safe for concurrent use.
type Proxy struct {
	listener net.Listener
	target   string
	faults   atomic.Pointer[Faults]
	accepted atomic.Int64
	wg       sync.WaitGroup

	mu     sync.Mutex // guards live and closed
	live   map[*link]struct{}
	closed bool
}

// Start returns a proxy to the TCP address target that forwards everything
// until Use says otherwise. It closes with the test.
func Start(tb testing.TB, target string) *Proxy {
	tb.Helper()
	return StartAt(tb, "127.0.0.1:0", target)
}

// StartAt is Start on an address of the caller's choice.
func StartAt(tb testing.TB, addr, target string) *Proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: listener, target: target, live: map[*link]struct{}{}}
	p.Use(Faults{})
	p.wg.Go(p.serve)
	tb.Cleanup(p.Close)
	return p
}

// Addr returns the address that clients connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Use makes f what happens from now on, on the connections that exist as well.
func (p *Proxy) Use(f Faults) { p.faults.Store(&f) }

// Accepted returns how many connections clients have made so far.
func (p *Proxy) Accepted() int { return int(p.accepted.Load()) }

// Live returns how many connections are open.
func (p *Proxy) Live() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.live)
}

// CutAll ends all connections now, with a reset if reset is true.
func (p *Proxy) CutAll(reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.live {
		l.cut(reset)
	}
}

// CutClients ends the clients' halves of all connections now. What is on its way
// to the server still comes there, then its half ends, too.
func (p *Proxy) CutClients(reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.live {
		end(l.client, reset)
	}
}

// Forget makes the connections that exist now swallow everything from now on, as
// a load balancer does that has forgotten them. New ones are not concerned.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.live {
		l.forgotten.Store(true)
	}
}

// ForgetOne does so to one of them.
func (p *Proxy) ForgetOne() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.live {
		l.forgotten.Store(true)
		return
	}
}

// Stall holds what clients send on the connections that exist now until c is
// closed, also when they have gone meanwhile. New connections are not concerned.
func (p *Proxy) Stall(c <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.live {
		l.stalled.Store(&c)
	}
}

// Close ends all connections, and returns when the proxy's goroutines have
// ended. It may be called again.
func (p *Proxy) Close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.CutAll(false)
	p.wg.Wait()
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // of one connection that went away too early
		}
		p.accepted.Add(1)
		p.wg.Go(func() { p.forward(client) })
	}
}

// forward carries one client's connection to the server and back.
func (p *Proxy) forward(client net.Conn) {
	if p.faults.Load().Refuse {
		end(client, true)
		return
	}
	server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		end(client, true)
		return
	}
	l := &link{proxy: p, client: client, server: server, done: make(chan struct{})}
	if !p.add(l) {
		l.cut(false)
		return
	}
	defer p.remove(l)
	var wg sync.WaitGroup
	wg.Go(func() { l.pump(server, client, func(f *Faults) *Direction { return &f.Requests }) })
	wg.Go(func() { l.pump(client, server, func(f *Faults) *Direction { return &f.Responses }) })
	wg.Wait()
	l.cut(false)
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.live[l] = struct{}{}
	return true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.live, l)
}
