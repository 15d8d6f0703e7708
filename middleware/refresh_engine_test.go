package middleware_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// engineCache returns a cache whose pages are stale after ten seconds, with its log.
func engineCache(t *testing.T, engine http.Handler) (cache *middleware.Cache, log *bytes.Buffer) {
	t.Helper()
	memory := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{memory.Addr()}, &memcached.Options{DialContext: memory.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	log = new(bytes.Buffer)
	cache, err = middleware.New(client, &middleware.Options{
		TTL: 10 * time.Second, StaleWhileRevalidate: time.Minute, Engine: engine,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	return cache, log
}

// numbered says which site a page is of, and its number among all.
func numbered(site string, n *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %d", site, r.URL.Path, n.Add(1))
	})
}

// The engine stands above what takes a part of the path away, and has another page at
// what is left of it.
func TestStaleWhileRevalidate_BelowStripPrefixIsOfItsOwnSite(t *testing.T) {
	inTime(t, func(t *testing.T) {
		engine, n := http.NewServeMux(), new(atomic.Int64)
		cache, log := engineCache(t, engine)
		engine.Handle("/shop/", http.StripPrefix("/shop", cache.Wrap(numbered("shop", n))))
		engine.Handle("/", cache.Wrap(numbered("blog", n)))
		s := &httpSite{tb: t, handler: engine}
		for _, want := range []string{"shop /a 1", "shop /a 1", "shop /a 1", "shop /a 2", "shop /a 2", "shop /a 3"} {
			if got := s.do(http.MethodGet, "/shop/a").body; got != want {
				t.Errorf("GET /shop/a after %v = %q, want %q", time.Now(), got, want)
			}
			synctest.Wait()
			time.Sleep(9 * time.Second)
		}
		if log.Len() > 0 {
			t.Errorf("the log has %q", log)
		}
	})
}

// An engine in which the cache is not, or not for this page, revalidates nothing: that
// is said, and not in every request.
func TestStaleWhileRevalidate_EngineWithoutTheCacheIsLogged(t *testing.T) {
	inTime(t, func(t *testing.T) {
		engine, n := http.NewServeMux(), new(atomic.Int64)
		engine.Handle("/", numbered("site", n))
		cache, log := engineCache(t, engine)
		s := &httpSite{tb: t, handler: cache.Wrap(engine)}
		s.do(http.MethodGet, "/a")
		s.do(http.MethodGet, "/b")
		time.Sleep(15 * time.Second)
		s.do(http.MethodGet, "/a")
		s.do(http.MethodGet, "/b")
		synctest.Wait()
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "Options.Engine must be") {
			t.Errorf("the log has %q, want one line that names Options.Engine", text)
		}
	})
}
