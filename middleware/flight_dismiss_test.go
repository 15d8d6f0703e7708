package middleware_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

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

// between is an engine before which something happens.
type between struct {
	site   **site
	happen func(*site)
}

func (b between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.happen(*b.site)
	(*b.site).router.ServeHTTP(w, r)
}
