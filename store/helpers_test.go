package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

// start returns a server and a client of it, which also work in a bubble of
// testing/synctest.
func start(t *testing.T, opts *memcachedtest.Options) (*memcachedtest.Server, *memcached.Client) {
	t.Helper()
	server := memcachedtest.Start(t, opts)
	return server, connect(t, nil, server)
}

// connect returns a client of servers.
func connect(t *testing.T, opts *memcached.Options, servers ...*memcachedtest.Server) *memcached.Client {
	t.Helper()
	var o memcached.Options
	if opts != nil {
		o = *opts
	}
	o.DialContext = memcachedtest.Dialer(servers...)
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second // a busy machine is no reason to fail
	}
	addrs := make([]string, len(servers))
	for i, s := range servers {
		addrs[i] = s.Addr()
	}
	client, err := memcached.New(addrs, &o)
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
		t.Fatalf("Set(%q, %v) = %v", key, value, err)
	}
}

func wantHit(t *testing.T, s libstore.StoreInterface, key, want any) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	if b, ok := got.([]byte); ok {
		got = "bytes " + string(b)
	}
	if b, ok := want.([]byte); ok {
		want = "bytes " + string(b)
	}
	if err != nil || got != want {
		t.Fatalf("Get(%q) = %#v, %v, want %#v", key, got, err, want)
	}
}

func wantMiss(t *testing.T, s libstore.StoreInterface, key any) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	if !isMiss(err) || got != nil {
		t.Fatalf("Get(%q) = %#v, %v, want NotFound", key, got, err)
	}
}

// isMiss reports whether err is what gocache and this library call a miss.
func isMiss(err error) bool {
	var notFound *libstore.NotFound
	return errors.As(err, &notFound) && notFound.Cause() == memcached.ErrCacheMiss
}

// rawItem returns what is under key on the server.
func rawItem(t *testing.T, client *memcached.Client, key string) *memcached.Item {
	t.Helper()
	item, err := client.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("raw Get(%q) = %v", key, err)
	}
	return item
}

func invalidate(t *testing.T, s interface {
	Invalidate(context.Context, ...libstore.InvalidateOption) error
}, tags ...string,
) {
	t.Helper()
	if err := s.Invalidate(t.Context(), libstore.WithInvalidateTags(tags)); err != nil {
		t.Fatalf("Invalidate(%q) = %v", tags, err)
	}
}
