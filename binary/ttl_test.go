package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestTTL_EveryOperationThatTakesOne(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, do := range map[string]func(ctx context.Context, c *memcached.Client, ttl time.Duration) error{
		"Set": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			return c.Set(ctx, &memcached.Item{Key: "k", TTL: ttl})
		},
		"Add": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			_ = c.Delete(ctx, "k")
			return c.Add(ctx, &memcached.Item{Key: "k", TTL: ttl})
		},
		"Replace": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			return c.Replace(ctx, &memcached.Item{Key: "k", TTL: ttl})
		},
		"CompareAndSwap": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			item, err := c.Get(ctx, "k")
			if err != nil {
				return err
			}
			item.TTL = ttl
			return c.CompareAndSwap(ctx, item)
		},
		"SetMulti": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			return c.SetMulti(ctx, []*memcached.Item{{Key: "k", TTL: ttl}})
		},
		"SetMulti of a large value": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			return c.SetMulti(ctx, []*memcached.Item{{Key: "k", Value: make([]byte, 100_000), TTL: ttl}})
		},
		"Touch": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			return c.Touch(ctx, "k", ttl)
		},
		"GetAndTouch": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			_, err := c.GetAndTouch(ctx, "k", ttl)
			return err
		},
		"IncrementOrSet": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			_ = c.Delete(ctx, "k")
			_, err := c.IncrementOrSet(ctx, "k", 1, 1, ttl)
			return err
		},
		"DecrementOrSet": func(ctx context.Context, c *memcached.Client, ttl time.Duration) error {
			_ = c.Delete(ctx, "k")
			_, err := c.DecrementOrSet(ctx, "k", 1, 1, ttl)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{}, server)
				for _, tt := range []struct{ ttl, want time.Duration }{
					{0, 0},
					{time.Minute, time.Minute},
					{1500 * time.Millisecond, 2 * time.Second},
					{30 * 24 * time.Hour, 30 * 24 * time.Hour},
					{year, year},
					{-time.Second, -1},
				} {
					put(server, "k", "v")
					if err := do(t.Context(), client, tt.ttl); err != nil {
						t.Fatalf("%s with TTL %v = %v", name, tt.ttl, err)
					}
					item, ok := server.Item("k")
					switch {
					case tt.want < 0:
						if ok {
							t.Errorf("%s with TTL %v left an item for %v", name, tt.ttl, item.TTL)
						}
					case !ok || item.TTL > tt.want || item.TTL < tt.want-2*time.Second:
						t.Errorf("%s with TTL %v left %+v, want one for %v", name, tt.ttl, item, tt.want)
					}
				}
			})
		})
	}
}

// TestTTL_AForgottenUnitIsRefused: TTL: 60 compiles and is 60 ns. Nothing is sent.
func TestTTL_AForgottenUnitIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		ctx := t.Context()
		for _, ttl := range []time.Duration{1, 60, time.Millisecond - 1} {
			item := &memcached.Item{Key: "k", TTL: ttl, CAS: 1}
			_, errGet := client.GetAndTouch(ctx, "k", ttl)
			_, errIncrement := client.IncrementOrSet(ctx, "k", 1, 1, ttl)
			_, errDecrement := client.DecrementOrSet(ctx, "k", 1, 1, ttl)
			for name, err := range map[string]error{
				"set": client.Set(ctx, item), "add": client.Add(ctx, item), "replace": client.Replace(ctx, item),
				"compare_and_swap": client.CompareAndSwap(ctx, item), "touch": client.Touch(ctx, "k", ttl),
				"get_and_touch": errGet, "increment_or_set": errIncrement, "decrement_or_set": errDecrement,
				"flush_all": client.FlushAll(ctx, ttl), "set_multi": client.SetMulti(ctx, []*memcached.Item{item}),
			} {
				var op *memcached.OpError
				if !errors.As(err, &op) || op.Op != name || !strings.Contains(op.Error(), ttl.String()+": durations have units") || !op.SafeToRetry() {
					t.Errorf("%s with %v = %v, want an OpError that speaks of units", name, ttl, err)
				}
			}
		}
		if n := server.RequestCount(); n != 0 {
			t.Errorf("%d requests were sent, want none", n)
		}
		if err := client.Set(ctx, &memcached.Item{Key: "k", TTL: time.Millisecond}); err != nil {
			t.Errorf("Set with 1ms = %v, want nil", err)
		}
	})
}

