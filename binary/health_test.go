package memcached_test

import (
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

// flaky is a network on which servers can be switched off.
type flaky struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	mu    sync.Mutex
	off   map[string]bool
	dials atomic.Int32
}

func newFlaky(servers ...*memcachedtest.Server) *flaky {
	return &flaky{dial: memcachedtest.Dialer(servers...), off: map[string]bool{}}
}

func (f *flaky) set(s *memcachedtest.Server, off bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off[s.Addr()] = off
}

func (f *flaky) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	f.dials.Add(1)
	f.mu.Lock()
	off := f.off[address]
	f.mu.Unlock()
	if off {
		return nil, errors.New("connection refused")
	}
	return f.dial(ctx, network, address)
}

func TestDeadServer_FailsFastAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		network := newFlaky(server)
		client := newClient(t, memcached.Options{DialContext: network.DialContext}, server)
		network.set(server, true)
		for range 1000 {
			start := time.Now()
			_, err := client.Get(t.Context(), "k")
			if !errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(err.Error(), server.Addr()) {
				t.Fatalf("Get = %v, want ErrUnavailable that names the server", err)
			}
			if took := time.Since(start); took > 0 {
				t.Fatalf("Get took %v, want no time", took)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := network.dials.Load(); n > 120 {
			t.Errorf("%d connection attempts in 10 s, want pauses of 40 ms, later 80 ms, then up to RetryAfter", n)
		}
		before := network.dials.Load()
		time.Sleep(10 * time.Second)
		if n := network.dials.Load() - before; n > 14 {
			t.Errorf("%d connection attempts in the next 10 s, want pauses of RetryAfter", n)
		}
		if !client.Stats().Servers[server.Addr()].Down {
			t.Error("Stats: the server is not down")
		}
		network.set(server, false)
		time.Sleep(time.Second)
		set(t, client, "k", "v")
		wantValue(t, client, "k", "v")
		if client.Stats().Servers[server.Addr()].Down {
			t.Error("Stats: the server is still down")
		}
	})
}

func TestDeadServer_LeavesOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil), newServer(t, nil)}
		network := newFlaky(servers...)
		client := newClient(t, memcached.Options{DialContext: network.DialContext}, servers...)
		var keys []string
		for i := range 300 {
			keys = append(keys, fmt.Sprintf("k%d", i))
			set(t, client, keys[i], "v")
		}
		onDead := len(servers[1].Keys())
		network.set(servers[1], true)
		servers[1].Close()
		items, err := client.GetMulti(t.Context(), keys)
		var multi *memcached.MultiError
		if !errors.As(err, &multi) || len(multi.Errors) != onDead || len(items) != len(keys)-onDead {
			t.Fatalf("GetMulti = %d items, %d errors, want %d and %d", len(items), len(multi.Errors), len(keys)-onDead, onDead)
		}
		for key, err := range multi.Errors {
			if !errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(err.Error(), servers[1].Addr()) || items[key] != nil {
				t.Errorf("error of %q = %v, want ErrUnavailable that names the dead server", key, err)
			}
		}
		if err := client.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), servers[1].Addr()) {
			t.Errorf("Ping = %v, want the dead server named", err)
		}
	})
}

func TestEjectAfter_MovesKeysAndTakesThemBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil), newServer(t, nil)}
		network := newFlaky(servers...)
		client := newClient(t, memcached.Options{DialContext: network.DialContext, EjectAfter: 2}, servers...)
		network.set(servers[0], true)
		key := ""
		for i := 0; key == ""; i++ { // a key of the dead server
			k := fmt.Sprintf("k%d", i)
			if _, err := client.Get(t.Context(), k); errors.Is(err, memcached.ErrUnavailable) {
				key = k
			}
		}
		for !client.Stats().Servers[servers[0].Addr()].Ejected {
			time.Sleep(100 * time.Millisecond)
			_, _ = client.Get(t.Context(), key)
		}
		set(t, client, key, "elsewhere")
		wantValue(t, client, key, "elsewhere")
		network.set(servers[0], false)
		time.Sleep(1100 * time.Millisecond)
		if s := client.Stats().Servers[servers[0].Addr()]; s.Ejected || s.Down {
			t.Fatalf("server after its return: %+v", s)
		}
		if _, err := client.Get(t.Context(), key); err != memcached.ErrCacheMiss {
			t.Errorf("Get = %v, want the key back on its own server", err)
		}
	})
}

