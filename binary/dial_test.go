package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

func TestMaxConns_HoldsWhenAConnectionBreaks(t *testing.T) {
	for _, most := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				var open, peak atomic.Int32
				client := newClient(t, memcached.Options{MaxConns: most, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					nc, err := server.DialContext(ctx, network, address)
					if err != nil {
						return nil, err
					}
					peak.Store(max(peak.Load(), open.Add(1)))
					return &countedConn{Conn: nc, open: &open}, nil
				}}, server)
				set(t, client, "k", "v")
				var requests atomic.Int32
				server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
					time.Sleep(time.Millisecond)
					return memcachedtest.Action{Close: requests.Add(1)%50 == 0}
				})
				var wg sync.WaitGroup
				for range 40 {
					wg.Go(func() {
						for range 20 {
							_, _ = client.Get(t.Context(), "k")
						}
					})
				}
				wg.Wait()
				if n := int(peak.Load()); n > most {
					t.Errorf("%d connections at once, want at most %d", n, most)
				}
				if requests.Load() < 400 {
					t.Errorf("only %d requests", requests.Load())
				}
			})
		})
	}
}

// countedConn counts how many of its kind are open.
type countedConn struct {
	net.Conn
	open   *atomic.Int32
	closed atomic.Bool
}

func (c *countedConn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

func TestClose_EndsADialUnderWay(t *testing.T) {
	tests := []struct {
		name string
		dial func(s *memcachedtest.Server) func(context.Context, string, string) (net.Conn, error)
	}{
		{"while connecting", func(*memcachedtest.Server) func(context.Context, string, string) (net.Conn, error) {
			return func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}},
		{"during the handshake", func(s *memcachedtest.Server) func(context.Context, string, string) (net.Conn, error) {
			s.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Delay: time.Hour} })
			return s.DialContext
		}},
		{"while connecting with no regard to the context", func(s *memcachedtest.Server) func(context.Context, string, string) (net.Conn, error) {
			return func(_ context.Context, network, address string) (net.Conn, error) {
				time.Sleep(20 * time.Second)
				return s.DialContext(context.Background(), network, address)
			}
		}},
	}
	for _, tt := range tests {
		for _, timeout := range []time.Duration{30 * time.Second, -1} {
			t.Run(fmt.Sprintf("%s/%v", tt.name, timeout), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := newServer(t, nil)
					client := newClient(t, memcached.Options{Timeout: timeout, DialContext: tt.dial(server)}, server)
					start := time.Now()
					op := getAt(t, client, start, 0, 0, "k")
					time.Sleep(time.Second)
					if err := client.Close(); err != nil {
						t.Errorf("Close = %v", err)
					}
					<-op.done
					if !errors.Is(op.err, memcached.ErrClosed) {
						t.Errorf("Get that waits for a connection while Close runs = %v, want %v", op.err, memcached.ErrClosed)
					}
					limit := time.Second
					if strings.Contains(tt.name, "no regard") {
						limit = 20 * time.Second // Close waits for what it started
					}
					if took := time.Since(start); took > limit {
						t.Errorf("Get and Close ended after %v, want %v", took, limit)
					}
				})
			})
		}
	}
}

func TestDial_ThatIgnoresItsContextDoesNotHoldOperationsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			time.Sleep(10 * time.Second)
			return server.DialContext(context.Background(), network, address)
		}}, server)
		start := time.Now()
		op := getAt(t, client, start, 0, 0, "k")
		if <-op.done; !errors.Is(op.err, memcached.ErrUnavailable) || op.at > 1050*time.Millisecond {
			t.Errorf("Get = %v after %v, want ErrUnavailable after 1s", op.err, op.at)
		}
		wantTimeout(t, getAt(t, client, start, 2*time.Second, 50*time.Millisecond, "k"), "k", 2*time.Second, memcached.ErrUnavailable) // it is down
		time.Sleep(time.Minute)
		if n := client.Stats().Servers[server.Addr()].Conns; n != 0 {
			t.Errorf("%d connections, want none: it came too late", n)
		}
	})
}

func TestDial_ReturnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := memcached.New([]string{"cache"}, &memcached.Options{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(err.Error(), "DialContext") {
			t.Errorf("Get = %v, want ErrUnavailable that says what DialContext did", err)
		}
	})
}

