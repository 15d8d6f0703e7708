package store_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/store"
)

func TestStore_KeepsValues(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	wantMiss(t, s, "k")
	mustSet(t, s, "k", []byte("value"))
	wantHit(t, s, "k", []byte("value"))
	mustSet(t, s, "n", int64(5))
	wantHit(t, s, "n", int64(5))
	if err := s.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "k")
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "n")
}
