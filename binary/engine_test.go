package memcached_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// newClient returns a client of in-process servers that are reached in memory.
func newClient(t *testing.T, opts memcached.Options, servers ...*memcachedtest.Server) *memcached.Client {
	t.Helper()
	addrs := make([]string, len(servers))
	for i, s := range servers {
		addrs[i] = s.Addr()
	}
	if opts.DialContext == nil {
		opts.DialContext = memcachedtest.Dialer(servers...)
	}
	client, err := memcached.New(addrs, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// newServer starts an in-process server.
func newServer(t *testing.T, opts *memcachedtest.Options) *memcachedtest.Server {
	t.Helper()
	return memcachedtest.Start(t, opts)
}

func set(t *testing.T, client *memcached.Client, key, value string) {
	t.Helper()
	if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte(value)}); err != nil {
		t.Fatalf("Set(%q) = %v", key, err)
	}
}

func wantValue(t *testing.T, client *memcached.Client, key, want string) {
	t.Helper()
	item, err := client.Get(t.Context(), key)
	if err != nil || string(item.Value) != want {
		t.Fatalf("Get(%q) = %v, %v, want %q", key, item, err, want)
	}
}

// mute makes the server carry out requests of the given kind without an answer.
func mute(op string) func(memcachedtest.Request) memcachedtest.Action {
	return func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Mute: r.Op == op}
	}
}

func TestGet_SilentServerTimesOutExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Timeout: 300 * time.Millisecond}, server)
		set(t, client, "k", "v")
		server.Intercept(mute("GET"))
		start := time.Now()
		_, err := client.Get(t.Context(), "k")
		if took := time.Since(start); took != 300*time.Millisecond {
			t.Errorf("Get took %v, want 300ms", took)
		}
		var op *memcached.OpError
		if !errors.As(err, &op) || !op.Timeout() || !errors.Is(err, memcached.ErrUnavailable) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Get = %v, want a timeout that is ErrUnavailable", err)
		}
		if op.Server != server.Addr() || !op.SafeToRetry() {
			t.Errorf("OpError = %+v, want the server named and safe to retry", op)
		}
		server.Intercept(nil)
		wantValue(t, client, "k", "v")
		if dials := client.Stats().Servers[server.Addr()].Dials; dials != 2 {
			t.Errorf("%d connections, want 2: a silent server loses its connection", dials)
		}
	})
}

func TestGet_ContextEndsWait(t *testing.T) {
	tests := []struct {
		name string
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want error
		took time.Duration
	}{
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		}, context.DeadlineExceeded, 50 * time.Millisecond},
		{"cancel", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(70*time.Millisecond, cancel)
			return ctx, cancel
		}, context.Canceled, 70 * time.Millisecond},
		{"cancel at once", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Microsecond, cancel)
			return ctx, cancel
		}, context.Canceled, 2 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{MaxConns: 1}, server)
				set(t, client, "slow", "late")
				set(t, client, "k", "v")
				server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					if r.Key == "slow" {
						return memcachedtest.Action{Delay: 200 * time.Millisecond}
					}
					return memcachedtest.Action{}
				})
				ctx, cancel := tt.ctx(t.Context())
				defer cancel()
				start := time.Now()
				_, err := client.Get(ctx, "slow")
				if took := time.Since(start); took > tt.took {
					t.Errorf("Get took %v, want at most %v", took, tt.took)
				}
				if !errors.Is(err, tt.want) {
					t.Fatalf("Get = %v, want %v", err, tt.want)
				}
				wantValue(t, client, "k", "v") // behind the late response, on the same connection
				if dials := client.Stats().Servers[server.Addr()].Dials; dials != 1 {
					t.Errorf("%d connections, want 1: leaving costs none", dials)
				}
			})
		})
	}
}

func TestCancelledCallersDoNotDisturbOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1}, server)
		for i := range 20 {
			set(t, client, fmt.Sprintf("k%d", i), fmt.Sprintf("v%d", i))
		}
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 10 * time.Millisecond}
		})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%2 == 0 {
					time.AfterFunc(time.Duration(i)*3*time.Millisecond, cancel)
				}
				item, err := client.Get(ctx, fmt.Sprintf("k%d", i))
				switch {
				case err == nil && string(item.Value) != fmt.Sprintf("v%d", i):
					t.Errorf("Get(k%d) = %q", i, item.Value)
				case err != nil && !(i%2 == 0 && errors.Is(err, context.Canceled)):
					t.Errorf("Get(k%d) = %v", i, err)
				}
			})
		}
		wg.Wait()
		if dials := client.Stats().Servers[server.Addr()].Dials; dials != 1 {
			t.Errorf("%d connections, want 1", dials)
		}
	})
}

