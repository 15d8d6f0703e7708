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

func TestPrefix_AnyStringIsOne(t *testing.T) {
	_, client := start(t, nil)
	prefixes := []string{"p", "p:", " ", "a b", "\x00", strings.Repeat("p", 240), strings.Repeat("p", 300), strings.Repeat("p", 301)}
	for _, p := range prefixes {
		mustSet(t, prefixed(t, client, p), "k", "of "+p)
	}
	for _, p := range prefixes {
		wantHit(t, prefixed(t, client, p), "k", "of "+p)
	}
	mustClear(t, prefixed(t, client, prefixes[0]))
	wantMiss(t, prefixed(t, client, prefixes[0]), "k")
	for _, p := range prefixes[1:] {
		wantHit(t, prefixed(t, client, p), "k", "of "+p)
	}
}
