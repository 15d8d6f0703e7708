package discovery_test

import (
	"fmt"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/discovery"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestWeights_OfServersThatComeAndGo: a weight stays with a server's name, whether
// the server is there or not.
func TestWeights_OfServersThatComeAndGo(t *testing.T) {
	const keys = 1000
	a, b, c := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
	resolver := &script{}
	resolver.set(nil, a.Addr())
	client, watcher, err := discovery.New(t.Context(), resolver, &memcached.Options{
		Weights: map[string]int{b.Addr(): 3}, // not there yet
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	defer watcher.Close()
	for _, step := range []struct {
		name    string
		servers []*memcachedtest.Server
		weights []int // as the client is to see them
	}{
		{"alone", []*memcachedtest.Server{a}, []int{1}},
		{"the heavy one came", []*memcachedtest.Server{a, b}, []int{1, 3}},
		{"and another", []*memcachedtest.Server{a, b, c}, []int{1, 3, 1}},
		{"the heavy one left", []*memcachedtest.Server{a, c}, []int{1, 1}},
		{"and came back", []*memcachedtest.Server{a, b, c}, []int{1, 3, 1}},
	} {
		var addrs []string
		sum := 0
		for i, s := range step.servers {
			addrs = append(addrs, s.Addr())
			sum += step.weights[i]
		}
		resolver.set(nil, addrs...)
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
		for i, s := range step.servers {
			want := keys * step.weights[i] / sum
			if n := len(s.Keys()); n < want*3/4 || n > want*5/4 {
				t.Errorf("%s: the server of weight %d of %d holds %d of %d keys, want about %d", step.name, step.weights[i], sum, n, keys, want)
			}
		}
	}
}
