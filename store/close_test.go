package store_test

import (
	"errors"
	"net"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

func TestClose_OnlyWhatTheStoreOwns(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v, want nil", err)
		}
	}
	mustSet(t, s, "k", "v")
	if _, err := client.Get(t.Context(), "k"); err != nil {
		t.Errorf("the client after Close of a store that does not own it: %v", err)
	}

	owner := newTyped[string](t, client, &store.Options{OwnsClient: true})
	for range 2 {
		if err := owner.Close(); err != nil {
			t.Errorf("Close = %v, want nil", err)
		}
	}
	if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrClosed) {
		t.Errorf("the client after Close of the store that owns it: %v, want ErrClosed", err)
	}
}

// brokenCloser is a client whose Close fails.
type brokenCloser struct {
	*memcached.Client
	closed int
}

func (b *brokenCloser) Close() error { b.closed++; return net.ErrClosed }

func TestClose_ReturnsTheSameAgain(t *testing.T) {
	_, client := start(t, nil)
	b := &brokenCloser{Client: client}
	s := newStore(t, b, &store.Options{OwnsClient: true})
	for range 2 {
		if err := s.Close(); err != net.ErrClosed {
			t.Errorf("Close = %v, want %v", err, net.ErrClosed)
		}
	}
	if b.closed != 1 {
		t.Errorf("the client was closed %d times, want once", b.closed)
	}
}
