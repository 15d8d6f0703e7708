package middleware_test

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestSoftPurge_OnRealMemcached: by URL, tag and path, of pages with variants and in
// chunks, between two caches.
func TestSoftPurge_OnRealMemcached(t *testing.T) {
	var version atomic.Value
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Tag", "tag")
		w.Header().Set("Vary", "X-Select")
		size := 100
		if strings.HasSuffix(r.URL.Path, "large") {
			size = 3 << 20
		}
		_, _ = w.Write([]byte(version.Load().(string) + strings.Repeat(" ", size)))
	})
	server := memory(t)
	newCache := func() *middleware.Cache {
		client, err := memcached.New([]string{server.Addr()}, &memcached.Options{Auth: sasl.Auto(username, password)})
		if err != nil {
			t.Fatal(err)
		}
		cache, err := middleware.New(client, &middleware.Options{
			TTL: time.Hour, StaleIfError: time.Hour, PathTags: true, Prefix: "softly:",
			LookupTimeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = cache.Close(), client.Close() })
		return cache
	}
	one, two := newCache(), newCache()
	url := serve(t, one.Wrap(page))
	request := func(path string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://site.example"+path, nil) // the host of fetch
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for name, purge := range map[string]func(path string) error{
		"by URL":  func(path string) error { return two.SoftPurge(t.Context(), request(path)) },
		"by tag":  func(string) error { return two.SoftPurgeTags(t.Context(), "tag") },
		"by path": func(string) error { return two.SoftPurgePath(t.Context(), request("/blog/")) },
		"all":     func(string) error { return two.SoftPurgeAll(t.Context()) },
	} {
		for _, path := range []string{"/blog/small", "/blog/large"} {
			version.Store("old")
			if err := two.PurgeAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			fetch(t, url+path)
			if a := fetch(t, url+path); !a.hit() {
				t.Fatalf("%s is not stored: %s", path, a.header.Get("Cache-Status"))
			}
			version.Store("new")
			if err := purge(path); err != nil {
				t.Errorf("%s of %s: %v", name, path, err)
			}
			a := fetch(t, url+path)
			if status := a.header.Get("Cache-Status"); !strings.HasPrefix(a.body, "new") || !strings.Contains(status, "fwd=stale") {
				t.Errorf("%s: then %s is %.10q (%s), want the new page instead of a stale one", name, path, a.body, status)
			}
			if a := fetch(t, url+path); !strings.HasPrefix(a.body, "new") || !a.hit() {
				t.Errorf("%s: then %s is %.10q (%s), want a hit", name, path, a.body, a.header.Get("Cache-Status"))
			}
		}
	}
}
