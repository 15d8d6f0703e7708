package memcached_test

import (
	"context"
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

func TestCancel_OnAConnectionThatWasIdleCostsNothing(t *testing.T) {
	for _, timeout := range []time.Duration{time.Second, -1} {
		t.Run(timeout.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{MaxConns: 1, Timeout: timeout, EjectAfter: 1}, server)
				set(t, client, "k", "v")
				set(t, client, "slow", "v")
				server.Intercept(delays(map[string]time.Duration{"slow": 100 * time.Millisecond}))
				for range 3 {
					time.Sleep(time.Hour)
					ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
					if _, err := client.Get(ctx, "slow"); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Get = %v, want %v", err, context.DeadlineExceeded)
					}
					cancel()
					wantValue(t, client, "k", "v")
				}
				if s := client.Stats().Servers[server.Addr()]; s.Dials != 1 || s.Ejected {
					t.Errorf("after three cancelled operations: %+v, want the one connection", s)
				}
			})
		})
	}
}
