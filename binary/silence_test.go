package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// halfSilent starts 200 servers. silence makes half of them accept connections
// and requests, and answer nothing.
func halfSilent(t *testing.T) (servers []*memcachedtest.Server, silence func()) {
	t.Helper()
	for range 200 {
		servers = append(servers, newServer(t, nil))
	}
	return servers, func() {
		for i, s := range servers {
			if i%2 == 0 {
				s.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Skip: true} })
			}
		}
	}
}

// TestSilence_HalfOfTheServers: a multi-get takes no time when the client knows.
func TestSilence_HalfOfTheServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, silence := halfSilent(t)
		client := newClient(t, memcached.Options{}, servers...)
		keys := numbered("k", 400)
		silence()
		for round := range 10 {
			start := time.Now()
			_, err := client.GetMulti(t.Context(), keys)
			if !errors.Is(err, memcached.ErrUnavailable) {
				t.Fatalf("GetMulti = %v, want %v", err, memcached.ErrUnavailable)
			}
			if took := time.Since(start); round > 0 && took > 0 {
				t.Errorf("GetMulti %d took %v, want no time", round, took)
			}
			time.Sleep(time.Second)
		}
	})
}

// TestSilence_NobodyPaysTwice: callers who want one key at a time wait for a
// silent server when they meet it first, and nobody waits for it again.
func TestSilence_NobodyPaysTwice(t *testing.T) {
	const (
		callers = 16
		silent  = 100
		lasts   = 25 * time.Second
		met     = 15 * time.Second // by then each server has been met
	)
	for _, ejectAfter := range []int{0, 1} {
		for _, connected := range []bool{false, true} {
			t.Run(fmt.Sprintf("EjectAfter=%d/connected=%v", ejectAfter, connected), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					servers, silence := halfSilent(t)
					network := newFlaky(servers...)
					client := newClient(t, memcached.Options{EjectAfter: ejectAfter, DialContext: network.DialContext}, servers...)
					keys := numbered("k", 2000)
					if connected {
						if _, err := client.GetMulti(t.Context(), keys); err != nil {
							t.Fatal(err)
						}
					}
					silence()
					var operations, first, again atomic.Int64
					begin := time.Now()
					var wg sync.WaitGroup
					for caller := range callers {
						wg.Go(func() {
							for i := caller; time.Since(begin) < lasts; i += callers {
								start := time.Now()
								_, _ = client.Get(t.Context(), keys[i%len(keys)])
								switch {
								case time.Since(start) == 0:
									operations.Add(1)
								case start.Sub(begin) < met:
									first.Add(1)
								default:
									again.Add(1)
								}
								time.Sleep(20 * time.Millisecond)
							}
						})
					}
					wg.Wait()
					if n := operations.Load(); n < 1000 {
						t.Errorf("%d operations in %v", n, lasts)
					}
					// Callers who come while others wait for a server wait with them.
					if n := first.Load(); n > 4*silent {
						t.Errorf("%d operations waited for %d silent servers", n, silent)
					}
					if n := again.Load(); n > 0 {
						t.Errorf("%d operations waited for servers that were known to be silent", n)
					}
					if n := network.dials.Load(); n > 100*silent {
						t.Errorf("%d connection attempts in %v", n, lasts)
					}
				})
			})
		}
	}
}

// TestSilence_WhoComesNextWaitsForANewConnection: 50 ms, or eight times as long as
// the last one took; who comes later waits for nothing.
func TestSilence_WhoComesNextWaitsForANewConnection(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		time.Millisecond:       50 * time.Millisecond,
		20 * time.Millisecond:  160 * time.Millisecond,
		300 * time.Millisecond: time.Second, // no more than Timeout
	} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, nil)
			client := newClient(t, memcached.Options{}, server)
			server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
				if r.Op == memcachedtest.OpNoop {
					a.Delay = took
				}
				return a
			})
			set(t, client, "k", "v")
			server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Skip: true} })
			for i, limit := range []time.Duration{time.Second, want, 0, 0} {
				start := time.Now()
				if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrUnavailable) {
					t.Errorf("Get = %v, want %v", err, memcached.ErrUnavailable)
				}
				if waited := time.Since(start); waited != limit {
					t.Errorf("a connection took %v: operation %d waited for %v, want %v", took, i, waited, limit)
				}
			}
		})
	}
}

// TestSilence_NobodyWaitsForAnAttemptThatBeganBefore for longer than for a new one:
// the client was about to open one more connection when the server fell silent.
func TestSilence_NobodyWaitsForAnAttemptThatBeganBefore(t *testing.T) {
	for _, ends := range []string{"Timeout", "context"} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, nil)
			client := newClient(t, memcached.Options{}, server)
			server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Delay: time.Millisecond} })
			set(t, client, "k", "v")
			time.Sleep(time.Second)
			server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Skip: true} })
			get := func(limit time.Duration) time.Duration {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				start := time.Now()
				if _, err := client.Get(ctx, "k"); err == nil {
					t.Error("Get of a silent server = nil")
				}
				return time.Since(start)
			}
			first, second := time.Hour, time.Hour // Options.Timeout ends both, a second after the first began
			if ends == "context" {
				first, second = 900*time.Millisecond, 400*time.Millisecond
			}
			var wg sync.WaitGroup
			wg.Go(func() { get(first) })
			time.Sleep(500 * time.Millisecond)
			wg.Go(func() { get(second) }) // beside the first, for which the client dials
			wg.Wait()
			if waited := get(time.Hour); waited > 50*time.Millisecond {
				t.Errorf("the next operation after the %s waited for %v, want 50ms", ends, waited)
			}
			if waited := get(time.Hour); waited > 0 {
				t.Errorf("the one after it waited for %v, want no time", waited)
			}
		})
	}
}
