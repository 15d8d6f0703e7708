package discovery_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/discovery"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestWeights_OfServersThatComeAndGo: a weight stays with a server's name, whether
// the server is there or not.
func TestWeights_OfServersThatComeAndGo(t *testing.T) {
	const keys = 1000
	// Names that stay the same: where a key goes does not depend on free ports.
	const a, b, c = "a.test:11211", "b.test:11211", "c.test:11211"
	servers := map[string]*memcachedtest.Server{}
	for _, name := range []string{a, b, c} {
		servers[name] = memcachedtest.Start(t, nil)
	}
	resolver := &script{}
	resolver.set(nil, a)
	client, watcher, err := discovery.New(t.Context(), resolver, &memcached.Options{
		Weights: map[string]int{b: 3}, // not there yet
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return servers[address].DialContext(ctx, network, address)
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	defer watcher.Close()
	for _, step := range []struct {
		name    string
		servers []string
		weights []int // as the client is to see them
	}{
		{"alone", []string{a}, []int{1}},
		{"the heavy one came", []string{a, b}, []int{1, 3}},
		{"and another", []string{a, b, c}, []int{1, 3, 1}},
		{"the heavy one left", []string{a, c}, []int{1, 1}},
		{"and came back", []string{a, b, c}, []int{1, 3, 1}},
	} {
		sum := 0
		for _, weight := range step.weights {
			sum += weight
		}
		resolver.set(nil, step.servers...)
		if err := watcher.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := client.FlushAll(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		for i := range keys {
			if err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("key:", i)}); err != nil {
				t.Fatal(err)
			}
		}
		for i, name := range step.servers {
			want := keys * step.weights[i] / sum
			if n := len(servers[name].Keys()); n < want*3/4 || n > want*5/4 {
				t.Errorf("%s: %s, of weight %d of %d, holds %d of %d keys, want about %d", step.name, name, step.weights[i], sum, n, keys, want)
			}
		}
	}
}
