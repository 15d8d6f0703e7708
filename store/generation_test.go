package store_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// Every operation of another process notices at once, although it remembers
// the generation that is over.
func TestClear_IsSeenByAllProcessesAtOnce(t *testing.T) {
	server, client := start(t, nil)
	a := prefixed(t, client, "p:")
	for name, check := range map[string]func(t *testing.T, b *store.Store){
		"Get": func(t *testing.T, b *store.Store) { wantMiss(t, b, "k") },
		"Set": func(t *testing.T, b *store.Store) {
			mustSet(t, b, "k", "new")
			wantHit(t, a, "k", "new")
			wantHit(t, b, "k", "new")
		},
		"Set tagged": func(t *testing.T, b *store.Store) {
			mustSet(t, b, "k", "new", tagged("t"))
			wantHit(t, a, "k", "new")
		},
		"SetIfNotExists": func(t *testing.T, b *store.Store) {
			if stored, err := b.SetIfNotExists(t.Context(), "k", "new"); !stored || err != nil {
				t.Errorf("SetIfNotExists = %v, %v, want the cleared key to be free", stored, err)
			}
			wantHit(t, a, "k", "new")
			if stored, err := b.SetIfNotExists(t.Context(), "k", "newer"); stored || err != nil {
				t.Errorf("SetIfNotExists = %v, %v, want the key to be taken", stored, err)
			}
		},
		"SetIfNotExists of a taken key": func(t *testing.T, b *store.Store) {
			mustSet(t, a, "k", "new")
			if stored, err := b.SetIfNotExists(t.Context(), "k", "newer"); stored || err != nil {
				t.Errorf("SetIfNotExists = %v, %v, want the key to be taken", stored, err)
			}
			wantHit(t, b, "k", "new")
		},
		"Delete": func(t *testing.T, b *store.Store) {
			mustSet(t, a, "k", "new")
			if err := b.Delete(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
			wantMiss(t, a, "k")
		},
		"Touch": func(t *testing.T, b *store.Store) {
			if err := b.Touch(t.Context(), "k", time.Hour); !isMiss(err) {
				t.Errorf("Touch = %v, want NotFound", err)
			}
		},
		"Increment": func(t *testing.T, b *store.Store) {
			mustSet(t, a, "n", 100)
			if n, err := b.Increment(t.Context(), "n", 1); n != 101 || err != nil {
				t.Errorf("Increment = %d, %v, want 101", n, err)
			}
			wantHit(t, a, "n", 101)
		},
		"GetMulti": func(t *testing.T, b *store.Store) {
			mustSet(t, a, "l", "new")
			got, err := b.GetMulti(t.Context(), []string{"k", "l"})
			if err != nil || len(got) != 1 || got["l"] != "new" {
				t.Errorf("GetMulti = %v, %v, want only what is new", got, err)
			}
		},
		"SetMulti": func(t *testing.T, b *store.Store) {
			if err := b.SetMulti(t.Context(), map[string]any{"k": "new"}); err != nil {
				t.Fatal(err)
			}
			wantHit(t, a, "k", "new")
		},
		"DeleteMulti": func(t *testing.T, b *store.Store) {
			mustSet(t, a, "k", "new")
			if err := b.DeleteMulti(t.Context(), []string{"k"}); err != nil {
				t.Fatal(err)
			}
			wantMiss(t, a, "k")
		},
		"Clear": func(t *testing.T, b *store.Store) {
			mustSet(t, a, "k", "new")
			mustClear(t, b)
			wantMiss(t, a, "k")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := prefixed(t, connect(t, nil, server), "p:")
			mustSet(t, a, "k", "old")
			mustSet(t, a, "n", 1)
			wantHit(t, b, "k", "old") // b remembers the generation
			mustClear(t, a)
			check(t, b)
			if name != "Set" && name != "Clear" {
				wantNot(t, b, "k", "old")
			}
		})
	}
}

func wantNot(t *testing.T, s libstore.StoreInterface, key string, not any) {
	t.Helper()
	if got, err := s.Get(t.Context(), key); got == not {
		t.Errorf("Get(%q) = %v, %v, want anything else", key, got, err)
	}
}

func TestClear_GenerationsThatAreOverNeverComeBack(t *testing.T) {
	server, client := start(t, nil)
	fresh := func() *store.Store { return prefixed(t, client, "p:") }
	s := fresh()
	mustSet(t, s, "k", "first")
	key := counterKey(t, server)
	first := rawItem(t, client, key)
	mustClear(t, s)
	mustSet(t, s, "k", "second")

	// The counter is evicted: all is cleared.
	if err := client.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, fresh(), "k")
	wantMiss(t, s, "k")
	mustSet(t, s, "k", "third")
	wantHit(t, fresh(), "k", "third")
	mustClear(t, s)

	// A server was away and is back with an old counter.
	server.SetItem(&memcached.Item{Key: key, Value: first.Value})
	wantMiss(t, s, "k")
	wantMiss(t, fresh(), "k")
	mustSet(t, s, "k", "fourth")
	wantHit(t, fresh(), "k", "fourth")

	// The same, and the first to notice is a Clear.
	server.SetItem(&memcached.Item{Key: key, Value: first.Value})
	mustClear(t, s)
	wantMiss(t, fresh(), "k")
	if number, err := strconv.ParseUint(string(rawItem(t, client, key).Value), 10, 64); err != nil ||
		number > uint64(time.Now().Add(time.Minute).UnixMicro()) {
		t.Errorf("the counter stands at %d, %v, want it near the clock", number, err)
	}
}

// However Sets and Clears interleave, nothing survives the last Clear, and
// what is set after it stays.
func TestClear_UnderLoad(t *testing.T) {
	server, _ := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stores []*store.Store
	for range 4 {
		stores = append(stores, prefixed(t, connect(t, nil, server), "p:"))
	}
	var wg sync.WaitGroup
	for w, s := range stores {
		wg.Go(func() {
			for i := range 200 {
				key := fmt.Sprint("k", i%10)
				if err := s.Set(ctx, key, fmt.Sprint(w)); err != nil {
					t.Errorf("Set = %v", err)
				}
				if _, err := s.Get(ctx, key); err != nil && !isMiss(err) {
					t.Errorf("Get = %v", err)
				}
				if i%20 == w {
					if err := s.Clear(ctx); err != nil {
						t.Errorf("Clear = %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	mustClear(t, stores[0])
	for _, s := range stores {
		for i := range 10 {
			wantMiss(t, s, fmt.Sprint("k", i))
		}
	}
	mustSet(t, stores[1], "k", "v")
	for _, s := range stores {
		wantHit(t, s, "k", "v")
	}
}
