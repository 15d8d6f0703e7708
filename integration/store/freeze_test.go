package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/store"
)

// loadStoreWithin is loadStore with a client whose operations end after timeout.
func loadStoreWithin(t *testing.T, timeout time.Duration, addrs ...string) *store.Typed[string] {
	t.Helper()
	client, err := memcached.New(addrs, &memcached.Options{Auth: sasl.Auto(username, password), Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	s := newTyped[string](t, client, &store.Options{Prefix: "load:"})
	t.Cleanup(func() { s.Close() })
	return s
}

// When memcached freezes in the middle of a load, and before others look, everybody
// gets a value or an error within his context; who has time gets a value.
func TestLoad_MemcachedFreezesInTheMiddle(t *testing.T) {
	for name, c := range map[string]struct {
		client, caller time.Duration
		errors         bool
	}{
		"callers in a hurry": {30 * time.Second, time.Second, true},
		"callers with time":  {500 * time.Millisecond, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := open(t)
			d := openDatabase(t)
			processes := []*store.Typed[string]{
				loadStoreWithin(t, c.client, server.Addr()), loadStoreWithin(t, c.client, server.Addr()),
			}
			release := d.hold()
			var wg sync.WaitGroup
			var slowest atomic.Int64
			calls := func() {
				for i := range 100 {
					wg.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), c.caller)
						defer cancel()
						began := time.Now()
						got, err := getOrLoad(ctx, processes[i%2], d.URL)
						if took := int64(time.Since(began)); took > slowest.Load() {
							slowest.Store(took) // about
						}
						if err == nil && got != "v1" || err != nil && (!c.errors || !errors.Is(err, context.DeadlineExceeded)) {
							t.Errorf("GetOrLoad = %q, %v, want v1 or, in a hurry, the deadline", got, err)
						}
					})
				}
			}
			calls()
			<-d.begun
			server.Pause()
			calls()
			time.AfterFunc(200*time.Millisecond, release)
			wg.Wait()
			// What a busy machine needs comes on top.
			if took := time.Duration(slowest.Load()); took > c.caller+10*time.Second {
				t.Errorf("a caller with %v waited %v", c.caller, took)
			}
			server.Resume()
			for _, s := range processes {
				if got, err := getOrLoad(t.Context(), s, d.URL); got != "v1" || err != nil {
					t.Errorf("GetOrLoad when memcached goes on = %q, %v, want v1", got, err)
				}
			}
		})
	}
}

// A value, its lock, the counters of its tags and of the prefix are on any of two
// servers.
func TestLoad_TwoServers(t *testing.T) {
	opts := &integration.Options{Users: map[string]string{username: password}}
	a, b := integration.Start(t, opts), integration.Start(t, opts)
	d := openDatabase(t)
	one, two := loadStoreWithin(t, 10*time.Second, a.Addr(), b.Addr()), loadStoreWithin(t, 10*time.Second, a.Addr(), b.Addr())
	want := func(key, want string) {
		t.Helper()
		workers(4, func(i int) {
			s := []*store.Typed[string]{one, two}[i%2]
			got, err := s.GetOrLoad(t.Context(), key, time.Minute, query(d.URL), libstore.WithTags([]string{"tag of " + key}))
			if got != want || err != nil {
				t.Errorf("GetOrLoad(%q) = %q, %v, want %q", key, got, err, want)
			}
		})
	}
	const keys = 40
	for i := range keys {
		want(fmt.Sprint("k", i), "v1")
	}
	if n := d.queries.Load(); n != keys {
		t.Errorf("%d queries for %d keys", n, keys)
	}
	d.value.Store("v2")
	for i := range keys {
		key := fmt.Sprint("k", i)
		switch i % 2 {
		case 0:
			invalidate(t, one, "tag of "+key)
		case 1:
			if err := two.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		want(key, "v2")
	}
	// While a load runs, a change wins wherever its parts are.
	for i := range keys {
		key := fmt.Sprint("during", i)
		d.value.Store("v3")
		for len(d.begun) > 0 {
			<-d.begun
		}
		release := d.hold()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = one.GetOrLoad(t.Context(), key, time.Minute, query(d.URL), libstore.WithTags([]string{"tag of " + key}))
		}()
		<-d.begun
		d.value.Store("v4")
		switch i % 3 {
		case 0:
			invalidate(t, two, "tag of "+key)
		case 1:
			if err := two.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := two.Clear(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		release()
		want(key, "v4")
		<-done
	}
	a.Stop()
	d.value.Store("v5")
	for i := range 10 { // of some everything is on b
		key := fmt.Sprint("half", i)
		if got, err := one.GetOrLoad(t.Context(), key, time.Minute, query(d.URL)); got != "v5" || err != nil {
			t.Errorf("GetOrLoad(%q) with one of two servers = %q, %v, want v5", key, got, err)
		}
	}
}
