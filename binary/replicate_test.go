package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// replicas returns three servers and a client that keeps every key on each.
func replicas(t *testing.T, opts memcached.Options) ([]*memcachedtest.Server, *memcached.Client, *flaky) {
	t.Helper()
	servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil), newServer(t, nil)}
	network := newFlaky(servers...)
	opts.Replicate, opts.DialContext = true, network.DialContext
	return servers, newClient(t, opts, servers...), network
}

// wantStored checks what a server holds; "" is nothing.
func wantStored(t *testing.T, servers []*memcachedtest.Server, key string, want ...string) {
	t.Helper()
	for i, s := range servers {
		item, ok := s.Item(key)
		switch {
		case ok && string(item.Value) != want[i]:
			t.Errorf("server %d holds %q under %q, want %q", i, item.Value, key, want[i])
		case !ok && want[i] != "":
			t.Errorf("server %d does not hold %q, want %q", i, key, want[i])
		}
	}
}

func put(s *memcachedtest.Server, key, value string) {
	s.SetItem(&memcached.Item{Key: key, Value: []byte(value)})
}

func TestReplicate_WritesGoToAllServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, client, _ := replicas(t, memcached.Options{})
		ctx := t.Context()
		item := &memcached.Item{Key: "k", Value: []byte("b")}
		steps := []struct {
			name string
			do   func() error
			want string // on every server
		}{
			{"Set", func() error { return client.Set(ctx, item) }, "b"},
			{"Append", func() error { return client.Append(ctx, "k", []byte("c")) }, "bc"},
			{"Prepend", func() error { return client.Prepend(ctx, "k", []byte("a")) }, "abc"},
			{"Replace", func() error { return client.Replace(ctx, item) }, "b"},
			{"Touch", func() error { return client.Touch(ctx, "k", time.Minute) }, "b"},
			{"GetAndTouch", func() error { _, err := client.GetAndTouch(ctx, "k", time.Hour); return err }, "b"},
			{"Delete", func() error { return client.Delete(ctx, "k") }, ""},
			{"Add", func() error { return client.Add(ctx, item) }, "b"},
			{"DeleteMulti", func() error { return client.DeleteMulti(ctx, []string{"k"}) }, ""},
			{"SetMulti", func() error { return client.SetMulti(ctx, []*memcached.Item{item}) }, "b"},
			{"FlushAll", func() error { return client.FlushAll(ctx, 0) }, ""},
		}
		for _, step := range steps {
			if err := step.do(); err != nil {
				t.Errorf("%s = %v", step.name, err)
			}
			wantStored(t, servers, "k", step.want, step.want, step.want)
			if step.name == "GetAndTouch" {
				for i, s := range servers {
					if item, _ := s.Item("k"); item.TTL < 59*time.Minute {
						t.Errorf("server %d keeps the item for %v, want an hour", i, item.TTL)
					}
				}
			}
		}
	})
}

func TestReplicate_AWriteSucceedsWhereAnyServerDoesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, client, network := replicas(t, memcached.Options{})
		network.set(servers[0], true)
		set(t, client, "k", "v")
		wantStored(t, servers, "k", "", "v", "v")
		wantValue(t, client, "k", "v")
		if err := client.SetMulti(t.Context(), []*memcached.Item{{Key: "m", Value: []byte("v")}}); err != nil {
			t.Errorf("SetMulti with one server down = %v", err)
		}
		put(servers[2], "third", "v")
		if err := client.Delete(t.Context(), "third"); err != nil {
			t.Errorf("Delete of what one server holds = %v", err)
		}
		network.set(servers[1], true)
		network.set(servers[2], true)
		for _, s := range servers {
			s.Stop()
		}
		if err := client.Set(t.Context(), &memcached.Item{Key: "k"}); !errors.Is(err, memcached.ErrUnavailable) {
			t.Errorf("Set with all servers down = %v, want %v", err, memcached.ErrUnavailable)
		}
		err := client.SetMulti(t.Context(), []*memcached.Item{{Key: "k"}, {Key: "l"}})
		wantKeys(t, err, memcached.ErrUnavailable, "k", "l")
	})
}

