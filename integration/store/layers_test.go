package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/marshaler"
	"github.com/eko/gocache/lib/v4/metrics"
	libstore "github.com/eko/gocache/lib/v4/store"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/store"
)

type book struct {
	Title string
	Pages int
}

// localStore is a store in the memory of the process.
func localStore() libstore.StoreInterface {
	return gocachestore.NewGoCache(gocache.New(gocache.NoExpiration, 0))
}

func checkCache[T any](t *testing.T, s libstore.StoreInterface, value T, equal func(a, b T) bool) {
	t.Helper()
	ctx := t.Context()
	c := cache.New[T](s)
	key := struct{ A, B int }{1, 2} // gocache makes a string of it
	if _, err := c.Get(ctx, key); !errors.Is(err, libstore.NotFound{}) {
		t.Errorf("%T: Get of nothing = %v, want NotFound", value, err)
	}
	if err := c.Set(ctx, key, value, libstore.WithExpiration(time.Hour), libstore.WithTags([]string{"t"})); err != nil {
		t.Fatalf("%T: Set = %v", value, err)
	}
	got, ttl, err := c.GetWithTTL(ctx, key)
	if err != nil || !equal(got, value) || ttl > time.Hour || ttl < 59*time.Minute {
		t.Errorf("%T: GetWithTTL = %v, %v, %v, want %v and an hour", value, got, ttl, err, value)
	}
	if stored, err := c.SetIfNotExists(ctx, key, value); stored || err != nil {
		t.Errorf("%T: SetIfNotExists = %v, %v, want false", value, stored, err)
	}
	if err := c.Invalidate(ctx, libstore.WithInvalidateTags([]string{"t"})); err != nil {
		t.Errorf("%T: Invalidate = %v", value, err)
	}
	if got, err := c.Get(ctx, key); !errors.Is(err, libstore.NotFound{}) {
		t.Errorf("%T: Get after Invalidate = %v, %v, want NotFound", value, got, err)
	}
	if stored, err := c.SetIfNotExists(ctx, key, value); !stored || err != nil {
		t.Errorf("%T: SetIfNotExists = %v, %v, want true", value, stored, err)
	}
	if got, err := c.Get(ctx, key); err != nil || !equal(got, value) {
		t.Errorf("%T: Get = %v, %v, want %v", value, got, err, value)
	}
	if err := c.Delete(ctx, key); err != nil {
		t.Errorf("%T: Delete = %v", value, err)
	}
	if got, err := c.Get(ctx, key); !errors.Is(err, libstore.NotFound{}) {
		t.Errorf("%T: Get after Delete = %v, %v, want NotFound", value, got, err)
	}
	stats := c.GetCodec().GetStats()
	if stats.Hits != 2 || stats.Miss != 3 || stats.SetSuccess != 3 || stats.SetError != 0 ||
		stats.DeleteSuccess != 1 || stats.InvalidateSuccess != 1 {
		t.Errorf("%T: the codec's statistics are %+v", value, *stats)
	}
	if err := c.Close(); err != nil {
		t.Errorf("%T: Close = %v", value, err)
	}
}

func same[T comparable](a, b T) bool { return a == b }

func TestLayers_Cache(t *testing.T) {
	_, client := open(t)
	for name, opts := range map[string]*store.Options{"plain": nil, "prefix": {Prefix: "p:"}} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, client, opts)
			checkCache(t, s, []byte("bytes\x00"), func(a, b []byte) bool { return string(a) == string(b) })
			checkCache(t, s, "text", same)
			checkCache(t, s, int64(-42), same)
			checkCache(t, s, any(uint16(7)), same)
			checkCache(t, newTyped[book](t, client, opts), book{"Emma", 474}, same)
			checkCache(t, newTyped[*book](t, client, opts), &book{"Emma", 474}, func(a, b *book) bool { return a != nil && *a == *b })
		})
	}
	c := cache.New[string](store.New(client))
	if err := c.Set(t.Context(), "k", "v"); err != nil {
		t.Fatal(err)
	}
	if err := c.Clear(t.Context()); err != nil {
		t.Errorf("Clear = %v", err)
	}
	if _, err := c.Get(t.Context(), "k"); !errors.Is(err, libstore.NotFound{}) {
		t.Errorf("Get after Clear = %v, want NotFound", err)
	}
}

