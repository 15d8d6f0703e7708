package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// delays makes the server hold requests back, by key. Connections answer in
// order, so that what follows waits as well.
func delays(byKey map[string]time.Duration) func(memcachedtest.Request) memcachedtest.Action {
	return func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Delay: byKey[r.Key]}
	}
}

// timed is an operation under way and, when it has ended, how.
type timed struct {
	item *memcached.Item
	err  error
	at   time.Duration
	done chan struct{}
}

// getAt starts a Get at a time after start and notes when it ends.
func getAt(t *testing.T, client *memcached.Client, start time.Time, at, limit time.Duration, key string) *timed {
	op := &timed{done: make(chan struct{})}
	go func() {
		defer close(op.done)
		time.Sleep(at - time.Since(start))
		ctx := t.Context()
		if limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, limit)
			defer cancel()
		}
		op.item, op.err = client.Get(ctx, key)
		op.at = time.Since(start)
	}()
	return op
}

// wantTimeout checks that a Get ended without an answer at a given time.
func wantTimeout(t *testing.T, op *timed, key string, at time.Duration, want error) {
	t.Helper()
	<-op.done
	if !errors.Is(op.err, want) {
		t.Errorf("Get(%q) = %v, %v, want %v", key, op.item, op.err, want)
	}
	if op.at != at {
		t.Errorf("Get(%q) ended after %v, want %v", key, op.at, at)
	}
}

func TestSlowServer_EachOperationHasItsOwnTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Second}, server)
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			set(t, client, key, "value of "+key)
		}
		server.Intercept(delays(map[string]time.Duration{"a": 900 * time.Millisecond, "b": 900 * time.Millisecond, "c": 300 * time.Millisecond}))
		start := time.Now()
		// a is answered at 0.9 s, b at 1.8 s, c at 2.1 s. When b and c run out
		// of time the server has just answered somebody, so it is not silent.
		a := getAt(t, client, start, 0, 0, "a")
		b := getAt(t, client, start, 500*time.Millisecond, 0, "b")
		c := getAt(t, client, start, 1000*time.Millisecond, 0, "c")
		d := getAt(t, client, start, 1400*time.Millisecond, 0, "d")
		<-a.done
		if a.err != nil || a.at != 900*time.Millisecond {
			t.Errorf("Get(a) = %v, %v after %v, want the item after 900ms", a.item, a.err, a.at)
		}
		wantTimeout(t, b, "b", 1500*time.Millisecond, memcached.ErrUnavailable)
		wantTimeout(t, c, "c", 2000*time.Millisecond, memcached.ErrUnavailable)
		<-d.done
		if d.err != nil || string(d.item.Value) != "value of d" || d.at != 2100*time.Millisecond {
			t.Errorf("Get(d) = %v, %v after %v, want the item after 2.1s", d.item, d.err, d.at)
		}
		server.Intercept(nil)
		for range 20 { // whatever the calls that ran out of time left behind
			var wg sync.WaitGroup
			for _, key := range []string{"a", "b", "c", "d", "e"} {
				wg.Go(func() {
					if item, err := client.Get(t.Context(), key); err != nil || string(item.Value) != "value of "+key {
						t.Errorf("Get(%q) = %v, %v, want its value", key, item, err)
					}
				})
			}
			wg.Wait()
		}
		if dials := client.Stats().Servers[server.Addr()].Dials; dials != 1 {
			t.Errorf("%d connections, want 1: a slow server keeps its connection", dials)
		}
	})
}

func TestSlowServer_LateAnswersAreNobodyElses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Second}, server)
		const n = 40
		for i := range n {
			set(t, client, fmt.Sprintf("k%d", i), fmt.Sprintf("v%d", i))
		}
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 70 * time.Millisecond}
		})
		start := time.Now()
		// The server needs 70 ms for each request and gets one every 30 ms: it
		// falls behind until operations run out of time, and always answers.
		ops := make([]*timed, n)
		for i := range ops {
			ops[i] = getAt(t, client, start, time.Duration(i)*30*time.Millisecond, 0, fmt.Sprintf("k%d", i))
		}
		hits, timeouts := 0, 0
		for i, op := range ops {
			<-op.done
			began := time.Duration(i) * 30 * time.Millisecond
			switch {
			case op.err == nil && string(op.item.Value) == fmt.Sprintf("v%d", i):
				hits++
			case op.err != nil && errors.Is(op.err, memcached.ErrUnavailable) && op.at == began+time.Second:
				timeouts++
			default:
				t.Errorf("Get(k%d) = %v, %v after %v", i, op.item, op.err, op.at-began)
			}
		}
		if hits < 10 || timeouts < 10 {
			t.Errorf("%d hits and %d timeouts, want some of both", hits, timeouts)
		}
		server.Intercept(nil)
		time.Sleep(10 * time.Second)
		for i := range n {
			wantValue(t, client, fmt.Sprintf("k%d", i), fmt.Sprintf("v%d", i))
		}
	})
}

