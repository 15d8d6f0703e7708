package memcached_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// connsOf counts the requests of a kind by their connection.
func connsOf(server *memcachedtest.Server, op string) map[uint64]int {
	counts := map[uint64]int{}
	for _, r := range server.Requests() {
		if r.Op == op {
			counts[r.Conn]++
		}
	}
	return counts
}

// held makes the server keep GETs of all kinds until the function that it returns is called.
func held(server *memcachedtest.Server) (release func()) {
	gate := make(chan struct{})
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if !strings.HasPrefix(r.Op, "GET") {
			return memcachedtest.Action{}
		}
		return memcachedtest.Action{Until: gate}
	})
	return func() { close(gate) }
}

// connectAll makes a client open all its connections.
func connectAll(t *testing.T, client *memcached.Client, server *memcachedtest.Server, conns int) {
	t.Helper()
	for round := 0; client.Stats().Servers[server.Addr()].Conns < conns; round++ {
		if round == conns {
			t.Fatalf("%+v, want %d connections", client.Stats().Servers[server.Addr()], conns)
		}
		release := held(server)
		var wg sync.WaitGroup
		for range conns { // batches spread over all connections, however many there are
			wg.Go(func() { _, _ = client.GetMulti(t.Context(), []string{"k", "other"}) })
			synctest.Wait()
		}
		release()
		wg.Wait()
	}
	server.Intercept(nil)
	for range 200 { // calm again
		_, _ = client.Get(t.Context(), "k")
	}
	server.ForgetRequests()
}

// TestSpread_LargeValuesUseAllConnections: on a lane, who reads a large value
// keeps all others waiting.
func TestSpread_LargeValuesUseAllConnections(t *testing.T) {
	for _, test := range []struct {
		name, value string
		conns       int
	}{
		{"small values", "v", 1},
		{"values of 4 KiB", strings.Repeat("v", 4<<10), 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{MaxConns: 5}, server)
				put(server, "k", test.value)
				connectAll(t, client, server, 5)
				release := held(server)
				var wg sync.WaitGroup
				get := func() { _, _ = client.Get(t.Context(), "k") }
				for range 7 { // from now on there is a crowd
					wg.Go(get)
					synctest.Wait()
				}
				server.ForgetRequests()
				for range 30 {
					wg.Go(get)
					synctest.Wait()
				}
				release()
				wg.Wait()
				if counts := connsOf(server, "GET"); len(counts) != test.conns {
					t.Errorf("30 operations more use the connections %v, want %d of them", counts, test.conns)
				}
			})
		})
	}
}

func TestSpread_FewOperationsHaveAConnectionEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 5}, server)
		connectAll(t, client, server, 5)
		release := held(server)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { _, _ = client.Get(t.Context(), "k") })
			synctest.Wait()
		}
		if counts := connsOf(server, "GET"); len(counts) != 5 {
			t.Errorf("5 operations at once use the connections %v, want 5 of them", counts)
		}
		release()
		wg.Wait()
	})
}

func TestSpread_ManyOperationsConcentrateOnTwoConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 6}, server)
		connectAll(t, client, server, 6)
		const each, rounds = 500, 4
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Delay: time.Microsecond} })
		var wg sync.WaitGroup
		for range each {
			wg.Go(func() {
				for range rounds {
					_, _ = client.Get(t.Context(), "k")
				}
			})
		}
		wg.Wait()
		most, second, all := 0, 0, 0
		for _, n := range connsOf(server, "GET") {
			all += n
			if n > most {
				most, second = n, most
			} else {
				second = max(second, n)
			}
		}
		if all != each*rounds || most+second < all*95/100 {
			t.Errorf("the two busiest connections carried %d and %d of %d operations (%v), want nearly all", most, second, all, connsOf(server, "GET"))
		}
	})
}
