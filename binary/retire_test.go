package memcached_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestSetServers_ThatComeBackKeepTheOrderOfWrites: a server leaves the list and
// comes back, perhaps written differently, while a write that its caller has
// abandoned may still be carried out by it.
func TestSetServers_ThatComeBackKeepTheOrderOfWrites(t *testing.T) {
	for _, again := range []string{"b", "b:11211"} {
		for _, early := range anyWrites("1") {
			t.Run(again+"/"+early.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testWriteOrderOfReturns(t, early, again) })
			})
		}
	}
}

func testWriteOrderOfReturns(t *testing.T, early anyWrite, again string) {
	server, other := newServer(t, nil), newServer(t, nil)
	client := newNamedClient(t, memcached.Options{}, map[string]*memcachedtest.Server{"a:11211": other, "b:11211": server}, "b")
	set(t, client, "k", "0")
	release := holdWrites(server)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := early.do(ctx, client); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v that is held = %v, want %v", early, err, context.DeadlineExceeded)
	}
	for _, servers := range [][]string{{"a"}, {"a", again}, {again}} {
		if err := client.SetServers(servers); err != nil {
			t.Fatal(err)
		}
	}
	time.AfterFunc(100*time.Millisecond, func() { close(release) })
	set(t, client, "k", "new")
	synctest.Wait()
	time.Sleep(time.Second)
	if got := valueIn(server); got != "new" {
		t.Errorf("after %v, servers that come and go, and Set(new), the server has %.40q", early, got)
	}
}

// TestSetServers_ForgetsServersThatAreGone: what the client keeps of a server that
// left does not stay when nothing can come of its writes any more.
func TestSetServers_ForgetsServersThatAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newNamedClient(t, memcached.Options{}, map[string]*memcachedtest.Server{"a:11211": server, "b:11211": server, "c:11211": server}, "a")
		for range 3 {
			for _, name := range []string{"b", "c", "a"} {
				set(t, client, "k", "v")
				if err := client.SetServers([]string{name}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if kept := memcached.EarlierServers(client); !slices.Equal(kept, []string{"a:11211", "c:11211"}) {
			t.Errorf("the client remembers writes on %q, want those of the server and of the one before", kept)
		}
	})
}