// The chain keeps a copy in memory for the time that the item has left in
// memcached.
func TestLayers_ChainKeepsCopiesForTheTimeThatIsLeft(t *testing.T) {
	_, client := open(t)
	raw := newStore(t, client, &store.Options{UnknownTTL: 7 * time.Minute})
	local := localStore()
	chain := cache.NewChain[string](cache.New[string](local), cache.New[string](raw))
	defer chain.Close()

	if err := raw.Set(t.Context(), "stamped", "v", libstore.WithExpiration(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := raw.Set(t.Context(), "for ever", "v"); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(t.Context(), &memcached.Item{Key: "foreign", Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]time.Duration{"stamped": 10 * time.Minute, "foreign": 7 * time.Minute} {
		if got, err := chain.Get(t.Context(), key); err != nil || got != "v" {
			t.Errorf("Get(%q) = %q, %v, want v", key, got, err)
		}
		var ttl time.Duration
		eventually(t, "the copy of "+key, func() bool {
			var err error
			_, ttl, err = local.GetWithTTL(t.Context(), key)
			return err == nil
		})
		if ttl > want || ttl < want-time.Minute {
			t.Errorf("the copy of %q lives %v, want up to %v", key, ttl, want)
		}
	}
	if got, err := chain.Get(t.Context(), "for ever"); err != nil || got != "v" {
		t.Errorf("Get = %q, %v, want v", got, err)
	}
}

// Costs and tags pass through to both layers.
func TestLayers_ChainWritesAndInvalidatesBoth(t *testing.T) {
	_, client := open(t)
	s := store.New(client)
	chain := cache.NewChain[string](cache.New[string](localStore()), cache.New[string](s))
	defer chain.Close()
	err := chain.Set(t.Context(), "k", "v", libstore.WithCost(3), libstore.WithExpiration(time.Hour), libstore.WithTags([]string{"t"}))
	if err != nil {
		t.Fatal(err)
	}
	wantHit(t, s, "k", "v")
	if err := chain.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"})); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "k")
	if got, err := chain.Get(t.Context(), "k"); err == nil {
		t.Errorf("Get after Invalidate = %q, want nothing", got)
	}
}

// The chain drops the errors of Delete, Invalidate and Clear.
func TestLayers_ChainErrorsComeToLight(t *testing.T) {
	server, client := open(t)
	var ops atomic.Int32
	s := newStore(t, client, &store.Options{OnError: func(_ string, err error) {
		if errors.Is(err, memcached.ErrUnavailable) {
			ops.Add(1)
		}
	}})
	chain := cache.NewChain[string](cache.New[string](localStore()), cache.New[string](s))
	defer chain.Close()
	server.Stop()
	for name, err := range map[string]error{
		"Delete":     chain.Delete(t.Context(), "k"),
		"Invalidate": chain.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"})),
		"Clear":      chain.Clear(t.Context()),
	} {
		if err != nil {
			t.Errorf("the chain's %s = %v: it does not drop errors any more", name, err)
		}
	}
	if ops.Load() != 3 {
		t.Errorf("OnError was told of %d faults, want 3", ops.Load())
	}
}

func TestLayers_LoadableLoadsOnce(t *testing.T) {
	_, client := open(t)
	s := store.New(client)
	var loads atomic.Int32
	loadable := cache.NewLoadable(func(_ context.Context, key any) (string, []libstore.Option, error) {
		loads.Add(1)
		return "loaded " + key.(string), []libstore.Option{libstore.WithExpiration(time.Hour)}, nil
	}, cache.New[string](s))
	workers(32, func(int) {
		if got, err := loadable.Get(t.Context(), "k"); err != nil || got != "loaded k" {
			t.Errorf("Get = %q, %v, want it loaded", got, err)
		}
	})
	if err := loadable.Close(); err != nil { // when the background writes are done
		t.Fatal(err)
	}
	if loads.Load() != 1 {
		t.Errorf("32 calls at once loaded %d times, want once", loads.Load())
	}
	wantHit(t, s, "k", "loaded k")
	if _, ttl, err := s.GetWithTTL(t.Context(), "k"); err != nil || ttl < 59*time.Minute {
		t.Errorf("GetWithTTL = %v, %v, want the loader's hour", ttl, err)
	}
}

// When the cache is unavailable, a request takes the timeout longer.
func TestLayers_LoadableSurvivesADeadServer(t *testing.T) {
	server, client := open(t)
	loadable := cache.NewLoadable(func(context.Context, any) (string, []libstore.Option, error) {
		return "loaded", nil, nil
	}, cache.New[string](store.New(client)))
	server.Stop()
	if got, err := loadable.Get(t.Context(), "k"); err != nil || got != "loaded" {
		t.Errorf("Get = %q, %v, want it loaded", got, err)
	}
	if err := loadable.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

func TestLayers_Metric(t *testing.T) {
	_, client := open(t)
	registry := prometheus.NewRegistry()
	c := cache.NewMetric[string](
		metrics.NewPrometheus("test", metrics.WithRegisterer(registry)),
		cache.New[string](store.New(client)),
	)
	if err := c.Set(t.Context(), "k", "v"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"k", "k", "absent"} {
		c.Get(t.Context(), key)
	}
	want := map[string]float64{"hit_count": 2, "miss_count": 1, "set_success": 1, "set_error": 0}
	eventually(t, "the metrics", func() bool {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]float64)
		for _, family := range families {
			for _, m := range family.GetMetric() {
				labels := make(map[string]string)
				for _, l := range m.GetLabel() {
					labels[l.GetName()] = l.GetValue()
				}
				if labels["store"] == store.Type {
					got[labels["metric"]] = m.GetGauge().GetValue()
				}
			}
		}
		for name, value := range want {
			if v, ok := got[name]; !ok || v != value {
				return false
			}
		}
		return true
	})
}

func TestLayers_Marshaler(t *testing.T) {
	_, client := open(t)
	for _, s := range []libstore.StoreInterface{store.New(client), prefixed(t, client, "p:")} {
		m := marshaler.New(cache.New[any](s))
		want := book{"Emma", 474}
		if err := m.Set(t.Context(), "k", want, libstore.WithTags([]string{"t"})); err != nil {
			t.Fatal(err)
		}
		var got book
		if _, err := m.Get(t.Context(), "k", &got); err != nil || got != want {
			t.Errorf("Get = %+v, %v, want %+v", got, err, want)
		}
		if err := m.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"})); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Get(t.Context(), "k", &got); !errors.Is(err, libstore.NotFound{}) {
			t.Errorf("Get after Invalidate = %v, want NotFound", err)
		}

		typed := marshaler.NewCache[book](cache.New[[]byte](s))
		if err := typed.Set(t.Context(), "k", want, libstore.WithExpiration(time.Hour)); err != nil {
			t.Fatal(err)
		}
		got, ttl, err := typed.GetWithTTL(t.Context(), "k")
		if err != nil || got != want || ttl < 59*time.Minute || ttl > time.Hour {
			t.Errorf("GetWithTTL = %+v, %v, %v, want %+v and an hour", got, ttl, err, want)
		}
	}
}

// The same on a server with TLS and SASL.
func TestLayers_OverTLS(t *testing.T) {
	server := integration.Start(t, &integration.Options{Users: map[string]string{username: password}, TLS: true})
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{
		Auth: sasl.Auto(username, password), TLS: server.TLSConfig(), Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	checkCache(t, store.New(client), "text", same)
}