func TestDial_CallersThatLeaveDoNotEndItForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		var dials atomic.Int32
		client := newClient(t, memcached.Options{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			time.Sleep(500 * time.Millisecond)
			return server.DialContext(ctx, network, address)
		}}, server)
		server.SetItem(&memcached.Item{Key: "k", Value: []byte("v")})
		start := time.Now()
		first := getAt(t, client, start, 0, 100*time.Millisecond, "k")
		second := getAt(t, client, start, 50*time.Millisecond, 0, "k")
		wantTimeout(t, first, "k", 100*time.Millisecond, context.DeadlineExceeded)
		<-second.done
		if second.err != nil || second.at != 500*time.Millisecond {
			t.Errorf("Get = %v after %v, want the item after 500ms", second.err, second.at)
		}
		if n := dials.Load(); n != 1 {
			t.Errorf("%d dials, want 1", n)
		}
	})
}

// TestGrow_FailureIsNotDeath: a server that takes no more connections goes on
// answering on those that it has.
func TestGrow_FailureIsNotDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, &memcachedtest.Options{MaxConns: 2})
		client := newClient(t, memcached.Options{EjectAfter: 1}, server)
		set(t, client, "k", "v")
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: time.Millisecond}
		})
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				for range 3000 {
					if _, err := client.Get(t.Context(), "k"); err != nil {
						t.Errorf("Get = %v", err)
						return
					}
				}
			})
		}
		wg.Wait()
		s := client.Stats().Servers[server.Addr()]
		if s.Down || s.Ejected || s.Conns != 2 {
			t.Errorf("Stats: %+v, want 2 connections to a server that is well", s)
		}
		if s.DialErrors == 0 || s.DialErrors > 30 {
			t.Errorf("%d failed attempts in 3 s or more, want some with pauses between", s.DialErrors)
		}
	})
}

func TestRecovery_WithinRetryAfter(t *testing.T) {
	for _, after := range []time.Duration{0, 200 * time.Millisecond, 10 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				network := newFlaky(server)
				client := newClient(t, memcached.Options{RetryAfter: after, DialContext: network.DialContext}, server)
				if after == 0 {
					after = time.Second
				}
				network.set(server, true)
				for start := time.Now(); time.Since(start) < 10*after; time.Sleep(after / 50) {
					_, _ = client.Get(t.Context(), "k")
				}
				network.set(server, false)
				back := time.Now()
				for {
					if _, err := client.Get(t.Context(), "k"); err == memcached.ErrCacheMiss {
						break
					}
					time.Sleep(after / 50)
				}
				if took := time.Since(back); took > after+after/50 {
					t.Errorf("the server was back for %v before it was used, want at most %v", took, after)
				}
			})
		})
	}
}

func TestDial_IsOneForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		var dials atomic.Int32
		var names sync.Map
		client := newClient(t, memcached.Options{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			names.Store(address, true)
			time.Sleep(100 * time.Millisecond)
			return server.DialContext(ctx, network, address)
		}}, server)
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				if _, err := client.Get(t.Context(), "k"); err != memcached.ErrCacheMiss {
					t.Errorf("Get = %v, want %v", err, memcached.ErrCacheMiss)
				}
			})
		}
		synctest.Wait()
		if n := dials.Load(); n != 1 {
			t.Errorf("200 operations on a client without connections made %d, want 1", n)
		}
		wg.Wait()
		// After a restart the name is given to the dialer again, which resolves it.
		names.Clear()
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		_, _ = client.Get(t.Context(), "k")
		if _, ok := names.Load(server.Addr()); !ok {
			t.Error("the connection after a restart was not made by name")
		}
	})
}

// TestDial_OneTimeoutForAllItsSteps: connecting, encrypting and authenticating
// do not have a Timeout each.
func TestDial_OneTimeoutForAllItsSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, secured())
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 150 * time.Millisecond}
		})
		opts := memcached.Options{Auth: sasl.Auto("app", "a-secret-password"), Timeout: 400 * time.Millisecond}
		opts.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			time.Sleep(150 * time.Millisecond)
			return server.DialContext(ctx, network, address)
		}
		client := newClient(t, opts, server)
		start := time.Now()
		_, err := client.Get(t.Context(), "k")
		var op *memcached.OpError
		if !errors.As(err, &op) || !op.Timeout() || !errors.Is(err, memcached.ErrUnavailable) {
			t.Errorf("Get = %v, want a timeout", err)
		}
		if took := time.Since(start); took > 425*time.Millisecond {
			t.Errorf("Get took %v, want no more than Options.Timeout", took)
		}
	})
}
