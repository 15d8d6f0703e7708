package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestSetServers_OperationsInFlightFinishOnTheOldServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newServer(t, nil), newServer(t, nil)
		client := newClient(t, memcached.Options{DialContext: memcachedtest.Dialer(a, b)}, a)
		set(t, client, "k", "old")
		a.Intercept(delays(map[string]time.Duration{"k": 100 * time.Millisecond}))
		op := getAt(t, client, time.Now(), 0, 0, "k")
		synctest.Wait()
		if err := client.SetServers([]string{b.Addr()}); err != nil {
			t.Fatalf("SetServers = %v", err)
		}
		if _, err := client.Get(t.Context(), "k"); err != memcached.ErrCacheMiss {
			t.Errorf("Get on the new server = %v, want %v", err, memcached.ErrCacheMiss)
		}
		<-op.done
		if op.err != nil || string(op.item.Value) != "old" {
			t.Errorf("Get under way during SetServers = %v, %v, want the item", op.item, op.err)
		}
	})
}

func TestClose_EndsOperationsOnRemovedServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newServer(t, nil), newServer(t, nil)
		client := newClient(t, memcached.Options{DialContext: memcachedtest.Dialer(a, b), Timeout: time.Hour}, a)
		set(t, client, "k", "v")
		a.Intercept(delays(map[string]time.Duration{"k": 30 * time.Minute}))
		start := time.Now()
		op := getAt(t, client, start, 0, 0, "k")
		synctest.Wait()
		if err := client.SetServers([]string{b.Addr()}); err != nil {
			t.Fatalf("SetServers = %v", err)
		}
		_ = client.Close()
		wantTimeout(t, op, "k", 0, memcached.ErrClosed)
	})
}

func TestSetServers_KeepsConnectionsOfServersThatStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newServer(t, nil), newServer(t, nil)
		client := newClient(t, memcached.Options{DialContext: memcachedtest.Dialer(a, b)}, a)
		set(t, client, "k", "v")
		for _, servers := range [][]string{{a.Addr(), b.Addr()}, {b.Addr(), a.Addr()}, {a.Addr()}} {
			if err := client.SetServers(servers); err != nil {
				t.Fatalf("SetServers(%v) = %v", servers, err)
			}
		}
		wantValue(t, client, "k", "v")
		if dials := client.Stats().Servers[a.Addr()].Dials; dials != 1 {
			t.Errorf("%d connections to the server that stayed, want 1", dials)
		}
	})
}

func TestSetServers_StatsDoNotShrink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newServer(t, nil), newServer(t, nil)
		client := newClient(t, memcached.Options{DialContext: memcachedtest.Dialer(a, b)}, a)
		a.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Mute: r.Key == "silent", Delay: delayOf(r.Key == "slow", time.Second/2)}
		})
		for range 10 {
			set(t, client, "k", "v")
		}
		if _, err := client.Get(t.Context(), "silent"); err == nil {
			t.Fatal("Get(silent) = nil")
		}
		op := getAt(t, client, time.Now(), 0, 0, "slow")
		synctest.Wait()
		if err := client.SetServers([]string{b.Addr()}); err != nil {
			t.Fatal(err)
		}
		if s := client.Stats(); s.Ops != 12 || s.Errors != 1 {
			t.Errorf("while the removed server finishes: %d operations, %d errors, want 12 and 1", s.Ops, s.Errors)
		}
		<-op.done
		set(t, client, "k", "v")
		synctest.Wait()
		if s := client.Stats(); s.Ops != 13 || s.Errors != 1 || len(s.Servers) != 1 {
			t.Errorf("Stats() = %+v, want 13 operations, 1 error and 1 server", s)
		}
	})
}

func delayOf(yes bool, d time.Duration) time.Duration {
	if yes {
		return d
	}
	return 0
}