func TestReplicate_AReadTakesTheFirstHit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, client, network := replicas(t, memcached.Options{})
		put(servers[1], "k", "second")
		put(servers[2], "k", "third")
		put(servers[2], "only", "third")
		wantValue(t, client, "k", "second")
		put(servers[0], "k", "first")
		wantValue(t, client, "k", "first")
		wantValue(t, client, "only", "third")
		value, _, err := client.AppendValue(t.Context(), []byte("> "), "only")
		if string(value) != "> third" || err != nil {
			t.Errorf("AppendValue = %q, %v, want %q", value, err, "> third")
		}
		if _, err := client.Get(t.Context(), "miss"); err != memcached.ErrCacheMiss {
			t.Errorf("Get(miss) = %v, want %v", err, memcached.ErrCacheMiss)
		}
		items, err := client.GetMulti(t.Context(), []string{"k", "only", "miss", "k"})
		if err != nil || len(items) != 2 || string(items["k"].Value) != "first" || string(items["only"].Value) != "third" {
			t.Errorf("GetMulti = %v, %v, want k of the first server and only of the third", items, err)
		}

		network.set(servers[0], true)
		servers[0].Stop()
		wantValue(t, client, "k", "second")
		if _, err := client.Get(t.Context(), "miss"); err != memcached.ErrCacheMiss {
			t.Errorf("Get(miss) with one server down = %v, want the miss of the others", err)
		}
		if items, err = client.GetMulti(t.Context(), []string{"k", "miss"}); err != nil || len(items) != 1 || string(items["k"].Value) != "second" {
			t.Errorf("GetMulti with one server down = %v, %v, want k of the second", items, err)
		}
	})
}

func TestReplicate_StatsCountAKeyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, client, _ := replicas(t, memcached.Options{})
		put(servers[2], "k", "v")
		for _, key := range []string{"k", "miss"} {
			_, _ = client.Get(t.Context(), key)
			_, _ = client.GetAndTouch(t.Context(), key, 0)
			_, _ = client.GetMulti(t.Context(), []string{key, key + "2"})
		}
		if s := client.Stats(); s.Gets != 8 || s.Hits != 3 || s.Misses != 5 {
			t.Errorf("Stats() = %d gets, %d hits, %d misses, want 8, 3, 5", s.Gets, s.Hits, s.Misses)
		}
	})
}

func TestReplicate_CountersAnswerOfTheFirstServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, client, network := replicas(t, memcached.Options{})
		for i, s := range servers {
			put(s, "n", fmt.Sprint((i+1)*100))
		}
		if n, err := client.Increment(t.Context(), "n", 1); n != 101 || err != nil {
			t.Errorf("Increment = %d, %v, want 101", n, err)
		}
		if n, err := client.Decrement(t.Context(), "n", 1); n != 100 || err != nil {
			t.Errorf("Decrement = %d, %v, want 100", n, err)
		}
		wantStored(t, servers, "n", "100", "200", "300")
		network.set(servers[0], true)
		servers[0].Stop()
		if n, err := client.Increment(t.Context(), "n", 5); n != 205 || err != nil {
			t.Errorf("Increment with the first server down = %d, %v, want 205", n, err)
		}
		if n, err := client.IncrementOrSet(t.Context(), "new", 1, 7, 0); n != 7 || err != nil {
			t.Errorf("IncrementOrSet = %d, %v, want 7", n, err)
		}
		put(servers[1], "text", "x")
		put(servers[2], "text", "x")
		if _, err := client.Increment(t.Context(), "text", 1); !errors.Is(err, memcached.ErrNotNumber) {
			t.Errorf("Increment of a text with one server down = %v, want %v: what the others said", err, memcached.ErrNotNumber)
		}
	})
}

