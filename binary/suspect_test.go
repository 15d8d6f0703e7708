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

// balancer passes connections on until it forgets those that there are: what is
// sent on them is lost, and nobody is told.
type balancer struct {
	server *memcachedtest.Server
	mu     sync.Mutex
	flows  []*flow
}

type flow struct {
	net.Conn
	mu        sync.Mutex
	forgotten bool
}

func (f *flow) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.forgotten {
		return len(b), nil
	}
	return f.Conn.Write(b)
}

func (b *balancer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := b.server.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f := &flow{Conn: nc}
	b.flows = append(b.flows, f)
	return f, nil
}

// forget makes the balancer forget the flows that there are.
func (b *balancer) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.flows {
		f.mu.Lock()
		f.forgotten = true
		f.mu.Unlock()
	}
}

// TestDeadFlow_NextOperationUsesAnotherConnection: whatever ended the first.
func TestDeadFlow_NextOperationUsesAnotherConnection(t *testing.T) {
	for _, conns := range []int{1, 7, 8} { // of 8
		for _, limit := range []time.Duration{0, 50 * time.Millisecond} { // of the context; 0: Options.Timeout
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				network := &balancer{server: server}
				client := newClient(t, memcached.Options{EjectAfter: 2, DialContext: network.DialContext}, server)
				set(t, client, "k", "v")
				connectAll(t, client, server, conns)
				time.Sleep(time.Second)
				network.forget()
				ctx, cancel := context.WithCancel(t.Context())
				if limit > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), limit)
				}
				defer cancel()
				if _, err := client.Get(ctx, "k"); err == nil {
					t.Error("Get on a dead flow = nil")
				}
				start := time.Now()
				for range 1000 {
					wantValue(t, client, "k", "v")
					time.Sleep(3 * time.Millisecond)
					if s := client.Stats().Servers[server.Addr()]; s.Ejected || s.Down {
						t.Fatalf("%d connections, context %v: a server that is well: %+v", conns, limit, s)
					}
				}
				if took := time.Since(start); took > 3*time.Second {
					t.Errorf("%d connections, context %v: 1000 operations after the first waited for %v", conns, limit, took-3*time.Second)
				}
				if n := client.Stats().Timeouts; n != 1 {
					t.Errorf("%d connections, context %v: %d timeouts, want 1", conns, limit, n)
				}
			})
		}
	}
}

// TestSlowServer_ConnectionsAreUsedAgain: contexts that end before answers come
// cost no connection.
func TestSlowServer_ConnectionsAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 4}, server)
		set(t, client, "k", "v")
		time.Sleep(time.Second)
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 5 * time.Millisecond}
		})
		for range 1000 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if _, err := client.Get(ctx, "k"); err == nil {
				t.Error("Get = nil, want no answer within the context")
			}
			cancel()
			time.Sleep(time.Millisecond)
		}
		if s := client.Stats().Servers[server.Addr()]; s.Dials > 4 || s.Down {
			t.Errorf("%+v, want the same few connections all the time", s)
		}
		time.Sleep(time.Second)
		wantValue(t, client, "k", "v")
	})
}

// TestDeadFlow_CancellationIsNoSuspicion: who leaves by its own will says
// nothing of the server.
func TestDeadFlow_CancellationIsNoSuspicion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		set(t, client, "k", "v")
		time.Sleep(time.Second)
		server.Intercept(delays(map[string]time.Duration{"k": 100 * time.Millisecond}))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(50 * time.Millisecond); cancel() }()
		if _, err := client.Get(ctx, "k"); !errors.Is(err, context.Canceled) {
			t.Errorf("Get = %v, want %v", err, context.Canceled)
		}
		_, _ = client.Get(t.Context(), "k")
		if conns := connsOf(server, memcachedtest.OpGet); len(conns) != 1 {
			t.Errorf("operations by connection: %v, want both on one", conns)
		}
	})
}

// TestDeadFlow_ShortContextsAreNoSuspicion: they end while a healthy server
// works.
func TestDeadFlow_ShortContextsAreNoSuspicion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		set(t, client, "k", "v")
		connectAll(t, client, server, 4)
		time.Sleep(time.Second)
		server.Intercept(delays(map[string]time.Duration{"k": 20 * time.Millisecond}))
		server.ForgetRequests()
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if _, err := client.Get(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Get = %v, want %v", err, context.DeadlineExceeded)
			}
			cancel()
			time.Sleep(time.Second)
		}
		if n := server.RequestCount(memcachedtest.OpGet); n != 3 {
			t.Errorf("%d operations came to the server, want 3: no connection is asked whether it lives", n)
		}
	})
}

// laterConnections returns a dialer whose connections after the first take a while.
func laterConnections(server *memcachedtest.Server, take time.Duration) func(context.Context, string, string) (net.Conn, error) {
	var dials atomic.Int32
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials.Add(1) > 1 {
			time.Sleep(take)
		}
		return server.DialContext(ctx, network, address)
	}
}

// setMany sets items, so many and so large that most callers wait for room on the
// first connection, and returns how many had none and how many failed. The errors
// are want.
func setMany(t *testing.T, client *memcached.Client, want error) (waited, failed int) {
	t.Helper()
	var wg sync.WaitGroup
	var errs atomic.Int32
	for i := range 200 {
		wg.Go(func() {
			err := client.Set(t.Context(), &memcached.Item{Key: fmt.Sprint("k", i), Value: make([]byte, 15<<10)})
			if err == nil {
				return
			}
			if errs.Add(1); !errors.Is(err, want) {
				t.Errorf("Set = %v, want %v", err, want)
			}
		})
	}
	synctest.Wait()
	waited = memcached.WaitingCalls(client)
	wg.Wait()
	return waited, int(errs.Load())
}

// TestDeadFlow_WaitingCallersUseOtherConnections: nothing of theirs was sent.
func TestDeadFlow_WaitingCallersUseOtherConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{DialContext: laterConnections(server, 150*time.Millisecond)}, server)
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Skip: r.Conn == 1 && r.Key != ""}
		})
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		go func() { _, _ = client.Get(ctx, "k") }()
		synctest.Wait()
		waited, failed := setMany(t, client, memcached.ErrUnavailable)
		if waited < 100 || failed != 200-waited {
			t.Errorf("%d of 200 operations failed and %d waited for room, want that those, and most, succeed on other connections", failed, waited)
		}
		if n := client.Stats().Servers[server.Addr()].Ops; n != 201 {
			t.Errorf("Stats has %d operations, want 201", n)
		}
	})
}