func TestSlowServer_OverdueCallsOfOthersDoNotDelayTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Second}, server)
		set(t, client, "a", "v")
		server.Intercept(delays(map[string]time.Duration{"a": 500 * time.Millisecond, "b": 5 * time.Second}))
		start := time.Now()
		a := getAt(t, client, start, 0, 0, "a")
		b := getAt(t, client, start, 200*time.Millisecond, 100*time.Millisecond, "b") // leaves, and is due until 5.5 s
		c := getAt(t, client, start, 600*time.Millisecond, 0, "c")
		d := getAt(t, client, start, 700*time.Millisecond, 0, "d")
		<-a.done
		if a.err != nil {
			t.Errorf("Get(a) = %v", a.err)
		}
		wantTimeout(t, b, "b", 300*time.Millisecond, context.DeadlineExceeded)
		wantTimeout(t, c, "c", 1600*time.Millisecond, memcached.ErrUnavailable)
		<-d.done
		if !errors.Is(d.err, memcached.ErrUnavailable) && d.err != memcached.ErrCacheMiss || d.at > 1700*time.Millisecond {
			t.Errorf("Get(d) = %v after %v, want an end within 1.7s", d.err, d.at)
		}
		server.Intercept(nil)
		wantValue(t, client, "a", "v")
	})
}

func TestSilentServer_LosesItsConnectionThoughNobodyWaits(t *testing.T) {
	tests := []struct{ timeout, silence time.Duration }{
		{time.Second, time.Second},
		{-1, 10 * time.Second}, // the limit when Timeout sets none
	}
	for _, tt := range tests {
		t.Run(tt.timeout.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				var dialled, closed atomic.Bool
				dial := func(ctx context.Context, network, address string) (net.Conn, error) {
					nc, err := server.DialContext(ctx, network, address)
					if err == nil && !dialled.Swap(true) {
						nc = &closing{nc, func() { closed.Store(true) }}
					}
					return nc, err
				}
				client := newClient(t, memcached.Options{MaxConns: 1, Timeout: tt.timeout, DialContext: dial}, server)
				set(t, client, "k", "v")
				time.Sleep(time.Minute)
				server.Intercept(delays(map[string]time.Duration{"k": time.Hour}))
				// Callers come and leave; none waits for as long as that.
				start := time.Now()
				for !closed.Load() && time.Since(start) < time.Minute {
					ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
					_, _ = client.Get(ctx, "k")
					cancel()
				}
				if took := time.Since(start); took < tt.silence || took > tt.silence+100*time.Millisecond {
					t.Errorf("the silent connection was given up after %v, want %v", took, tt.silence)
				}
			})
		})
	}
}

func TestGetMulti_TimeoutHoldsBehindLaterOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Second}, server)
		set(t, client, "k", "v")
		keys := make([]string, 250) // more than go out together
		for i := range keys {
			keys[i] = fmt.Sprintf("k%d", i)
		}
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Key == keys[0] {
				return memcachedtest.Action{Delay: 900 * time.Millisecond}
			}
			if r.Key == "late" {
				return memcachedtest.Action{Delay: 10 * time.Second}
			}
			return memcachedtest.Action{}
		})
		start := time.Now()
		late := getAt(t, client, start, 500*time.Millisecond, 0, "late")
		_, err := client.GetMulti(t.Context(), keys)
		if took := time.Since(start); took != time.Second {
			t.Errorf("GetMulti took %v, want 1s", took)
		}
		if !errors.Is(err, memcached.ErrUnavailable) {
			t.Errorf("GetMulti = %v, want %v", err, memcached.ErrUnavailable)
		}
		<-late.done
		if late.err == nil || late.at > 1500*time.Millisecond {
			t.Errorf("Get(late) = %v after %v, want a timeout within 1.5s", late.err, late.at)
		}
	})
}

// answersNothing makes the server hold every request back.
func answersNothing(memcachedtest.Request) memcachedtest.Action {
	return memcachedtest.Action{Delay: 24 * time.Hour}
}

// TestTimeout_BehindResponsesThatNobodyWaitsFor: a goroutine reads those, and goes on
// for longer than a call has that began before the last of them and comes now.
func TestTimeout_BehindResponsesThatNobodyWaitsFor(t *testing.T) {
	const timeout = time.Second
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		var noMore atomic.Bool // connections
		client := newClient(t, memcached.Options{Timeout: timeout, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if noMore.Load() {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return server.DialContext(ctx, network, address)
		}}, server)
		set(t, client, "k", "0")
		twoConnections(t, client, server)
		noMore.Store(true)
		start := time.Now()
		until := func(d time.Duration) { time.Sleep(time.Until(start.Add(d))) }
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			delay := map[string]time.Duration{"first": 500, "k": 800}[r.Key]
			return memcachedtest.Action{Delay: delay * time.Millisecond, Mute: r.Key == "lost"}
		})
		ctx, cancel := context.WithCancel(t.Context())
		writing, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, do := range []func(){ // on the two connections in turn
			func() { _, _ = client.Get(ctx, "first") },
			func() { _ = client.Set(writing, &memcached.Item{Key: "k", Value: []byte("old")}) },
			func() { _, _ = client.Get(ctx, "lost") },
			func() { _, _ = client.Get(ctx, "lost") },
		} {
			wg.Go(do)
			synctest.Wait()
		}
		until(100 * time.Millisecond)
		leave()
		time.AfterFunc(450*time.Millisecond, cancel)
		until(300 * time.Millisecond)
		// It waits for the other write until 800 ms, and then for an answer of the first
		// connection, which has sent something at 500 ms.
		err := client.Set(t.Context(), &memcached.Item{Key: "k", Value: []byte("new")})
		if took := time.Since(start) - 300*time.Millisecond; err == nil || took != timeout {
			t.Errorf("Set behind what nobody answers = %v after %v, want an error after %v", err, took, timeout)
		}
		wg.Wait()
	})
}