func TestReplicate_RefusesVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, client, _ := replicas(t, memcached.Options{})
		set(t, client, "k", "v")
		item, err := client.Get(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		items, err := client.GetMulti(t.Context(), []string{"k"})
		if err != nil || item.CAS != 0 || items["k"].CAS != 0 {
			t.Errorf("Get and GetMulti = %+v, %+v, %v, want no versions", item, items["k"], err)
		}
		sent := servers[0].RequestCount()
		for name, err := range map[string]error{
			"CompareAndSwap":   client.CompareAndSwap(t.Context(), item),
			"CompareAndDelete": client.CompareAndDelete(t.Context(), "k", item.CAS),
		} {
			var op *memcached.OpError
			if !errors.As(err, &op) || errors.Is(err, memcached.ErrCASConflict) {
				t.Errorf("%s = %v, want an OpError that refuses it", name, err)
			}
		}
		if n := servers[0].RequestCount(); n != sent {
			t.Errorf("%d requests were sent, want none", n-sent)
		}
	})
}

func TestReplicate_ASilentServerLeavesTheOthersTime(t *testing.T) {
	for _, viaContext := range []bool{false, true} {
		t.Run(fmt.Sprintf("context=%v", viaContext), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers, client, _ := replicas(t, memcached.Options{Timeout: 3 * time.Second})
				set(t, client, "k", "v")
				set(t, client, "k2", "v")
				servers[0].Intercept(func(memcachedtest.Request) memcachedtest.Action {
					return memcachedtest.Action{Delay: time.Hour}
				})
				ctx, limit := t.Context(), 3*time.Second
				if viaContext {
					limit = 600 * time.Millisecond
				}
				ctx, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				start := time.Now()
				item, err := client.Get(ctx, "k")
				if err != nil || string(item.Value) != "v" {
					t.Errorf("Get = %v, %v, want what the second server holds", item, err)
				}
				if took := time.Since(start); took > limit/2 {
					t.Errorf("Get took %v, want about a third of %v", took, limit)
				}
				ctx, cancel = context.WithTimeout(t.Context(), limit)
				defer cancel()
				items, err := client.GetMulti(ctx, []string{"k", "k2"})
				if err != nil || len(items) != 2 {
					t.Errorf("GetMulti = %v, %v, want what the second server holds", items, err)
				}
			})
		})
	}
}

func TestReplicate_LeavesWhenTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, client, _ := replicas(t, memcached.Options{})
		set(t, client, "k", "v")
		for _, s := range servers {
			s.Intercept(func(memcachedtest.Request) memcachedtest.Action {
				return memcachedtest.Action{Delay: time.Hour}
			})
		}
		for _, do := range []func(ctx context.Context) error{
			func(ctx context.Context) error { _, err := client.Get(ctx, "k"); return err },
			func(ctx context.Context) error { return client.Set(ctx, &memcached.Item{Key: "k"}) },
			func(ctx context.Context) error { _, err := client.GetMulti(ctx, []string{"k"}); return err },
			func(ctx context.Context) error { return client.DeleteMulti(ctx, []string{"k"}) },
		} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			start := time.Now()
			if err := do(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("error = %v, want %v", err, context.Canceled)
			}
			if took := time.Since(start); took > 52*time.Millisecond {
				t.Errorf("took %v, want 50ms", took)
			}
		}
	})
}

func TestReplicate_AServerThatMissesItsShareKeepsItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, client, _ := replicas(t, memcached.Options{Timeout: 3 * time.Second, EjectAfter: 1})
		set(t, client, "k", "v")
		time.Sleep(time.Minute)
		servers[0].Intercept(delays(map[string]time.Duration{"k": 2 * time.Second}))
		wantValue(t, client, "k", "v") // after the share of the first, 1 s
		time.Sleep(2 * time.Second)
		if s := client.Stats().Servers[servers[0].Addr()]; s.Dials != 1 || s.Ejected {
			t.Errorf("the slow server after it: %+v, want its one connection", s)
		}
	})
}