func TestIncrementOrSet_AnExistingNumberKeepsItsTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		server.SetItem(&memcached.Item{Key: "n", Value: []byte("1"), TTL: time.Hour})
		if n, err := client.IncrementOrSet(t.Context(), "n", 1, 100, time.Minute); n != 2 || err != nil {
			t.Errorf("IncrementOrSet = %d, %v, want 2", n, err)
		}
		if item, _ := server.Item("n"); item.TTL < 59*time.Minute {
			t.Errorf("the number lives for %v, want its own hour", item.TTL)
		}
	})
}

func TestCounters_AbsorbTheLostCreationRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		for lost := range 8 {
			n := 0
			server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
				if n++; n <= lost {
					return memcachedtest.Action{Status: memcached.StatusNotStored}
				}
				return memcachedtest.Action{}
			})
			key := fmt.Sprintf("n%d", lost)
			if got, err := client.IncrementOrSet(t.Context(), key, 1, 5, 0); got != 5 || err != nil {
				t.Errorf("IncrementOrSet that lost the race %d times = %d, %v, want 5", lost, got, err)
			}
			n = 0
			if got, err := client.DecrementOrSet(t.Context(), key, 2, 5, 0); got != 3 || err != nil {
				t.Errorf("DecrementOrSet that lost the race %d times = %d, %v, want 3", lost, got, err)
			}
		}
		server.ForgetRequests()
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Status: memcached.StatusNotStored}
		})
		if _, err := client.IncrementOrSet(t.Context(), "never", 1, 5, 0); err != memcached.ErrNotStored {
			t.Errorf("IncrementOrSet that loses for ever = %v, want %v", err, memcached.ErrNotStored)
		}
		if n := server.RequestCount(); n > 20 {
			t.Errorf("%d attempts, want an end", n)
		}
	})
}

func TestFlushAll_Delay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		for _, after := range []time.Duration{0, -time.Second} {
			set(t, client, "k", "v")
			time.Sleep(2 * time.Second)
			if err := client.FlushAll(t.Context(), after); err != nil {
				t.Fatalf("FlushAll(%v) = %v", after, err)
			}
			if _, err := client.Get(t.Context(), "k"); err != memcached.ErrCacheMiss {
				t.Errorf("Get after FlushAll(%v) = %v, want %v", after, err, memcached.ErrCacheMiss)
			}
			time.Sleep(2 * time.Second)
		}
		set(t, client, "k", "v")
		if err := client.FlushAll(t.Context(), 10*time.Second); err != nil {
			t.Fatal(err)
		}
		wantValue(t, client, "k", "v")
		time.Sleep(8 * time.Second)
		wantValue(t, client, "k", "v")
		time.Sleep(4 * time.Second)
		if _, err := client.Get(t.Context(), "k"); err != memcached.ErrCacheMiss {
			t.Errorf("Get 12 s after FlushAll(10s) = %v, want %v", err, memcached.ErrCacheMiss)
		}
	})
}

// TestCounters_TheCreationRaceHasOneTimeout: trying again does not begin the
// time of the operation anew.
func TestCounters_TheCreationRaceHasOneTimeout(t *testing.T) {
	for _, replicate := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, nil)
			client := newClient(t, memcached.Options{Timeout: time.Second, Replicate: replicate}, server)
			set(t, client, "k", "v")
			server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
				return memcachedtest.Action{Delay: 400 * time.Millisecond, Status: memcached.StatusNotStored}
			})
			start := time.Now()
			_, err := client.IncrementOrSet(t.Context(), "n", 1, 1, 0)
			var op *memcached.OpError
			if !errors.As(err, &op) || !op.Timeout() {
				t.Errorf("IncrementOrSet = %v, want a timeout", err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("IncrementOrSet with a Timeout of 1s took %v", took)
			}
		})
	}
}
