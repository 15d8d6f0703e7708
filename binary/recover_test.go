package memcached_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// backAfter asks once in a millisecond and returns how long after the given time
// the server is used again.
func backAfter(t *testing.T, client *memcached.Client, since time.Time) time.Duration {
	t.Helper()
	for {
		_, err := client.Get(t.Context(), "k")
		switch {
		case err == nil, err == memcached.ErrCacheMiss:
			return time.Since(since)
		case time.Since(since) > time.Minute:
			t.Fatalf("Get = %v, a minute after the server came back", err)
		}
		time.Sleep(time.Millisecond)
	}
}

// busy runs callers until the function that it returns is called.
func busy(t *testing.T, client *memcached.Client) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
					_, _ = client.Get(t.Context(), "k")
				}
			}
		})
	}
	return func() { close(done); wg.Wait() }
}

func TestRecovery_RestartAtOnce(t *testing.T) {
	for _, away := range []time.Duration{0, 3 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 700 * time.Millisecond} {
		t.Run(away.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				network := newFlaky(server)
				client := newClient(t, memcached.Options{DialContext: network.DialContext}, server)
				stop := busy(t, client)
				defer stop()
				time.Sleep(time.Second)
				network.set(server, true)
				server.Stop()
				time.Sleep(away)
				if err := server.Restart(); err != nil {
					t.Fatal(err)
				}
				network.set(server, false)
				if took := backAfter(t, client, time.Now()); took > 50*time.Millisecond {
					t.Errorf("used again %v after it was back, want 50ms", took)
				}
			})
		})
	}
}

// TestRecovery_FrozenServer: the attempt that waits is answered first.
func TestRecovery_FrozenServer(t *testing.T) {
	for _, ejectAfter := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, nil)
			client := newClient(t, memcached.Options{EjectAfter: ejectAfter}, server)
			stop := busy(t, client)
			defer stop()
			time.Sleep(time.Second)
			thaw := make(chan struct{})
			server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Until: thaw} })
			time.Sleep(5 * time.Second)
			close(thaw)
			if took := backAfter(t, client, time.Now()); took > 100*time.Millisecond {
				t.Errorf("EjectAfter %d: used again %v after it was back, want 100ms", ejectAfter, took)
			}
		})
	}
}

// hole is a network that swallows everything while it is open.
type hole struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	mu   sync.Mutex
	open bool
}

func (h *hole) set(open bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = open
}

func (h *hole) swallows() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open
}

func (h *hole) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := h.dial(ctx, network, address)
	return &holeConn{Conn: nc, hole: h}, err
}

type holeConn struct {
	net.Conn
	hole *hole
}

func (c *holeConn) Write(b []byte) (int, error) {
	if c.hole.swallows() {
		return len(b), nil // what was swallowed does not come back
	}
	return c.Conn.Write(b)
}

func TestRecovery_BlackHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		network := &hole{dial: server.DialContext}
		client := newClient(t, memcached.Options{DialContext: network.DialContext}, server)
		stop := busy(t, client)
		defer stop()
		time.Sleep(time.Second)
		network.set(true)
		time.Sleep(3 * time.Second)
		network.set(false)
		if took := backAfter(t, client, time.Now()); took > 100*time.Millisecond {
			t.Errorf("used again %v after it was back, want 100ms", took)
		}
	})
}

// TestRecovery_NobodyAsks: the server is looked for although no operation is
// under way.
func TestRecovery_NobodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		network := newFlaky(server)
		client := newClient(t, memcached.Options{DialContext: network.DialContext}, server)
		network.set(server, true)
		if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrUnavailable) {
			t.Fatalf("Get = %v, want %v", err, memcached.ErrUnavailable)
		}
		network.set(server, false)
		time.Sleep(50 * time.Millisecond)
		if s := client.Stats().Servers[server.Addr()]; s.Down || s.Conns != 1 {
			t.Errorf("%+v, want a connection", s)
		}
	})
}

// TestDialTimeout_HandshakesMayTakeLongerThanTimeout: they go on when the
// operations that wait for them have failed.
func TestDialTimeout_HandshakesMayTakeLongerThanTimeout(t *testing.T) {
	for _, test := range []struct {
		timeout, step time.Duration
		auth          sasl.Mechanism
	}{
		{30 * time.Millisecond, 10 * time.Millisecond, sasl.ScramSHA256("app", "a-secret-password")},
		{time.Millisecond, 5 * time.Millisecond, sasl.Auto("app", "a-secret-password")},
		{time.Millisecond, 2 * time.Millisecond, nil},
	} {
		t.Run(test.timeout.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := secured()
				if test.auth == nil {
					opts = nil
				}
				server := newServer(t, opts)
				server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					switch r.Op {
					case memcachedtest.OpGet:
						return memcachedtest.Action{}
					default:
						return memcachedtest.Action{Delay: test.step}
					}
				})
				client := newClient(t, memcached.Options{Auth: test.auth, Timeout: test.timeout}, server)
				start := time.Now()
				if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrUnavailable) || time.Since(start) > test.timeout {
					t.Errorf("Get = %v after %v, want %v after %v", err, time.Since(start), memcached.ErrUnavailable, test.timeout)
				}
				if took := backAfter(t, client, start); took > 10*test.step {
					t.Errorf("connected after %v, want %v", took, 10*test.step)
				}
				for range 100 {
					if _, err := client.Get(t.Context(), "k"); err != memcached.ErrCacheMiss {
						t.Fatalf("Get = %v, want %v", err, memcached.ErrCacheMiss)
					}
				}
			})
		})
	}
}

// TestDialTimeout_EndsAnAttempt: what ignores everything is given up.
func TestDialTimeout_EndsAnAttempt(t *testing.T) {
	for _, test := range []struct{ limit, timeout, want time.Duration }{
		{0, 0, 5 * time.Second},
		{2 * time.Second, 0, 2 * time.Second},
		{0, 100 * time.Millisecond, 5 * time.Second},
		{0, 8 * time.Second, 8 * time.Second}, // as long as Timeout
	} {
		synctest.Test(t, func(t *testing.T) {
			var took []time.Duration
			var mu sync.Mutex
			client, err := memcached.New([]string{"cache"}, &memcached.Options{
				Timeout: test.timeout, DialTimeout: test.limit,
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					start := time.Now()
					<-ctx.Done()
					mu.Lock()
					defer mu.Unlock()
					took = append(took, time.Since(start))
					return nil, ctx.Err()
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_, _ = client.Get(t.Context(), "k")
			time.Sleep(30 * time.Second)
			mu.Lock()
			defer mu.Unlock()
			longest := time.Duration(0)
			for _, d := range took {
				longest = max(longest, d)
			}
			if longest != test.want {
				t.Errorf("DialTimeout %v, Timeout %v: the longest attempt took %v, want %v", test.limit, test.timeout, longest, test.want)
			}
		})
	}
}
