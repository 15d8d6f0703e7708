package memcached_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// slowWrites counts writes. Those after the first of a connection, which is the
// handshake, wait for the gate.
type slowWrites struct {
	net.Conn
	gate   chan struct{}
	writes *atomic.Int32
}

func (c *slowWrites) Write(b []byte) (int, error) {
	if c.writes.Add(1) > 1 {
		<-c.gate
	}
	return c.Conn.Write(b)
}

func TestWrites_AreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		gate, writes := make(chan struct{}), new(atomic.Int32)
		client := newClient(t, memcached.Options{MaxConns: 1, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := server.DialContext(ctx, network, address)
			return &slowWrites{nc, gate, writes}, err
		}}, server)
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				if _, err := client.Get(t.Context(), "k"); err != memcached.ErrCacheMiss {
					t.Errorf("Get = %v, want %v", err, memcached.ErrCacheMiss)
				}
			})
		}
		synctest.Wait() // one writes, the others wait for their answers
		close(gate)
		wg.Wait()
		if n := writes.Load(); n > 3 {
			t.Errorf("500 requests that came while another was written took %d writes, want 2", n-1)
		}
	})
}

// silentListener accepts connections, answers the first request and then reads
// nothing any more.
func silentListener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = nc.Close() })
			_ = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
			b := make([]byte, 24)
			_, _ = nc.Read(b)
			b[0] = 0x81
			_, _ = nc.Write(b)
		}
	}()
	return l
}

// dialBuffered dials connections whose write buffer in the kernel has that size.
func dialBuffered(size int) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := dialTCP(ctx, network, address)
		if err == nil {
			_ = nc.(*net.TCPConn).SetWriteBuffer(size)
		}
		return nc, err
	}
}

func TestSet_LeavesThoughTheServerReadsNothing(t *testing.T) {
	l := silentListener(t)
	client, err := memcached.New([]string{l.Addr().String()}, &memcached.Options{
		Timeout: time.Minute, MaxConns: 1,
		DialContext: dialBuffered(4 << 10),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	value := make([]byte, 15<<10) // copied, and coalesced with others
	for range 5 {
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				start := time.Now()
				err := client.Set(ctx, &memcached.Item{Key: "k", Value: value})
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("Set with a deadline of 50 ms took %v", took)
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Set = %v, want %v", err, context.DeadlineExceeded)
				}
			})
		}
		wg.Wait()
	}
}
