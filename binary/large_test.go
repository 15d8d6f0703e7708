package memcached_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// gate is a connection that can be stopped in either direction after a number
// of bytes.
type gate struct {
	net.Conn
	mu    sync.Mutex
	cond  *sync.Cond
	reads int // bytes that may still be read; negative for any number
	stuck chan struct{}
}

func newGate(nc net.Conn) *gate {
	g := &gate{Conn: nc, reads: -1, stuck: make(chan struct{}, 1)}
	g.cond = sync.NewCond(&g.mu)
	return g
}

func (g *gate) allow(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reads = n
	g.cond.Broadcast()
}

func (g *gate) Read(b []byte) (int, error) {
	g.mu.Lock()
	for g.reads == 0 {
		select {
		case g.stuck <- struct{}{}:
		default:
		}
		g.cond.Wait()
	}
	if g.reads > 0 {
		b = b[:min(len(b), g.reads)]
		g.reads -= len(b)
	}
	g.mu.Unlock()
	return g.Conn.Read(b)
}

// gates are on the way to the server and back. They are there when the client
// has connected.
type gates struct{ up, down *gate }

// gated returns a client with one connection of the given kind, which passes
// through gates.
func gated(t *testing.T, kind string, server *memcachedtest.Server) (*memcached.Client, *gates) {
	t.Helper()
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	// The relay is between the client, whose connection is of the kind in
	// question, and the server, which is reached in memory. It takes in a byte
	// only when the gate lets it.
	g := &gates{}
	relay := func(front net.Conn) {
		back, err := server.DialContext(context.Background(), "", "")
		if err != nil {
			t.Error(err)
			return
		}
		g.up, g.down = newGate(front), newGate(back)
		up, down := g.up, g.down
		t.Cleanup(func() { up.allow(-1); down.allow(-1); _ = front.Close(); _ = back.Close() })
		go copyAll(back, up)
		go copyAll(front, down)
	}
	opts := memcached.Options{MaxConns: 1, Timeout: time.Minute}
	switch kind {
	case "pipe":
		opts.DialContext = func(context.Context, string, string) (net.Conn, error) {
			front, middle := net.Pipe()
			relay(middle)
			return front, nil
		}
	default:
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		opts.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			nc, err := dialTCP(ctx, "tcp", l.Addr().String())
			if err != nil {
				return nil, err
			}
			_ = nc.(*net.TCPConn).SetWriteBuffer(64 << 10)
			front, err := l.Accept()
			if err != nil {
				return nil, err
			}
			_ = front.(*net.TCPConn).SetReadBuffer(64 << 10)
			if kind == "TLS" {
				front = tls.Server(front, serverTLS)
			}
			relay(front)
			return nc, nil
		}
		if kind == "TLS" {
			opts.TLS = clientTLS
		}
	}
	return newClient(t, opts, server), g
}

func kinds(t *testing.T, do func(t *testing.T, kind string)) {
	for _, kind := range []string{"pipe", "TCP", "TLS"} {
		t.Run(kind, func(t *testing.T) { do(t, kind) })
	}
}

// TestCancel_InTheMiddleOfReadingALargeValue: nobody writes to the caller's
// buffer after it has left, and the connection stays in step.
func TestCancel_InTheMiddleOfReadingALargeValue(t *testing.T) {
	kinds(t, func(t *testing.T, kind string) {
		server := newServer(t, nil)
		large := bytes.Repeat([]byte("0123456789"), 80_000)
		put(server, "large", string(large))
		put(server, "k", "v")
		client, gates := gated(t, kind, server)
		wantValue(t, client, "k", "v")
		down := gates.down
		for _, cut := range []int{24, 28, 100, 20_000, 400_000, 790_000} {
			down.allow(cut)
			ctx, cancel := context.WithCancel(t.Context())
			buffer := make([]byte, 3, 1<<20)
			done := make(chan error, 1)
			go func() {
				_, _, err := client.AppendValue(ctx, buffer, "large")
				done <- err
			}()
			<-down.stuck
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Fatalf("AppendValue cut after %d bytes = %v, want %v", cut, err, context.Canceled)
			}
			all := buffer[:cap(buffer)]
			for i := range all {
				all[i] = 'x'
			}
			down.allow(-1)
			wantValue(t, client, "k", "v")
			if i := bytes.IndexFunc(all, func(r rune) bool { return r != 'x' }); i >= 0 {
				t.Fatalf("cut after %d bytes: byte %d of the caller's buffer was written after it had left", cut, i)
			}
			wantValue(t, client, "large", string(large))
		}
		if n := client.Stats().Servers[server.Addr()].Dials; n != 1 {
			t.Errorf("%d connections, want 1: leaving costs none", n)
		}
	})
}

// TestCancel_InTheMiddleOfWritingALargeValue: what reaches the server is the
// value as it was, though the caller changes it after it has left.
func TestCancel_InTheMiddleOfWritingALargeValue(t *testing.T) {
	kinds(t, func(t *testing.T, kind string) {
		server := newServer(t, nil)
		large := bytes.Repeat([]byte("0123456789"), 80_000)
		put(server, "k", "v")
		client, gates := gated(t, kind, server)
		wantValue(t, client, "k", "v")
		up := gates.up
		for _, cut := range []int{1, 24, 100, 20_000, 400_000} {
			up.allow(cut)
			ctx, cancel := context.WithCancel(t.Context())
			value := bytes.Clone(large)
			done := make(chan error, 1)
			go func() { done <- client.Set(ctx, &memcached.Item{Key: "large", Value: value}) }()
			<-up.stuck
			// Others whose requests wait behind it.
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() { wantValue(t, client, "k", "v") })
			}
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Fatalf("Set cut after %d bytes = %v, want %v", cut, err, context.Canceled)
			}
			for i := range value {
				value[i] = 'x'
			}
			up.allow(-1)
			wg.Wait()
			wantValue(t, client, "large", string(large))
		}
		if n := client.Stats().Servers[server.Addr()].Dials; n != 1 {
			t.Errorf("%d connections, want 1: leaving costs none", n)
		}
	})
}
