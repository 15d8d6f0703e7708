package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestWithTimeout_OfOneOperation: longer and shorter than Options.Timeout, through
// contexts that were derived from it, beside operations that keep theirs on the
// same connection.
func TestWithTimeout_OfOneOperation(t *testing.T) {
	type key struct{}
	for _, timeout := range []time.Duration{time.Second, -1} { // of Options
		for _, tt := range []struct {
			timeout, slow, ends time.Duration
			ok                  bool
		}{
			{5 * time.Second, 3 * time.Second, 3 * time.Second, true},
			{5 * time.Second, 9 * time.Second, 5 * time.Second, false},
			{100 * time.Millisecond, 3 * time.Second, 100 * time.Millisecond, false},
			{-1, 30 * time.Second, 30 * time.Second, true},
		} {
			t.Run(fmt.Sprint(timeout, tt.timeout, tt.slow), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := newServer(t, nil)
					put(server, "slow", "v")
					client := newClient(t, memcached.Options{MaxConns: 1, Timeout: timeout}, server)
					wantValue(t, client, "slow", "v")
					server.Intercept(delays(map[string]time.Duration{"slow": tt.slow}))
					ctx := context.WithValue(memcached.WithTimeout(t.Context(), tt.timeout), key{}, 1)
					start := time.Now()
					ends := make(chan time.Duration)
					go func() {
						time.Sleep(time.Millisecond)
						short, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
						defer cancel()
						_, err := client.Get(short, "behind")
						if err == nil {
							t.Error("Get behind a slow operation = nil")
						}
						ends <- time.Since(start)
					}()
					_, err := client.Get(ctx, "slow")
					if took := time.Since(start); took != tt.ends || (err == nil) != tt.ok {
						t.Errorf("Get = %v after %v, want success %v after %v", err, took, tt.ok, tt.ends)
					}
					if !tt.ok && (!errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "WithTimeout")) {
						t.Errorf("Get = %v, want a timeout that names WithTimeout", err)
					}
					want := 1500 * time.Millisecond
					if timeout > 0 {
						want = timeout + time.Millisecond
					}
					if took := <-ends; took > want+time.Millisecond {
						t.Errorf("the operation behind it ended after %v, want %v", took, want)
					}
				})
			})
		}
	}
}

// TestWithTimeout_LargeMultiGet: it takes longer than a client usually waits.
func TestWithTimeout_LargeMultiGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		keys := make([]string, 400)
		for i := range keys {
			keys[i] = fmt.Sprintf("k%d", i)
			put(server, keys[i], "v")
		}
		client := newClient(t, memcached.Options{}, server)
		server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
			if r.Op == memcachedtest.OpGetK { // the last of each batch
				a.Delay = 700 * time.Millisecond
			}
			return a
		})
		items, err := client.GetMulti(t.Context(), keys)
		if err == nil || len(items) == 400 {
			t.Errorf("GetMulti within Options.Timeout = %d items, %v, want some and an error", len(items), err)
		}
		items, err = client.GetMulti(memcached.WithTimeout(t.Context(), 10*time.Second), keys)
		if err != nil || len(items) != 400 {
			t.Errorf("GetMulti with 10 s = %d items, %v, want 400", len(items), err)
		}
		if _, err := client.ServerStats(memcached.WithTimeout(t.Context(), 10*time.Second), ""); err != nil {
			t.Errorf("ServerStats = %v", err)
		}
		ctx, cancel := context.WithTimeout(memcached.WithTimeout(t.Context(), 10*time.Second), time.Second)
		defer cancel()
		if _, err := client.GetMulti(ctx, keys); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("GetMulti with a context of 1 s = %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

// TestWithTimeout_AForgottenUnitIsRefused: 60 is 60 ns. Nothing is sent.
func TestWithTimeout_AForgottenUnitIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, replicate := range []bool{false, true} {
			server := newServer(t, nil)
			client := newClient(t, memcached.Options{Replicate: replicate}, server)
			for _, timeout := range []time.Duration{1, 60, time.Millisecond - 1} {
				ctx := memcached.WithTimeout(t.Context(), timeout)
				for name, do := range operations() {
					var op *memcached.OpError
					err := do(ctx, client)
					if replicate && strings.Contains(name, "Compare") {
						continue // refused for another reason
					}
					if !errors.As(err, &op) || !strings.Contains(err.Error(), "WithTimeout of "+timeout.String()+": durations have units") || !op.SafeToRetry() {
						t.Errorf("%s with %v = %v, want an OpError that speaks of units", name, timeout, err)
					}
				}
			}
			if n := server.RequestCount(); n != 0 {
				t.Errorf("%d requests were sent, want none", n)
			}
		}
	})
}

// TestTimeout_OfAnOperationThatWaitedBefore: one that waited, here for an earlier
// write of its key, stands behind operations that began later. It does not take
// their time as well.
func TestTimeout_OfAnOperationThatWaitedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Timeout: time.Second, MaxConns: 1}, server)
		set(t, client, "k", "0")
		answered := make(chan struct{})
		var first atomic.Bool
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			if !first.Swap(true) {
				return memcachedtest.Action{Until: answered}
			}
			return memcachedtest.Action{Mute: true}
		})
		start := time.Now()
		time.AfterFunc(900*time.Millisecond, func() { close(answered) })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_ = client.Set(ctx, &memcached.Item{Key: "k", Value: []byte("1")})
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(800 * time.Millisecond)
			_, _ = client.Get(t.Context(), "k")
		})
		err := client.Set(t.Context(), &memcached.Item{Key: "k", Value: []byte("2")})
		if took := time.Since(start); err == nil || took > 1100*time.Millisecond {
			t.Errorf("Set that waited = %v, %v after the first began, want a timeout after 1.05 s", err, took)
		}
		wg.Wait()
	})
}

// TestWithTimeout_OthersBehindItLeaveInTime: who reads for them may wait much longer
// than they, and did so before they came.
func TestWithTimeout_OthersBehindItLeaveInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Second}, server)
		set(t, client, "k", "v")
		server.Intercept(delays(map[string]time.Duration{"slow": 10 * time.Second}))
		time.Sleep(time.Second)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = client.Get(memcached.WithTimeout(t.Context(), 5*time.Second), "slow") })
		for range 3 {
			time.Sleep(10 * time.Millisecond)
			wg.Go(func() {
				start := time.Now()
				_, err := client.Get(t.Context(), "k")
				if took := time.Since(start); err == nil || took != time.Second {
					t.Errorf("Get behind a slow operation = %v after %v, want a timeout after 1s", err, took)
				}
			})
		}
		wg.Wait()
	})
}
