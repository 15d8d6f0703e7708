package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"time"
)

// delayEnv makes this program a proxy that holds back what it forwards: the
// kernel's own means, a queueing discipline, needs root and is not in every
// kernel. It has two system calls for each piece that it forwards, which real
// networks have not: rates of many callers are lower than over one.
const delayEnv = "BENCH_DELAY"

// delayOrder says what is wanted of a proxy.
type delayOrder struct {
	Server    string
	RoundTrip time.Duration // added: half of it each way
}

// delayed returns a server that answers for s, each round trip longer by d.
func (e *env) delayed(s *server, d time.Duration) (*server, error) {
	if d == 0 {
		return s, nil
	}
	id := s.addrs[0] + " " + d.String()
	if p := e.proxies[id]; p != nil {
		return p, nil
	}
	program, err := thisProgram()
	if err != nil {
		return nil, err
	}
	p, err := startDelay(e.ctx, program, delayOrder{Server: s.addrs[0], RoundTrip: d})
	if err != nil {
		return nil, err
	}
	e.proxies[id] = p
	return p, nil
}

func startDelay(ctx context.Context, program []string, order delayOrder) (*server, error) {
	c, err := startChild(ctx, anywhere, program, delayEnv, order)
	if err != nil {
		return nil, err
	}
	var addr string
	if err := c.announced(&addr); err != nil {
		return nil, err
	}
	return &server{addrs: []string{addr}, stop: c.stop}, nil
}

// serveDelay is the proxy's process. It announces its address.
func serveDelay(text string, stdin io.Reader, stdout io.Writer) error {
	var order delayOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		return fmt.Errorf("bench: order of a proxy: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	line := newDelayLine(order.RoundTrip / 2)
	go line.run()
	go line.accept(l, order.Server)
	if err := json.NewEncoder(stdout).Encode(l.Addr().String()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stdin)
	return errors.Join(err, l.Close())
}

// delayLine holds pieces of all connections, in the order in which they came.
type delayLine struct {
	delay time.Duration
	start time.Time

	mu     sync.Mutex // guards pieces
	some   sync.Cond  // that there are pieces
	pieces []piece
}

// piece is what one read brought; nil data is the end of a direction.
type piece struct {
	due  time.Duration // since start
	to   *net.TCPConn
	data []byte
	link *link
}

// link is two connections that belong together.
type link struct {
	client, server *net.TCPConn
	ended          int // directions
}

// end ends the direction to one of the connections, and with the second direction
// both connections.
func (l *link) end(to *net.TCPConn) {
	_ = to.CloseWrite() // who has gone already needs no end
	if l.ended++; l.ended == 2 {
		l.client.Close()
		l.server.Close()
	}
}

func newDelayLine(d time.Duration) *delayLine {
	l := &delayLine{delay: d, start: time.Now()}
	l.some.L = &l.mu
	return l
}

func (l *delayLine) accept(from net.Listener, server string) {
	for {
		conn, err := from.Accept()
		if err != nil {
			return
		}
		go func() {
			up, err := net.Dial("tcp", server)
			if err != nil {
				conn.Close()
				return
			}
			pair := &link{client: conn.(*net.TCPConn), server: up.(*net.TCPConn)}
			go l.pump(pair, pair.client, pair.server)
			l.pump(pair, pair.server, pair.client)
		}()
	}
}

// pump reads from a connection for as long as it can.
func (l *delayLine) pump(pair *link, from, to *net.TCPConn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		p := piece{due: time.Since(l.start) + l.delay, to: to, link: pair}
		if n > 0 {
			p.data = append([]byte(nil), buf[:n]...)
			l.hold(p)
		}
		if err != nil {
			p.data = nil
			l.hold(p)
			return
		}
	}
}

func (l *delayLine) hold(p piece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pieces = append(l.pieces, p)
	if len(l.pieces) == 1 {
		l.some.Signal()
	}
}

// run writes each piece when it is due. It has a thread of its own, which sleeps
// more exactly than timers do.
func (l *delayLine) run() {
	runtime.LockOSThread()
	sharpen()
	for {
		for _, p := range l.take() {
			for wait := p.due - time.Since(l.start); wait > 0; wait = p.due - time.Since(l.start) {
				nap(wait)
			}
			if p.data == nil {
				p.link.end(p.to)
				continue
			}
			_, _ = p.to.Write(p.data) // who does not read any more has gone
		}
	}
}

// take returns the pieces that are held, one at least.
func (l *delayLine) take() []piece {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.pieces) == 0 {
		l.some.Wait()
	}
	held := l.pieces
	l.pieces = nil
	return held
}
