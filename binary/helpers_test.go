package memcached_test

import (
	"context"
	"net"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// newClient returns a client of in-process servers that are reached in memory.
func newClient(t *testing.T, opts memcached.Options, servers ...*memcachedtest.Server) *memcached.Client {
	t.Helper()
	addrs := make([]string, len(servers))
	for i, s := range servers {
		addrs[i] = s.Addr()
	}
	if opts.DialContext == nil {
		opts.DialContext = memcachedtest.Dialer(servers...)
	}
	client, err := memcached.New(addrs, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// newNamedClient returns a client of the names, each of which stands for one of
// servers: where a key goes does not depend on which ports were free.
func newNamedClient(t *testing.T, opts memcached.Options, servers map[string]*memcachedtest.Server, names ...string) *memcached.Client {
	t.Helper()
	opts.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return servers[address].DialContext(ctx, network, address)
	}
	client, err := memcached.New(names, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// newServer starts an in-process server.
func newServer(t *testing.T, opts *memcachedtest.Options) *memcachedtest.Server {
	t.Helper()
	return memcachedtest.Start(t, opts)
}

func set(t *testing.T, client *memcached.Client, key, value string) {
	t.Helper()
	if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte(value)}); err != nil {
		t.Fatalf("Set(%q) = %v", key, err)
	}
}

func wantValue(t *testing.T, client *memcached.Client, key, want string) {
	t.Helper()
	item, err := client.Get(t.Context(), key)
	if err != nil || string(item.Value) != want {
		t.Fatalf("Get(%q) = %v, %v, want %q", key, item, err, want)
	}
}

// mute makes the server carry out requests of the given kind without an answer.
func mute(op string) func(memcachedtest.Request) memcachedtest.Action {
	return func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Mute: r.Op == op}
	}
}
