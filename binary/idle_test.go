package memcached_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestIdleTimeout_ClosesConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{IdleTimeout: time.Minute}, server)
		set(t, client, "k", "v")
		time.Sleep(59 * time.Second)
		if n := client.Stats().Servers[server.Addr()].Conns; n != 1 {
			t.Errorf("%d connections before IdleTimeout, want 1", n)
		}
		time.Sleep(2 * time.Second)
		if n := client.Stats().Servers[server.Addr()].Conns; n != 0 {
			t.Errorf("%d connections after IdleTimeout, want 0", n)
		}
		wantValue(t, client, "k", "v")
	})
}

func TestIdleTimeout_SparesConnectionsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{IdleTimeout: time.Second, Timeout: time.Hour}, server)
		set(t, client, "k", "v")
		server.Intercept(delays(map[string]time.Duration{"slow": 10 * time.Second}))
		_, err := client.Get(t.Context(), "slow")
		if err != memcached.ErrCacheMiss {
			t.Errorf("Get that takes longer than IdleTimeout = %v, want %v", err, memcached.ErrCacheMiss)
		}
		for range 30 {
			time.Sleep(500 * time.Millisecond)
			wantValue(t, client, "k", "v")
		}
		if n := client.Stats().Servers[server.Addr()].Dials; n != 1 {
			t.Errorf("%d connections, want 1: it was in use", n)
		}
		time.Sleep(time.Minute)
		for range 3 { // closed and opened again
			wantValue(t, client, "k", "v")
			time.Sleep(3 * time.Second)
			if n := client.Stats().Servers[server.Addr()].Conns; n != 0 {
				t.Errorf("%d idle connections, want none", n)
			}
		}
	})
}

// TestRestart_StaleConnectionsAreNoticedBeforeUse is over TCP, where a
// connection tells that the other side has closed it.
func TestRestart_StaleConnectionsAreNoticedBeforeUse(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{DialContext: dialTCP}, server)
	for round := range 5 {
		openSome(t, client, server)
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // connections idle for less are not looked at
		server.SetItem(&memcached.Item{Key: "n", Value: []byte("5")})
		if n, err := client.Increment(t.Context(), "n", 1); n != 6 || err != nil {
			t.Fatalf("round %d: Increment after a restart = %d, %v, want 6", round, n, err)
		}
	}
	if retries := client.Stats().Retries; retries > 40 {
		t.Errorf("%d retries", retries)
	}
}

// TestStop_IdleConnectionsAreNoSignOfLife: a server that is gone is down with the
// first operation that fails, although there were idle connections to it.
func TestStop_IdleConnectionsAreNoSignOfLife(t *testing.T) {
	for _, ejectAfter := range []int{0, 1} {
		t.Run(fmt.Sprintf("EjectAfter=%d", ejectAfter), func(t *testing.T) {
			server := newServer(t, nil)
			client := newClient(t, memcached.Options{DialContext: dialTCP, EjectAfter: ejectAfter}, server)
			openSome(t, client, server)
			server.Stop()
			if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrUnavailable) {
				t.Fatalf("Get from a server that is gone = %v, want %v", err, memcached.ErrUnavailable)
			}
			s := client.Stats().Servers[server.Addr()]
			if !s.Down || s.Conns != 0 || s.Ejected != (ejectAfter > 0) {
				t.Errorf("after one failure: %+v, want it down and no connections", s)
			}
		})
	}
}

// openSome opens at least four connections, all of them idle.
func openSome(t *testing.T, client *memcached.Client, server *memcachedtest.Server) {
	t.Helper()
	server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Delay: time.Millisecond}
	})
	for client.Stats().Servers[server.Addr()].Conns < 4 {
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { _, _ = client.Get(t.Context(), "k") })
		}
		wg.Wait()
	}
	server.Intercept(nil)
}
