package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// The bounds of the queue of one connection, as queue.go has them.
const (
	maxPending = 4096
	maxUnsent  = 4 << 20
	maxWaiting = 1 << 16
)

// blocked returns a client with one connection to a server that answers nothing
// until release is closed.
func blocked(t *testing.T, timeout time.Duration) (client *memcached.Client, server *memcachedtest.Server, release chan struct{}) {
	t.Helper()
	server = newServer(t, nil)
	client = newClient(t, memcached.Options{MaxConns: 1, Timeout: timeout}, server)
	set(t, client, "k", "v")
	release = make(chan struct{})
	server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Until: release}
	})
	return client, server, release
}

func TestQueue_CallersWaitForRoomWithinTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, release := blocked(t, time.Hour)
		var wg sync.WaitGroup
		var ok atomic.Int32
		get := func() {
			wg.Go(func() {
				if item, err := client.Get(t.Context(), "k"); err == nil && string(item.Value) == "v" {
					ok.Add(1)
				}
			})
		}
		for range maxPending {
			get()
		}
		synctest.Wait()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		n, err := client.Increment(ctx, "k", 1)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 100*time.Millisecond {
			t.Errorf("Increment behind a full queue = %d, %v after %v, want the context's end after 100ms", n, err, time.Since(start))
		}
		if err != nil && !safeToRetry(t, err) {
			t.Errorf("Increment that found no room is not safe to retry: %v", err)
		}
		for range 100 { // these get room
			get()
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if n := ok.Load(); n != maxPending+100 {
			t.Errorf("%d operations succeeded, want %d", n, maxPending+100)
		}
	})
}

func TestQueue_NoRoomWithinTimeoutIsErrUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Second}, server)
		set(t, client, "k", "v")
		// A slow server, not a silent one: it answers one request every 0.3 s.
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 300 * time.Millisecond}
		})
		var wg sync.WaitGroup
		var answered, timeouts atomic.Int32
		for range maxPending + 1000 {
			wg.Go(func() {
				start := time.Now()
				_, err := client.Get(t.Context(), "k")
				switch op := new(memcached.OpError); {
				case err == nil:
					answered.Add(1)
				case errors.As(err, &op) && op.Timeout() && errors.Is(err, memcached.ErrUnavailable):
					timeouts.Add(1)
				default:
					t.Errorf("Get = %v", err)
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("Get took %v, want at most Timeout", took)
				}
			})
		}
		wg.Wait()
		if answered.Load() != 3 {
			t.Errorf("%d operations were answered in a second, want 3", answered.Load())
		}
	})
}

func TestQueue_TooManyWaitingIsErrUnavailableAtOnce(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("many goroutines")
	}
	synctest.Test(t, func(t *testing.T) {
		client, _, release := blocked(t, time.Hour)
		var wg sync.WaitGroup
		var refused atomic.Int32
		const callers = maxPending + maxWaiting + 50
		for range callers {
			wg.Go(func() {
				start := time.Now()
				_, err := client.Get(t.Context(), "k")
				if err == nil {
					return
				}
				refused.Add(1)
				if !errors.Is(err, memcached.ErrUnavailable) || !safeToRetry(t, err) || time.Since(start) > 0 {
					t.Errorf("Get = %v after %v, want ErrUnavailable at once", err, time.Since(start))
				}
			})
		}
		synctest.Wait()
		if n := refused.Load(); n != 50 {
			t.Errorf("%d of %d operations were refused, want 50", n, callers)
		}
		close(release)
		wg.Wait()
	})
}

func TestQueue_BytesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, release := blocked(t, time.Hour)
		const size, writers = 15 << 10, 2000 // 30 MB in all
		value := make([]byte, size)
		before := memory().HeapAlloc
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprintf("k%d", i), Value: value}); err != nil {
					t.Errorf("Set = %v", err)
				}
			})
		}
		synctest.Wait()
		if n := memcached.UnsentBytes(client); n < maxUnsent || n > maxUnsent+2*size {
			t.Errorf("%d bytes wait to be written, want %d and a request", n, maxUnsent)
		}
		after := memory().HeapAlloc
		if held := after - min(before, after); held > writers*size/2 {
			t.Errorf("%d bytes are held while %d bytes are to be written, want a bound of about %d", held, writers*size, maxUnsent)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := client.Get(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) || !safeToRetry(t, err) {
			t.Errorf("Get behind full buffers = %v, want the context's end", err)
		}
		close(release)
		wg.Wait()
		if n := len(server.Keys()); n != writers+1 {
			t.Errorf("%d items are stored, want %d", n, writers+1)
		}
	})
}

func TestQueue_BrokenConnectionLetsWaitingCallersGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, _ := blocked(t, time.Hour)
		hangUp := make(chan struct{})
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Conn > 1 {
				return memcachedtest.Action{}
			}
			return memcachedtest.Action{Until: hangUp, Mute: true, Close: true}
		})
		var wg sync.WaitGroup
		for range maxPending + 500 {
			wg.Go(func() {
				if item, err := client.Get(t.Context(), "k"); err != nil || string(item.Value) != "v" {
					t.Errorf("Get = %v, %v, want the answer to a second attempt", item, err)
				}
			})
		}
		synctest.Wait()
		close(hangUp)
		wg.Wait()
	})
}

// sendingConn counts the bytes that are sent.
type sendingConn struct {
	net.Conn
	sent *atomic.Int64
}

func (c *sendingConn) Write(b []byte) (int, error) {
	c.sent.Add(int64(len(b)))
	return c.Conn.Write(b)
}

// Operations of 512 KiB and more have a connection to themselves one after the
// other, in the order in which they came, whatever comes later.
func TestQueue_LargeOperationsGoOneByOneInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		var sent atomic.Int64
		client := newClient(t, memcached.Options{
			MaxConns: 1, Timeout: time.Hour,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				nc, err := server.DialContext(ctx, network, address)
				return &sendingConn{nc, &sent}, err
			},
		}, server)
		value := make([]byte, 700<<10)
		const last = "k9"
		for i := range 10 {
			if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("k", i), Value: value}); err != nil {
				t.Fatal(err)
			}
		}
		for range 40 { // the client learns how large they are
			if _, err := client.Get(t.Context(), "k0"); err != nil {
				t.Fatal(err)
			}
		}
		release := make(chan struct{})
		var mu sync.Mutex
		var order []string
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			mu.Lock()
			order = append(order, r.Key)
			mu.Unlock()
			return memcachedtest.Action{Until: release}
		})
		before := sent.Load()
		var want []string
		var wg sync.WaitGroup
		for i := range 9 {
			key := fmt.Sprint("k", i)
			want = append(want, key)
			wg.Go(func() {
				keys := []string{key}
				if i == 0 {
					keys = append(keys, last) // the first comes back
				}
				for _, key := range keys {
					if _, err := client.Get(t.Context(), key); err != nil {
						t.Errorf("Get(%q) = %v", key, err)
					}
				}
			})
			synctest.Wait()
		}
		if n := sent.Load() - before; n != 24+2 {
			t.Errorf("%d bytes were sent while the first response was pending, want the 26 of its request", n)
		}
		close(release)
		wg.Wait()
		if want = append(want, last); !slices.Equal(order, want) {
			t.Errorf("the server was asked for %q, want %q", order, want)
		}
	})
}
