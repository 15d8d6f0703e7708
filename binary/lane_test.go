package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// crowded runs an operation very often from many goroutines at once.
func crowded(operations int, do func(i int)) {
	const callers = 200
	var wg sync.WaitGroup
	for g := range callers {
		wg.Go(func() {
			for i := g; i < operations; i += callers {
				do(i)
			}
		})
	}
	wg.Wait()
}

// TestCrowd_IsCountedExactly: operations that share connections are counted by
// those who read and write for them.
func TestCrowd_IsCountedExactly(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{DialContext: dialTCP}, server)
	put(server, "hit", "v")
	const operations = 20_000
	crowded(operations, func(i int) {
		_, err := client.Get(t.Context(), []string{"hit", "miss"}[i%2])
		if want := []error{nil, memcached.ErrCacheMiss}[i%2]; !errors.Is(err, want) {
			t.Errorf("Get = %v, want %v", err, want)
		}
	})
	s := client.Stats()
	if s.Ops != operations || s.Gets != operations || s.Hits != operations/2 || s.Misses != operations/2 || s.Errors != 0 {
		t.Errorf("%d operations, half of them misses: %+v", operations, s)
	}
	if n := s.Servers[server.Addr()].InFlight; n != 0 {
		t.Errorf("%d operations under way, want 0", n)
	}
}

// TestCrowd_CountsWhatIsUnderWay: those who wait on a shared connection for a
// server that is silent are under way, each of them.
func TestCrowd_CountsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		put(server, "k", "v")
		crowded(4000, func(int) { wantValue(t, client, "k", "v") })
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Mute: true} })
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrUnavailable) {
					t.Errorf("Get of a silent server = %v", err)
				}
			})
		}
		synctest.Wait()
		if n := client.Stats().Servers[server.Addr()].InFlight; n != 300 {
			t.Errorf("%d operations under way, want 300", n)
		}
		wg.Wait()
		s := client.Stats()
		if n := s.Servers[server.Addr()].InFlight; n != 0 || s.Ops != 4300 || s.Errors != 300 {
			t.Errorf("afterwards: %+v, want 4300 operations with 300 errors and none under way", s)
		}
	})
}

// TestCrowd_SharedConnectionsAreReapedWhenIdle and not before.
func TestCrowd_SharedConnectionsAreReapedWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{IdleTimeout: time.Minute, MaxConns: 2}, server)
		put(server, "k", "v")
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: time.Millisecond}
		})
		for range 10 {
			crowded(2000, func(int) { wantValue(t, client, "k", "v") })
			time.Sleep(30 * time.Second)
		}
		if s := client.Stats(); s.Errors != 0 || s.Retries != 0 {
			t.Errorf("connections in use were closed: %+v", s)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := client.Stats().Servers[server.Addr()].Conns; n != 0 {
			t.Errorf("%d connections after two idle minutes, want 0", n)
		}
	})
}

// TestCrowd_OfARemovedServerEnds: the connections of a server that SetServers
// removed while many operations shared them close when these have ended.
func TestCrowd_OfARemovedServerEnds(t *testing.T) {
	servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil)}
	var open atomic.Int32 // connections to the server that is removed
	client := newClient(t, memcached.Options{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := dialTCP(ctx, network, address)
		if err != nil || address != servers[1].Addr() {
			return nc, err
		}
		open.Add(1)
		return &closing{Conn: nc, closed: sync.OnceFunc(func() { open.Add(-1) })}, nil
	}}, servers...)
	var swap sync.Once
	crowded(40_000, func(i int) {
		if i > 20_000 {
			swap.Do(func() {
				if err := client.SetServers([]string{servers[0].Addr()}); err != nil {
					t.Error(err)
				}
			})
		}
		key := fmt.Sprintf("k%d", i%100)
		if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte(key)}); err != nil {
			t.Errorf("Set = %v", err)
		}
	})
	for deadline := time.Now().Add(5 * time.Second); open.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections to the removed server", open.Load())
		}
	}
	if s := client.Stats(); s.Ops < 40_000 || s.Errors != 0 {
		t.Errorf("40,000 operations: %+v", s)
	}
}

// closing tells when a connection is closed.
type closing struct {
	net.Conn
	closed func()
}

func (c *closing) Close() error {
	c.closed()
	return c.Conn.Close()
}