func TestSetServers_RefusesWhatNewRefuses(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{}, server)
	set(t, client, "k", "v")
	for _, servers := range [][]string{nil, {}, {""}, {"a", "a:11211"}, {"cache:0"}} {
		if err := client.SetServers(servers); err == nil || !strings.HasPrefix(err.Error(), "memcached: ") {
			t.Errorf("SetServers(%q) = %v, want an error", servers, err)
		}
	}
	wantValue(t, client, "k", "v") // the old ones stay
	_ = client.Close()
	if err := client.SetServers([]string{"cache"}); !errors.Is(err, memcached.ErrClosed) {
		t.Errorf("SetServers after Close = %v, want %v", err, memcached.ErrClosed)
	}
}

// TestSetServers_EveryOperationSurvivesIt runs what goes to several servers
// while they change.
func TestSetServers_EveryOperationSurvivesIt(t *testing.T) {
	for _, replicate := range []bool{false, true} {
		t.Run(fmt.Sprintf("replicate=%v", replicate), func(t *testing.T) {
			a, b, c := newServer(t, nil), newServer(t, nil), newServer(t, nil)
			client := newClient(t, memcached.Options{Replicate: replicate, Timeout: time.Minute}, a, b, c) // a busy machine is no reason to fail
			item := func() *memcached.Item { return &memcached.Item{Key: "k", Value: []byte("v")} }
			// b is on every list: with Replicate, what it holds is always found.
			for i := range 20 {
				b.SetItem(&memcached.Item{Key: fmt.Sprintf("b%d", i), Value: []byte("v")})
			}
			keys := []string{"b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"}
			operations := map[string]func(ctx context.Context) error{
				"Get":  func(ctx context.Context) error { _, err := client.Get(ctx, "b0"); return err },
				"Set":  func(ctx context.Context) error { return client.Set(ctx, item()) },
				"Ping": client.Ping,
				"Versions": func(ctx context.Context) error {
					versions, err := client.Versions(ctx)
					if err == nil && len(versions) == 0 {
						err = errors.New("no versions")
					}
					return err
				},
				"ServerStats": func(ctx context.Context) error { _, err := client.ServerStats(ctx, ""); return err },
				"GetMulti": func(ctx context.Context) error {
					items, err := client.GetMulti(ctx, keys)
					if err == nil && replicate && len(items) != len(keys) {
						err = fmt.Errorf("%d items of %d", len(items), len(keys))
					}
					return err
				},
				"SetMulti":       func(ctx context.Context) error { return client.SetMulti(ctx, []*memcached.Item{item()}) },
				"DeleteMulti":    func(ctx context.Context) error { return client.DeleteMulti(ctx, []string{"x", "y"}) },
				"IncrementOrSet": func(ctx context.Context) error { _, err := client.IncrementOrSet(ctx, "n", 1, 1, 0); return err },
			}
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for name, do := range operations {
				for range 4 {
					wg.Go(func() {
						for ctx.Err() == nil {
							if err := do(t.Context()); err != nil && (replicate || err != memcached.ErrCacheMiss) {
								t.Errorf("%s = %v", name, err)
								stop()
							}
						}
					})
				}
			}
			sets := [][]string{{b.Addr()}, {b.Addr(), c.Addr()}, {a.Addr(), b.Addr()}, {a.Addr(), b.Addr(), c.Addr()}}
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for i := range 300 {
				if err := client.SetServers(sets[i%len(sets)]); err != nil {
					t.Fatalf("SetServers = %v", err)
				}
				<-tick.C
			}
			stop()
			wg.Wait()
			if s := client.Stats(); s.Errors != 0 {
				t.Errorf("Stats() = %+v after operations none of which failed", s)
			}
		})
	}
}

func TestWeights_ShareKeys(t *testing.T) {
	a, b := newServer(t, nil), newServer(t, nil)
	servers := map[string]*memcachedtest.Server{"a.test:11211": a, "b.test:11211": b}
	client := newNamedClient(t, memcached.Options{Weights: map[string]int{"a.test:11211": 3}}, servers, "a.test:11211", "b.test:11211")
	for i := range 4000 {
		set(t, client, fmt.Sprintf("k%d", i), "v")
	}
	if n := len(a.Keys()); n < 2700 || n > 3300 {
		t.Errorf("a server of weight 3 beside one of weight 1 holds %d of 4000 keys, want about 3000", n)
	}
}

