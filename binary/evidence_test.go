package memcached_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// TestAuth_AskedForAgain: a server, or a proxy before it, does not remember that a
// connection is authenticated and leaves it open. Another connection is.
func TestAuth_AskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, secured("PLAIN"))
		client := newClient(t, memcached.Options{Auth: sasl.Auto("app", "a-secret-password"), MaxConns: 2}, server)
		set(t, client, "k", "v")
		twoConnections(t, client, server)
		server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
			if r.Conn <= 2 {
				a.Status = memcached.StatusAuthError
			}
			return a
		})
		for range 2 {
			if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrAuth) {
				t.Errorf("Get on a connection that is forgotten = %v, want ErrAuth", err)
			}
		}
		time.Sleep(10 * time.Millisecond)
		wantValue(t, client, "k", "v")
		time.Sleep(time.Second)
		if s := client.Stats().Servers[server.Addr()]; s.Conns != 1 || s.Dials != 3 {
			t.Errorf("%d connections of %d are open, want 1 of 3", s.Conns, s.Dials)
		}
	})
}

// TestAuth_AskedForAlways: a server that takes the credentials and then refuses
// everything is not stormed with connections.
func TestAuth_AskedForAlways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, secured("PLAIN"))
		client := newClient(t, memcached.Options{Auth: sasl.Auto("app", "a-secret-password")}, server)
		server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
			if r.Op == memcachedtest.OpGet {
				a.Status = memcached.StatusAuthError
			}
			return a
		})
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				for range 1000 {
					if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrAuth) {
						t.Errorf("Get = %v, want ErrAuth", err)
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		wg.Wait()
		if s := client.Stats().Servers[server.Addr()]; s.Dials+s.DialErrors > 100 {
			t.Errorf("%d connections in 10 s, want few", s.Dials+s.DialErrors)
		}
		server.Intercept(nil)
		time.Sleep(time.Second)
		set(t, client, "k", "v")
	})
}

// TestAuth_AskedForAgainWhileCallersWait: who has nothing on the connection yet
// takes another.
func TestAuth_AskedForAgainWhileCallersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, secured("PLAIN"))
		client := newClient(t, memcached.Options{
			Auth:        sasl.Auto("app", "a-secret-password"),
			DialContext: laterConnections(server, 50*time.Millisecond),
		}, server)
		server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
			if r.Conn == 1 && r.Op == memcachedtest.OpSet {
				a.Delay, a.Status = 10*time.Millisecond, memcached.StatusAuthError
			}
			return a
		})
		waited, failed := setMany(t, client, memcached.ErrAuth)
		// With the first answer one was admitted.
		if waited < 100 || failed > 200-waited+1 {
			t.Errorf("%d of 200 operations failed and %d waited for room, want that these, and most, succeed on other connections", failed, waited)
		}
	})
}
