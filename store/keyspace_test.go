package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

func mustClear(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Clear(t.Context()); err != nil {
		t.Fatalf("Clear = %v", err)
	}
}

func TestPrefix_KeepsStoresApart(t *testing.T) {
	server, client := start(t, nil)
	a, b, none := prefixed(t, client, "a:"), prefixed(t, client, "b:"), store.New(client)
	for name, s := range map[string]*store.Store{"a": a, "b": b, "none": none} {
		mustSet(t, s, "k", name, tagged("t"))
	}
	wantHit(t, a, "k", "a")
	wantHit(t, b, "k", "b")
	wantHit(t, none, "k", "none")
	for _, key := range server.Keys() {
		if !strings.HasPrefix(key, "a:") && !strings.HasPrefix(key, "b:") && key != "k" && !strings.HasPrefix(key, "~sha256~") {
			t.Errorf("the key %q has no prefix", key)
		}
	}
	invalidate(t, a, "t")
	wantMiss(t, a, "k")
	wantHit(t, b, "k", "b")
	wantHit(t, none, "k", "none")
}

func TestClear_TouchesOnlyThePrefix(t *testing.T) {
	server, client := start(t, nil)
	a, b, none := prefixed(t, client, "a:"), prefixed(t, client, "b:"), store.New(client)
	for _, s := range []*store.Store{a, b, none} {
		mustSet(t, s, "k", "v")
		mustSet(t, s, "tagged", "v", tagged("t"))
	}
	server.SetItem(&memcached.Item{Key: "a:foreign", Value: []byte("v")})
	mustClear(t, a)
	wantMiss(t, a, "k")
	wantMiss(t, a, "tagged")
	for _, s := range []*store.Store{b, none} {
		wantHit(t, s, "k", "v")
		wantHit(t, s, "tagged", "v")
	}
	wantHit(t, none, "a:foreign", []byte("v"))
	if n := server.RequestCount("FLUSH"); n != 0 {
		t.Errorf("Clear with a prefix sent %d FLUSH, want none", n)
	}
	mustSet(t, a, "k", "new")
	wantHit(t, a, "k", "new")
	wantMiss(t, a, "tagged")
}

func TestClear_WithoutPrefixFlushesEveryServer(t *testing.T) {
	one, _ := start(t, nil)
	two, _ := start(t, nil)
	client := connect(t, nil, one, two)
	s := store.New(client)
	for i := range 100 {
		mustSet(t, s, fmt.Sprint(i), i, tagged("t"))
	}
	if len(one.Keys()) == 0 || len(two.Keys()) == 0 {
		t.Fatal("the keys are all on one server")
	}
	mustClear(t, s)
	for i := range 100 {
		wantMiss(t, s, fmt.Sprint(i))
	}
	mustSet(t, s, "k", "v", tagged("t"))
	wantHit(t, s, "k", "v")
	two.Close()
	if err := s.Clear(t.Context()); err == nil {
		t.Error("Clear with one of two servers unavailable = nil, want an error")
	}
}

func TestClear_NothingTwice(t *testing.T) {
	_, client := start(t, nil)
	s := prefixed(t, client, "p:")
	mustClear(t, s)
	mustClear(t, prefixed(t, client, "p:"))
	mustSet(t, s, "k", "v")
	wantHit(t, s, "k", "v")
}

// What no key can begin with is refused, as in the other packages.
func TestPrefix_MalformedIsAnError(t *testing.T) {
	_, client := start(t, nil)
	for _, p := range []string{" ", "a b", "\x00", "p\n", "\x7f", strings.Repeat("p", 151)} {
		opts := &store.Options{Prefix: p}
		_, untyped := store.NewWithOptions(client, opts)
		_, typed := store.NewTyped[string](client, opts)
		for _, err := range []error{untyped, typed} {
			if err == nil || !strings.Contains(err.Error(), "store: Options.Prefix") {
				t.Errorf("a store with the prefix %q: %v, want an error that names it", p, err)
			}
		}
	}
	for _, p := range []string{"p", "p:", "\u4e16:", strings.Repeat("p", 150)} {
		for _, key := range []string{"k", strings.Repeat("k", 300)} {
			s := prefixed(t, client, p)
			mustSet(t, s, key, "of "+p, tagged("t"))
			wantHit(t, s, key, "of "+p)
			mustClear(t, s)
			wantMiss(t, s, key)
		}
	}
}
