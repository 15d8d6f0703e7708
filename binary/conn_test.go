package memcached_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestManyCallersShareOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Timeout: time.Hour}, server)
		set(t, client, "k", "v")
		release := make(chan struct{})
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Op == "GET" {
				return memcachedtest.Action{Until: release}
			}
			return memcachedtest.Action{}
		})
		const callers = 10_000
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				if item, err := client.Get(t.Context(), "k"); err != nil || string(item.Value) != "v" {
					t.Errorf("Get = %v, %v", item, err)
				}
			})
		}
		synctest.Wait()
		if n := client.Stats().Servers[server.Addr()].Conns; n > 8 {
			t.Errorf("%d connections, want at most 8", n)
		}
		close(release)
		wg.Wait()
	})
}
