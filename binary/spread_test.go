package memcached_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
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

// held makes the server keep GETs until the function that it returns is called.
func held(server *memcachedtest.Server) (release func()) {
	gate := make(chan struct{})
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Op != "GET" {
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
		for range conns { // as many as are not yet a crowd
			wg.Go(func() { _, _ = client.Get(t.Context(), "k") })
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

func TestSpread_FewOperationsHaveAConnectionEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 6}, server)
		connectAll(t, client, server, 6)
		release := held(server)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() { _, _ = client.Get(t.Context(), "k") })
			synctest.Wait()
		}
		if counts := connsOf(server, "GET"); len(counts) != 6 {
			t.Errorf("6 operations at once use the connections %v, want 6 of them", counts)
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

// slowWrites counts writes. Those after the first of a connection, which is the
// handshake, wait for the gate.
type slowWrites struct {
	net.Conn
	gate   chan struct{}
	writes *atomic.Int32
}

func (c *slowWrites) Write(b []byte) (int, error) {
	if c.writes.Add(1) > 1 {
		<-c.gate
	}
	return c.Conn.Write(b)
}

func TestWrites_AreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		gate, writes := make(chan struct{}), new(atomic.Int32)
		client := newClient(t, memcached.Options{MaxConns: 1, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := server.DialContext(ctx, network, address)
			return &slowWrites{nc, gate, writes}, err
		}}, server)
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				if _, err := client.Get(t.Context(), "k"); err != memcached.ErrCacheMiss {
					t.Errorf("Get = %v, want %v", err, memcached.ErrCacheMiss)
				}
			})
		}
		synctest.Wait() // one writes, the others wait for their answers
		close(gate)
		wg.Wait()
		if n := writes.Load(); n > 3 {
			t.Errorf("500 requests that came while another was written took %d writes, want 2", n-1)
		}
	})
}

// TestBuffers_OfAnIdleConnectionAreSmall: 64 KiB at most, after whatever load.
func TestBuffers_OfAnIdleConnectionAreSmall(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{MaxConns: 3, Timeout: time.Minute, DialContext: dialTCP}, server)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			key := fmt.Sprintf("k-%d", i)
			for j := range 30 {
				value := bytes.Repeat([]byte{byte(i)}, []int{10, 5000, 16_000, 17_000, 300_000}[j%5])
				if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: value}); err != nil {
					t.Errorf("Set = %v", err)
					return
				}
				if item, err := client.Get(t.Context(), key); err != nil || !bytes.Equal(item.Value, value) {
					t.Errorf("Get = %v, want %d bytes", err, len(value))
					return
				}
			}
		})
	}
	wg.Wait()
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Edit: func(b []byte) []byte {
			if r.Op == "STAT" {
				return append(said(codeStat, 0, r.Opaque, 0, "", "large", strings.Repeat("x", 200_000)), said(codeStat, 0, r.Opaque, 0, "", "", "")...)
			}
			return b
		}}
	})
	if _, err := client.ServerStats(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for range 200 { // some for every connection
		_, _ = client.Get(t.Context(), "missing")
	}
	each := memcached.BufferBytes(client)
	if len(each) == 0 {
		t.Fatal("no connections")
	}
	for _, n := range each {
		if n > 64<<10 {
			t.Errorf("idle connections hold buffers of %d bytes, want 65536 each at most", each)
			return
		}
	}
}

func TestDial_IsOneForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		var dials atomic.Int32
		var names sync.Map
		client := newClient(t, memcached.Options{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			names.Store(address, true)
			time.Sleep(100 * time.Millisecond)
			return server.DialContext(ctx, network, address)
		}}, server)
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				if _, err := client.Get(t.Context(), "k"); err != memcached.ErrCacheMiss {
					t.Errorf("Get = %v, want %v", err, memcached.ErrCacheMiss)
				}
			})
		}
		synctest.Wait()
		if n := dials.Load(); n != 1 {
			t.Errorf("200 operations on a client without connections made %d, want 1", n)
		}
		wg.Wait()
		// After a restart the name is given to the dialer again, which resolves it.
		names.Clear()
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		_, _ = client.Get(t.Context(), "k")
		if _, ok := names.Load(server.Addr()); !ok {
			t.Error("the connection after a restart was not made by name")
		}
	})
}

// TestDial_OneTimeoutForAllItsSteps: connecting, encrypting and authenticating
// do not have a Timeout each.
func TestDial_OneTimeoutForAllItsSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, secured())
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 150 * time.Millisecond}
		})
		opts := memcached.Options{Auth: sasl.Auto("app", "a-secret-password"), Timeout: 400 * time.Millisecond}
		opts.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			time.Sleep(150 * time.Millisecond)
			return server.DialContext(ctx, network, address)
		}
		client := newClient(t, opts, server)
		start := time.Now()
		_, err := client.Get(t.Context(), "k")
		var op *memcached.OpError
		if !errors.As(err, &op) || !op.Timeout() || !errors.Is(err, memcached.ErrUnavailable) {
			t.Errorf("Get = %v, want a timeout", err)
		}
		if took := time.Since(start); took > 425*time.Millisecond {
			t.Errorf("Get took %v, want no more than Options.Timeout", took)
		}
	})
}