func TestGet_BrokenFrames(t *testing.T) {
	tests := []struct {
		name string
		edit func(b []byte) []byte
	}{
		{"wrong opaque", func(b []byte) []byte { b[15]++; return b }},
		{"wrong opcode", func(b []byte) []byte { b[1] = 0x01; return b }},
		{"request magic", func(b []byte) []byte { b[0] = 0x80; return b }},
		{"body of 4 GiB", func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], 0xffffffff); return b }},
		{"key longer than body", func(b []byte) []byte { binary.BigEndian.PutUint16(b[2:], 0xffff); return b }},
		{"extras longer than body", func(b []byte) []byte { b[4] = 0xff; return b }},
		{"no extras", func(b []byte) []byte { b[4] = 0; return b }},
		{"text", func([]byte) []byte { return []byte("ERROR Too many open connections\r\n") }},
		{"a response twice", func(b []byte) []byte { return append(b, b...) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{MaxConns: 1}, server)
				set(t, client, "k", "v")
				broken := true
				server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					if r.Op == "GET" && broken {
						return memcachedtest.Action{Edit: tt.edit}
					}
					return memcachedtest.Action{}
				})
				item, err := client.Get(t.Context(), "k")
				if err == nil && string(item.Value) != "v" {
					t.Fatalf("Get = %q from a broken frame", item.Value)
				}
				if err != nil && !errors.Is(err, memcached.ErrUnavailable) {
					t.Errorf("Get = %v, want ErrUnavailable", err)
				}
				synctest.Wait()
				broken = false
				wantValue(t, client, "k", "v")
				if dials := client.Stats().Servers[server.Addr()].Dials; dials < 2 {
					t.Errorf("%d connections, want the broken one closed", dials)
				}
			})
		})
	}
}

func TestLostConnection_RepeatsOnlyWhatIsHarmless(t *testing.T) {
	ctx := context.Background()
	item := func() *memcached.Item { return &memcached.Item{Key: "k", Value: []byte("v"), CAS: 99} }
	tests := []struct {
		op     string
		do     func(c *memcached.Client) error
		repeat bool
	}{
		{"GET", func(c *memcached.Client) error { _, err := c.Get(ctx, "k"); return err }, true},
		{"GAT", func(c *memcached.Client) error { _, err := c.GetAndTouch(ctx, "k", 0); return err }, true},
		{"TOUCH", func(c *memcached.Client) error { return c.Touch(ctx, "k", 0) }, true},
		{"SET", func(c *memcached.Client) error { return c.Set(ctx, item()) }, true},
		{"DELETE", func(c *memcached.Client) error { return c.Delete(ctx, "k") }, true},
		{"VERSION", func(c *memcached.Client) error { _, err := c.Versions(ctx); return err }, true},
		{"STAT", func(c *memcached.Client) error { _, err := c.ServerStats(ctx, ""); return err }, true},
		{"ADD", func(c *memcached.Client) error { return c.Add(ctx, item()) }, false},
		{"REPLACE", func(c *memcached.Client) error { return c.Replace(ctx, item()) }, false},
		{"SET", func(c *memcached.Client) error { return c.CompareAndSwap(ctx, item()) }, false},
		{"DELETE", func(c *memcached.Client) error { return c.CompareAndDelete(ctx, "k", 99) }, false},
		{"APPEND", func(c *memcached.Client) error { return c.Append(ctx, "k", []byte("x")) }, false},
		{"PREPEND", func(c *memcached.Client) error { return c.Prepend(ctx, "k", []byte("x")) }, false},
		{"INCREMENT", func(c *memcached.Client) error { _, err := c.Increment(ctx, "n", 1); return err }, false},
		{"DECREMENT", func(c *memcached.Client) error { _, err := c.Decrement(ctx, "n", 1); return err }, false},
		{"FLUSH", func(c *memcached.Client) error { return c.FlushAll(ctx, 0) }, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s/%v", tt.op, tt.repeat), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{}, server)
				set(t, client, "k", "v")
				set(t, client, "n", "1")
				server.ForgetRequests()
				lost := false
				server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					if r.Op == tt.op && !lost {
						lost = true
						return memcachedtest.Action{Mute: true, Close: true}
					}
					return memcachedtest.Action{}
				})
				err := tt.do(client)
				want := uint64(1)
				if tt.repeat {
					want = 2
				}
				if got := server.RequestCount(tt.op); got != want {
					t.Errorf("%s was sent %d times, want %d", tt.op, got, want)
				}
				var op *memcached.OpError
				if errors.As(err, &op); !tt.repeat && (op == nil || op.SafeToRetry() || !errors.Is(err, memcached.ErrUnavailable)) {
					t.Errorf("%s = %v, want ErrUnavailable that is not safe to retry", tt.op, err)
				}
				if tt.repeat && op != nil {
					t.Errorf("%s = %v, want an answer", tt.op, err)
				}
			})
		})
	}
}

func TestClose_EndsBlockedOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		server.Intercept(mute("GET"))
		errs := make(chan error, 30)
		for range cap(errs) {
			go func() {
				_, err := client.Get(t.Context(), "k")
				errs <- err
			}()
		}
		synctest.Wait()
		if err := client.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		for range cap(errs) {
			if err := <-errs; !errors.Is(err, memcached.ErrClosed) {
				t.Errorf("blocked Get = %v, want ErrClosed", err)
			}
		}
		if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrClosed) {
			t.Errorf("Get after Close = %v, want ErrClosed", err)
		}
		if err := client.Close(); err != nil {
			t.Errorf("second Close = %v", err)
		}
	})
}

func TestManyCallersShareOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Timeout: time.Hour}, server)
		set(t, client, "k", "v")
		release := make(chan struct{})
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Op == "GET" {
				return memcachedtest.Action{Until: release}
			}
			return memcachedtest.Action{}
		})
		const callers = 10_000
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				if item, err := client.Get(t.Context(), "k"); err != nil || string(item.Value) != "v" {
					t.Errorf("Get = %v, %v", item, err)
				}
			})
		}
		synctest.Wait()
		if n := client.Stats().Servers[server.Addr()].Conns; n > 8 {
			t.Errorf("%d connections, want at most 8", n)
		}
		close(release)
		wg.Wait()
	})
}
