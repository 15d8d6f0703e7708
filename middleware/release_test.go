package middleware_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

func TestCollapse_NobodyWaitsForWhatIsDeclaredTooLarge(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, &middleware.Options{TTL: time.Minute, MaxBody: 1000}, func(c *gin.Context) {
			c.Header("Content-Length", "1099511627776")
			c.String(http.StatusOK, "begin")
			time.Sleep(time.Hour)
		})
		began := time.Now()
		together(3, "/a", s)
		if took := time.Since(began); took > time.Hour+time.Second {
			t.Errorf("three requests took %v, want an hour: they need not wait for each other", took)
		}
	})
}

// TestHijack_OthersDoNotWaitForIt: each run goes on only when the other is there.
func TestHijack_OthersDoNotWaitForIt(t *testing.T) {
	var there atomic.Int64
	s := newSite(t, minute(), func(c *gin.Context) {
		conn, rw, err := c.Writer.Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer conn.Close()
		there.Add(1)
		waitFor(t, "the other request", func() bool { return there.Load() == 2 })
		_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nraw")
		_ = rw.Flush()
	}).listen()
	for _, r := range together(2, "/a", s) {
		if r.body != "raw" {
			t.Errorf("body = %q, want what the handler wrote to the connection", r.body)
		}
	}
}

// TestHijack_AfterTheHeaderNothingIsStored: the body goes past the cache.
func TestHijack_AfterTheHeaderNothingIsStored(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Status(http.StatusOK)
		c.Writer.Flush()
		conn, _, err := c.Writer.Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		_, _ = conn.Write([]byte("3\r\nraw\r\n0\r\n\r\n"))
		_ = conn.Close()
	}).listen()
	for range 2 {
		if r := s.get("/a"); r.body != "raw" {
			t.Errorf("body = %q (%s), want what the handler wrote to the connection", r.body, r.cacheStatus())
		}
	}
	s.wantRuns(2)
}

// TestChunks_OfTwoPagesDoNotMeet: each body has keys of its own.
func TestChunks_OfTwoPagesDoNotMeet(t *testing.T) {
	one, two := noise(2<<20), noise(2<<20+1)
	s := newSite(t, minute(), func(c *gin.Context) {
		if c.Request.URL.Path == "/one" {
			blob(one)(c)
			return
		}
		blob(two)(c)
	})
	s.get("/one")
	s.get("/two")
	if r := s.get("/one"); r.body != one || !r.hit() {
		t.Errorf("/one = %d bytes (%s), want a hit of its own %d", len(r.body), r.cacheStatus(), len(one))
	}
	if r := s.get("/two"); r.body != two || !r.hit() {
		t.Errorf("/two = %d bytes (%s), want a hit of its own %d", len(r.body), r.cacheStatus(), len(two))
	}
}

// between is an engine before which something happens.
type between struct {
	site   **site
	happen func(*site)
}

func (b between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.happen(*b.site)
	(*b.site).router.ServeHTTP(w, r)
}

// TestStaleWhileRevalidate_LooksAgain: until the background run begins, the
// response may be purged, or made anew.
func TestStaleWhileRevalidate_LooksAgain(t *testing.T) {
	tests := map[string]struct {
		happen func(*site)
		runs   int64
	}{
		"nothing":    {func(*site) {}, 2},
		"purged":     {func(s *site) { s.purge("/a") }, 1},
		"made anew":  {func(s *site) { s.purge("/a"); s.get("/a") }, 2},
		"cached out": {func(s *site) { s.evict("page:") }, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				var s *site
				opts := &middleware.Options{Engine: between{&s, test.happen}}
				s = newSiteOn(t, memcachedtest.Start(t, nil), opts, text("x", "Cache-Control: max-age=10, stale-while-revalidate=60"))
				s.get("/a")
				time.Sleep(15 * time.Second)
				s.get("/a")
				synctest.Wait()
				s.wantRuns(test.runs)
			})
		})
	}
}
