package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// What waits behind a server that reads nothing, and whose caller has left, is
// never sent; its neighbours are.
func TestAbandonedWrite_ThatNobodyWroteIsWithdrawn(t *testing.T) {
	synctest.Test(t, testWithdraw)
}

func testWithdraw(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Hour}, server)
	set(t, client, "k", "0")
	release := make(chan struct{})
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Key == "block" {
			return memcachedtest.Action{Until: release}
		}
		return memcachedtest.Action{}
	})
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = client.Get(t.Context(), "block") })
	synctest.Wait()
	// The server reads nothing now; this fills what is between.
	wg.Go(func() { _ = client.Set(t.Context(), &memcached.Item{Key: "big", Value: make([]byte, 1<<20-100)}) })
	synctest.Wait()
	writes := anyWrites("1")
	for round, w := range writes {
		neighbour := func(name string, size int) {
			key := fmt.Sprint(name, round)
			wg.Go(func() { set(t, client, key, key+string(make([]byte, size))) })
			synctest.Wait()
		}
		neighbour("small", 0)
		neighbour("large", 20<<10)
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+round%3)*time.Minute)
			defer cancel()
			err := w.do(ctx, client)
			if !errors.Is(err, context.DeadlineExceeded) || !safeToRetry(t, err) {
				t.Errorf("%v = %v, want %v that is safe to retry: it was not sent", w, err, context.DeadlineExceeded)
			}
		})
		synctest.Wait()
		neighbour("large-again", 20<<10)
		neighbour("small-again", 0)
	}
	time.Sleep(4 * time.Minute) // all have left
	close(release)
	wg.Wait()
	wantValue(t, client, "k", "0")
	for round := range writes {
		for _, name := range []string{"small", "large", "large-again", "small-again"} {
			key := fmt.Sprint(name, round)
			size := 0
			if name == "large" || name == "large-again" {
				size = 20 << 10
			}
			wantValue(t, client, key, key+string(make([]byte, size)))
		}
	}
}
