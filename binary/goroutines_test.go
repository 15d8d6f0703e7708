package memcached_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// clientGoroutines counts goroutines inside the client, tests and test servers
// left out.
func clientGoroutines() (n int) {
	for _, stack := range packageGoroutines() {
		if strings.Contains(stack, "bmemcached-go/binary.(*") {
			n++
		}
	}
	return n
}

func TestIdleClient_HoldsNoGoroutines(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{DialContext: dialTCP}, server)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for range 100 {
				_, _ = client.Get(t.Context(), "k")
			}
		})
	}
	wg.Wait()
	for deadline := time.Now().Add(5 * time.Second); clientGoroutines() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines in an idle client: %v", clientGoroutines(), packageGoroutines())
		}
	}
	if client.Stats().Servers[server.Addr()].Conns == 0 {
		t.Error("no connections")
	}
}

// TestClose_LeavesNoGoroutines closes clients in the midst of everything.
func TestClose_LeavesNoGoroutines(t *testing.T) {
	servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil)}
	for _, s := range servers {
		s.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: delayOf(r.Opaque%7 == 0, 5*time.Millisecond), Mute: r.Opaque%31 == 0}
		})
	}
	for round := range 20 {
		client := newClient(t, memcached.Options{
			DialContext: dialTCP, Timeout: 20 * time.Millisecond, EjectAfter: 1, IdleTimeout: time.Millisecond, RetryAfter: time.Millisecond,
		}, servers...)
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() {
				for !closed(client) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
					_ = client.Set(ctx, &memcached.Item{Key: "k", Value: make([]byte, i*1000)})
					_, _ = client.GetMulti(ctx, numbered("k", 300))
					cancel()
				}
			})
		}
		if round%2 == 0 {
			time.Sleep(time.Duration(round) * time.Millisecond)
		}
		if round%3 == 0 {
			_ = client.SetServers([]string{servers[0].Addr()})
		}
		start := time.Now()
		_ = client.Close()
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("Close took %v", took)
		}
		wg.Wait()
	}
	for deadline := time.Now().Add(5 * time.Second); clientGoroutines() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("goroutines after Close: %s", strings.Join(packageGoroutines(), "\n\n"))
		}
	}
}

func closed(client *memcached.Client) bool {
	return errors.Is(client.Ping(context.Background()), memcached.ErrClosed)
}