func TestWeights_OfNames(t *testing.T) {
	tests := []struct {
		name    string
		servers []string
		weights map[string]int
		want    string // "" for no error
	}{
		{"as given", []string{"cache-1:11211", "b"}, map[string]int{"cache-1:11211": 2}, ""},
		{"the same server written otherwise", []string{"cache-1:11211", "tcp://b"}, map[string]int{"cache-1": 2, "b": 3}, ""},
		{"unknown", []string{"cache-1", "b"}, map[string]int{"cache-2": 2}, ""},
		{"another port", []string{"cache-1"}, map[string]int{"cache-1:11212": 2}, ""},
		{"no server at all", []string{"cache-1"}, map[string]int{"a:b:c": 2}, "Options.Weights"},
		{"twice", []string{"cache-1"}, map[string]int{"cache-1": 2, "cache-1:11211": 3}, "cache-1"},
		{"zero", []string{"cache-1"}, map[string]int{"cache-1": 0}, "want 1 to"},
		{"negative", []string{"cache-1"}, map[string]int{"cache-1": -1}, "want 1 to"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, err := memcached.New(tt.servers, &memcached.Options{Weights: tt.weights})
			if client != nil {
				_ = client.Close()
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New(%q, weights %v) = %v, want an error with %q", tt.servers, tt.weights, err, tt.want)
			}
		})
	}
}

func TestDistribution_ThatMisbehaves(t *testing.T) {
	a, b := newServer(t, nil), newServer(t, nil)
	tests := map[string]memcached.Distribution{
		"picks beyond":  func([]memcached.Server) func(string) int { return func(string) int { return 2 } },
		"picks below":   func([]memcached.Server) func(string) int { return func(string) int { return -1 } },
		"picks nothing": func([]memcached.Server) func(string) int { return nil },
	}
	for name, distribution := range tests {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, memcached.Options{Distribution: distribution}, a, b)
			_, err := client.Get(t.Context(), "k")
			var op *memcached.OpError
			if !errors.As(err, &op) || !strings.Contains(err.Error(), "Options.Distribution") {
				t.Errorf("Get = %v, want an OpError about Options.Distribution", err)
			}
			if _, err := client.GetMulti(t.Context(), []string{"k"}); !errors.As(err, &op) {
				t.Errorf("GetMulti = %v, want an OpError", err)
			}
		})
	}
}

func TestSetServers_UnderLoadCausesNoError(t *testing.T) {
	a, b, c := newServer(t, nil), newServer(t, nil), newServer(t, nil)
	client := newClient(t, memcached.Options{Timeout: time.Minute}, a, b, c) // a busy machine is no reason to fail
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var ops atomic.Int64
	for g := range 16 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				key := fmt.Sprintf("k%d-%d", g, i%50)
				if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte(key)}); err != nil {
					t.Errorf("Set = %v", err)
					return
				}
				item, err := client.Get(t.Context(), key)
				if err != nil && err != memcached.ErrCacheMiss || err == nil && string(item.Value) != key {
					t.Errorf("Get = %v, %v", item, err)
					return
				}
				if _, err := client.GetMulti(t.Context(), []string{key, "x", "y", "z"}); err != nil {
					t.Errorf("GetMulti = %v", err)
					return
				}
				ops.Add(1)
			}
		})
	}
	sets := [][]string{{a.Addr()}, {b.Addr(), c.Addr()}, {a.Addr(), c.Addr()}, {a.Addr(), b.Addr(), c.Addr()}}
	for i := range 200 {
		if err := client.SetServers(sets[i%len(sets)]); err != nil {
			t.Fatalf("SetServers = %v", err)
		}
		for before := ops.Load(); ops.Load() < before+20 && !t.Failed(); {
			time.Sleep(100 * time.Microsecond)
		}
	}
	stop()
	wg.Wait()
	if s := client.Stats(); s.Errors != 0 {
		t.Errorf("Stats() = %+v after operations none of which failed", s)
	}
}
