package memcached_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// greeters are the ways in which a server fails operations although it answers
// greetings, as a proxy does whose server is dead.
var greeters = map[string]memcachedtest.Action{
	"hangs":             {Skip: true},
	"closes":            {Skip: true, Close: true},
	"garbage":           {Edit: func([]byte) []byte { return []byte("\x00\x01\x02\x03garbage and no frame at all") }},
	"text":              {Edit: func([]byte) []byte { return []byte("SERVER_ERROR backend is down, try again\r\n") }},
	"unknown command":   {Status: memcached.StatusUnknownCommand},
	"authentication":    {Status: memcached.StatusAuthError, Close: true},
	"internal error":    {Status: memcached.StatusInternalError},
	"busy":              {Status: memcached.StatusBusy},
	"temporary failure": {Status: memcached.StatusTemporaryFailure},
}

// greetsOnly makes a server fail operations in the given way.
func greetsOnly(action memcachedtest.Action) func(memcachedtest.Request) memcachedtest.Action {
	return func(r memcachedtest.Request) memcachedtest.Action {
		if r.Op == memcachedtest.OpNoop {
			return memcachedtest.Action{}
		}
		return action
	}
}

func TestGreeting_ProvesNothing(t *testing.T) {
	for name, action := range greeters {
		for _, ejectAfter := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d", name, ejectAfter), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					bad, good := newServer(t, nil), newServer(t, nil)
					network := newFlaky(bad, good)
					client := newClient(t, memcached.Options{
						EjectAfter: ejectAfter, Timeout: 100 * time.Millisecond, DialContext: network.DialContext,
					}, bad, good)
					bad.Intercept(greetsOnly(action))
					ejected := func() bool { return client.Stats().Servers[bad.Addr()].Ejected }
					keys := numbered("k", 100)
					for i := 0; i < 15*len(keys) && !ejected(); i++ {
						_, _ = client.Get(t.Context(), keys[i%len(keys)])
						time.Sleep(time.Millisecond)
					}
					for range 60 { // 6 s
						time.Sleep(100 * time.Millisecond)
						if !ejected() {
							t.Fatal("the server is not ejected, or back")
						}
					}
					for _, key := range keys {
						if _, err := client.Get(t.Context(), key); err != memcached.ErrCacheMiss {
							t.Fatalf("Get = %v, want the key on the other server", err)
						}
					}
					if n := network.dials.Load(); n > 120 {
						t.Errorf("%d connection attempts in 6 s", n)
					}
					bad.Intercept(nil)
					time.Sleep(time.Second)
					if ejected() {
						t.Error("the server answers and is still ejected")
					}
				})
			})
		}
	}
}

// TestGreeting_NoStormAndFewPay: callers that do not stop neither make a storm
// of connections nor wait for Timeout again and again.
func TestGreeting_NoStormAndFewPay(t *testing.T) {
	for name, action := range greeters {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				network := newFlaky(server)
				const timeout = 100 * time.Millisecond
				client := newClient(t, memcached.Options{Timeout: timeout, DialContext: network.DialContext}, server)
				set(t, client, "k", "v")
				server.Intercept(greetsOnly(action))
				var mu sync.Mutex
				paid := 0
				var wg sync.WaitGroup
				for range 32 {
					wg.Go(func() {
						for begin := time.Now(); time.Since(begin) < 5*time.Second; time.Sleep(5 * time.Millisecond) {
							start := time.Now()
							if _, err := client.Get(t.Context(), "k"); err == nil {
								t.Error("Get = nil")
							}
							if time.Since(start) >= timeout/2 {
								mu.Lock()
								paid++
								mu.Unlock()
							}
						}
					})
				}
				wg.Wait()
				if paid > 2*32 {
					t.Errorf("%d operations waited for half of Timeout or longer, want one or two of each caller", paid)
				}
				if n := network.dials.Load(); n > 120 {
					t.Errorf("%d connection attempts in 5 s", n)
				}
				server.Intercept(nil)
				time.Sleep(time.Second)
				wantValue(t, client, "k", "v")
			})
		})
	}
}

// TestGreeting_ReplicatesDoNotPayForTheFirst: reads go on with the second server
// at once.
func TestGreeting_ReplicatesDoNotPayForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newServer(t, nil), newServer(t, nil)
		client := newClient(t, memcached.Options{Replicate: true}, first, second)
		set(t, client, "k", "v")
		first.Intercept(greetsOnly(memcachedtest.Action{Skip: true}))
		time.Sleep(time.Second)
		paid := 0
		for range 100 {
			start := time.Now()
			wantValue(t, client, "k", "v")
			if time.Since(start) > 0 {
				paid++
			}
		}
		if paid > 2 {
			t.Errorf("%d of 100 reads waited for the silent server, want no more than two", paid)
		}
	})
}
