package memcached_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// lockedSide is the side of a connection that takes nothing while it is shut.
type lockedSide struct {
	net.Conn
	shut *atomic.Bool
	open <-chan struct{}
}

func (s *lockedSide) Write(p []byte) (int, error) {
	if s.shut.Load() {
		<-s.open
	}
	return s.Conn.Write(p)
}

// lock passes connections on to a server. While it is shut it takes nothing but what it
// reads at once.
func lock(t *testing.T, server *memcachedtest.Server, shut *atomic.Bool, open <-chan struct{}) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			behind, err := net.Dial("tcp", server.Addr())
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _, _ = client.Close(), behind.Close() })
			_ = client.(*net.TCPConn).SetReadBuffer(64 << 10)
			go func() { _, _ = io.Copy(client, behind) }()
			go func() { _, _ = io.Copy(&lockedSide{behind, shut, open}, struct{ io.Reader }{client}) }()
		}
	}()
	return l
}

// TestWrites_ThatTheKernelDoesNotTakeAtOnce has more to write than sockets take. Callers
// leave in time, and what was cut off arrives whole when the server reads again.
func TestWrites_ThatTheKernelDoesNotTakeAtOnce(t *testing.T) {
	const callers, size = 6000, 2 << 10 // 12 MB
	server := newServer(t, nil)
	var shut atomic.Bool
	open := make(chan struct{})
	l := lock(t, server, &shut, open)
	client, err := memcached.New([]string{l.Addr().String()}, &memcached.Options{
		MaxConns: 1, Timeout: 20 * time.Second,
		DialContext: dialBuffered(64 << 10),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	key := func(i int) string { return fmt.Sprintf("key-%d", i) }
	value := func(i int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("%08d", i)), size/8) }
	set(t, client, "k", "v")
	shut.Store(true)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			if err := client.Set(t.Context(), &memcached.Item{Key: key(i), Value: value(i)}); err != nil {
				t.Errorf("Set(%q) = %v", key(i), err)
			}
		})
		for i < 500 && !t.Failed() && client.Stats().Servers[l.Addr().String()].InFlight <= i { // one by one, so that they write themselves
			runtime.Gosched()
		}
	}
	// All have come, with more than the kernel takes: later ones would not use a connection
	// that is suspected.
	for client.Stats().Servers[l.Addr().String()].InFlight < callers && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, err := client.Get(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get = %v, want the end of its context", err)
		}
		cancel()
	}
	close(open)
	wg.Wait()
	for i := range callers {
		item, err := client.Get(t.Context(), key(i))
		if err != nil || !bytes.Equal(item.Value, value(i)) {
			t.Fatalf("Get(%q) = %v, %v", key(i), item, err)
		}
	}
}
