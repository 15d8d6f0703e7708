package middleware_test

import (
	"net/http"
	"testing"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestReplicated_ClientsWork: with Options.Replicate there are no versions that
// all servers agree on.
func TestReplicated_ClientsWork(t *testing.T) {
	inTime(t, func(t *testing.T) {
		one, two := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
		client, err := memcached.New([]string{one.Addr(), two.Addr()}, &memcached.Options{
			Replicate: true, DialContext: memcachedtest.Dialer(one, two),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		s := newSiteWith(t, client, minute(), nil, text("x", "Vary: A", "Cache-Tag: t"))
		s.get("/a")
		s.get("/a", "A: 1")
		if !s.get("/a").hit() || !s.get("/a", "A: 1").hit() {
			t.Errorf("two variants were not stored: %+v", s.events.take())
		}
		if err := s.cache.Purge(t.Context(), s.request(t.Context(), http.MethodGet, "/a")); err != nil {
			t.Error(err)
		}
		if s.get("/a").hit() {
			t.Error("a purged page is still a hit")
		}
		s.purgeTags("t")
		if s.get("/a").hit() {
			t.Error("a page with a purged tag is still a hit")
		}
		one.Stop()
		s.get("/a")
		if !s.get("/a").hit() {
			t.Error("no hit with one of two servers down")
		}
	})
}
