package store_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

func TestTouch_Restamps(t *testing.T) {
	for name, options := range map[string][]libstore.Option{
		"plain":  {libstore.WithExpiration(time.Minute)},
		"tagged": {libstore.WithExpiration(time.Minute), libstore.WithTags([]string{"t"}), libstore.WithTagsTTL(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, client := start(t, nil)
				for _, s := range []*store.Store{store.New(client), newStore(t, client, &store.Options{Prefix: "p:"})} {
					mustSet(t, s, "k", int32(7), options...)
					time.Sleep(50 * time.Second)
					if err := s.Touch(t.Context(), "k", time.Hour); err != nil {
						t.Fatal(err)
					}
					wantTTL(t, s, "k", time.Hour, time.Second)
					time.Sleep(50 * time.Minute)
					wantHit(t, s, "k", int32(7))
					wantTTL(t, s, "k", 10*time.Minute, time.Second)
					if err := s.Touch(t.Context(), "k", 0); err != nil {
						t.Fatal(err)
					}
					wantTTL(t, s, "k", 0, 0)
					time.Sleep(400 * day)
					wantHit(t, s, "k", int32(7))
					if err := s.Touch(t.Context(), "k", -1); err != nil {
						t.Fatal(err)
					}
					wantMiss(t, s, "k")
					if err := s.Touch(t.Context(), "k", time.Minute); !isMiss(err) {
						t.Errorf("Touch of nothing = %v, want NotFound", err)
					}
				}
			})
		})
	}
}

// An expired or invalidated item that is still on the server does not come back.
func TestTouch_DoesNotRevive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := start(t, nil)
		s := store.New(client)
		mustSet(t, s, "k", "v", libstore.WithExpiration(1100*time.Millisecond))
		time.Sleep(1200 * time.Millisecond)
		if err := s.Touch(t.Context(), "k", time.Hour); !isMiss(err) {
			t.Errorf("Touch of an expired item = %v, want NotFound", err)
		}
		mustSet(t, s, "k", "v", libstore.WithTags([]string{"t"}))
		invalidate(t, s, "t")
		if err := s.Touch(t.Context(), "k", time.Hour); !isMiss(err) {
			t.Errorf("Touch of an invalidated item = %v, want NotFound", err)
		}
		wantMiss(t, s, "k")
	})
}

func TestTouch_GivesForeignBytesADeadline(t *testing.T) {
	server, client := start(t, nil)
	s := store.New(client)
	server.SetItem(&memcached.Item{Key: "k", Value: []byte("v")})
	if err := s.Touch(t.Context(), "k", time.Hour); err != nil {
		t.Fatal(err)
	}
	wantHit(t, s, "k", []byte("v"))
	wantTTL(t, s, "k", time.Hour, time.Minute)

	// Flags that mean something to another client stay.
	server.SetItem(&memcached.Item{Key: "k", Value: []byte("v"), Flags: 2})
	if err := s.Touch(t.Context(), "k", time.Hour); err != nil {
		t.Fatal(err)
	}
	if item, _ := server.Item("k"); item.Flags != 2 || item.TTL == 0 {
		t.Errorf("the server holds %+v, want flags 2 and a TTL", item)
	}
}

// Somebody else stores another value between the two halves of Touch.
func TestTouch_MeetsAnotherWriter(t *testing.T) {
	server, client := start(t, nil)
	s := store.New(client)
	mustSet(t, s, "k", "old", libstore.WithExpiration(time.Minute))
	other, _ := server.Item("k")
	other.Value = []byte("new")
	var once sync.Once
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.CAS != 0 {
			once.Do(func() { server.SetItem(other) })
		}
		return memcachedtest.Action{}
	})
	if err := s.Touch(t.Context(), "k", time.Hour); err != nil {
		t.Fatal(err)
	}
	wantHit(t, s, "k", "new")
	wantTTL(t, s, "k", time.Hour, time.Minute)
}

func TestTouch_NeedsCompareAndSwap(t *testing.T) {
	_, client := start(t, &memcachedtest.Options{DisableCAS: true})
	s := store.New(client)
	mustSet(t, s, "k", "v", libstore.WithExpiration(time.Minute))
	if err := s.Touch(t.Context(), "k", time.Hour); err == nil || isMiss(err) {
		t.Errorf("Touch without compare-and-swap = %v, want an error", err)
	}
	wantHit(t, s, "k", "v")
	wantTTL(t, s, "k", time.Minute, time.Second)
}

func TestTouch_TTLBelowAMillisecondIsRefused(t *testing.T) {
	server, client := start(t, nil)
	for _, s := range []interface {
		Touch(ctx context.Context, key any, ttl time.Duration) error
	}{store.New(client), newTyped[string](t, client, &store.Options{Prefix: "p:"})} {
		for _, ttl := range []time.Duration{1, 60, time.Millisecond - 1} {
			if err := s.Touch(t.Context(), "k", ttl); err == nil || !strings.Contains(err.Error(), "durations have units") {
				t.Errorf("Touch(%v) = %v, want an error about units", ttl, err)
			}
		}
		if n := server.RequestCount(); n != 0 {
			t.Errorf("%d requests were sent, want none", n)
		}
		if err := s.Touch(t.Context(), "k", time.Millisecond); !isMiss(err) {
			t.Errorf("Touch(1ms) = %v, want NotFound", err)
		}
		server.ForgetRequests()
	}
}