// Who learns that no connection could be made finds the server's keys on the others,
// however long it takes to place them.
func TestEjectAfter_IsThereWhenItsCauseIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil)}
		network := newFlaky(servers...)
		client := newClient(t, memcached.Options{
			DialContext: network.DialContext, EjectAfter: 1, Timeout: time.Minute,
			Distribution: func(servers []memcached.Server) func(string) int {
				time.Sleep(time.Second)
				return memcached.Ketama(servers)
			},
		}, servers...)
		defer time.Sleep(time.Minute) // so that Close finds the keys placed
		network.set(servers[0], true)
		if err := client.Ping(t.Context()); err == nil {
			t.Fatal("Ping found a server that is off")
		}
		for i := range 100 {
			set(t, client, fmt.Sprint("k", i), "v")
		}
	})
}

func TestWrongPassword_NoRetryStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, &memcachedtest.Options{Users: map[string]string{"app": "right"}})
		network := newFlaky(server)
		client := newClient(t, memcached.Options{
			Auth: sasl.Auto("app", "a-wrong-password"), DialContext: network.DialContext,
		}, server)
		for range 500 {
			err := client.Set(t.Context(), &memcached.Item{Key: "k"})
			if !errors.Is(err, memcached.ErrAuth) {
				t.Fatalf("Set = %v, want ErrAuth", err)
			}
			if s := fmt.Sprintf("%v %+v", err, err); !strings.Contains(s, server.Addr()) || strings.Contains(s, "a-wrong-password") {
				t.Fatalf("Set = %s, want the server named and no password", s)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := network.dials.Load(); n > 12 {
			t.Errorf("%d attempts in 5 s, want pauses of up to RetryAfter", n)
		}
	})
}

// TestEjectAfter_WhatReturnsIsOld: a server that was cut off holds what it held.
// Without ejection nothing was written meanwhile, and every attempt was an error.
func TestEjectAfter_WhatReturnsIsOld(t *testing.T) {
	for _, ejectAfter := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			servers := map[string]*memcachedtest.Server{"cache-1:11211": newServer(t, nil), "cache-2:11211": newServer(t, nil)}
			client := newNamedClient(t, memcached.Options{EjectAfter: ejectAfter}, servers, "cache-1", "cache-2")
			cut := servers["cache-1:11211"]
			keys := numbered("k", 100)
			for _, key := range keys {
				set(t, client, key, "old")
			}
			changed, deleted := cut.Keys()[0], cut.Keys()[1]
			cut.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Skip: true} })
			if _, err := client.Get(t.Context(), changed); !errors.Is(err, memcached.ErrUnavailable) {
				t.Fatalf("Get = %v, want %v", err, memcached.ErrUnavailable)
			}
			for range 2 { // the second is a failure in a row
				_, _ = client.Get(t.Context(), changed)
			}
			setErr := client.Set(t.Context(), &memcached.Item{Key: changed, Value: []byte("new")})
			deleteErr := client.Delete(t.Context(), deleted)
			if ejectAfter == 0 {
				if !errors.Is(setErr, memcached.ErrUnavailable) || !errors.Is(deleteErr, memcached.ErrUnavailable) {
					t.Errorf("Set and Delete meanwhile = %v, %v, want %v", setErr, deleteErr, memcached.ErrUnavailable)
				}
			} else if setErr != nil || deleteErr != memcached.ErrCacheMiss {
				t.Errorf("Set and Delete meanwhile = %v, %v, want them done on the other server", setErr, deleteErr)
			} else {
				wantValue(t, client, changed, "new")
			}
			cut.Intercept(nil)
			time.Sleep(time.Second)
			wantValue(t, client, changed, "old")
			wantValue(t, client, deleted, "old")
		})
	}
}
