// Package store_test runs package store, and all of gocache on top of it, on
// real memcached.
package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/store"
)

const (
	username = "app"
	password = "sec:ret with spaces"
)

// open starts a memcached that asks for authentication and returns a client
// of it.
func open(t *testing.T, args ...string) (*integration.Server, *memcached.Client) {
	t.Helper()
	server := integration.Start(t, &integration.Options{Users: map[string]string{username: password}, Args: args})
	return server, connect(t, server)
}

func connect(t *testing.T, server *integration.Server) *memcached.Client {
	t.Helper()
	return connectTo(t, []string{server.Addr()}, sasl.Auto(username, password))
}

func connectTo(t *testing.T, servers []string, auth sasl.Mechanism) *memcached.Client {
	t.Helper()
	client, err := memcached.New(servers, &memcached.Options{Auth: auth, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// newStore returns a store with options.
func newStore(t testing.TB, client store.Client, opts *store.Options, options ...libstore.Option) *store.Store {
	t.Helper()
	s, err := store.NewWithOptions(client, opts, options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newTyped returns a store of T.
func newTyped[T any](t testing.TB, client store.Client, opts *store.Options, options ...libstore.Option) *store.Typed[T] {
	t.Helper()
	s, err := store.NewTyped[T](client, opts, options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// prefixed returns a store with a prefix.
func prefixed(t testing.TB, client store.Client, prefix string) *store.Store {
	t.Helper()
	return newStore(t, client, &store.Options{Prefix: prefix})
}

func mustSet(t *testing.T, s libstore.StoreInterface, key, value any, options ...libstore.Option) {
	t.Helper()
	if err := s.Set(t.Context(), key, value, options...); err != nil {
		t.Fatalf("Set(%q) = %v", key, err)
	}
}

func wantHit(t *testing.T, s libstore.StoreInterface, key, want any) {
	t.Helper()
	if got, err := s.Get(t.Context(), key); err != nil || fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", want, want) {
		t.Fatalf("Get(%q) = %T %v, %v, want %T %v", key, got, got, err, want, want)
	}
}

func wantMiss(t *testing.T, s libstore.StoreInterface, key any) {
	t.Helper()
	if got, err := s.Get(t.Context(), key); !errors.Is(err, libstore.NotFound{}) {
		t.Fatalf("Get(%q) = %v, %v, want NotFound", key, got, err)
	}
}

func invalidate(t *testing.T, s libstore.StoreInterface, tags ...string) {
	t.Helper()
	if err := s.Invalidate(t.Context(), libstore.WithInvalidateTags(tags)); err != nil {
		t.Fatalf("Invalidate(%q) = %v", tags, err)
	}
}

// eventually waits until f returns true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// workers runs f n times at once and waits.
func workers(n int, f func(worker int)) {
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() { f(w) })
	}
	wg.Wait()
}

// chunks calls f with parts of the keys prefix0 to prefix(n-1), from several
// goroutines.
func chunks(ctx context.Context, n int, prefix string, f func(ctx context.Context, keys []string) error) error {
	const size = 1000
	var mu sync.Mutex
	var first error
	workers(8, func(w int) {
		for from := w * size; from < n; from += 8 * size {
			var keys []string
			for i := from; i < min(n, from+size); i++ {
				keys = append(keys, fmt.Sprint(prefix, i))
			}
			if err := f(ctx, keys); err != nil {
				mu.Lock()
				first = errors.Join(first, err)
				mu.Unlock()
			}
		}
	})
	return first
}
