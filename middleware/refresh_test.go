package middleware_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestStaleWhileRevalidate_EndsAfterAMinute(t *testing.T) {
	inTime(t, func(t *testing.T) {
		began, took := time.Time{}, make(chan time.Duration, 1)
		runs := 0
		s := newSite(t, nil, func(c *gin.Context) {
			if runs++; runs == 2 {
				began = time.Now()
				<-c.Request.Context().Done()
				took <- time.Since(began)
			}
			c.Header("Cache-Control", "max-age=10, stale-while-revalidate=30")
			c.String(http.StatusOK, "x")
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		s.get("/a")
		if d := <-took; d != time.Minute {
			t.Errorf("the background run's context ended after %v, want a minute", d)
		}
	})
}

// TestStaleWhileRevalidate_RequestIsNotTheClients: middleware above may change
// the request once it is answered, while the background run begins.
func TestStaleWhileRevalidate_RequestIsNotTheClients(t *testing.T) {
	seen := make(chan string, 10)
	above := func(c *gin.Context) {
		c.Next()
		c.Request.Header.Set("X-Language", "none")
		for range 100 {
			c.Request.Header.Add("X-Noise", "x")
		}
	}
	s := newSiteAbove(t, memcachedtest.Start(t, nil), nil, above, func(c *gin.Context) {
		seen <- c.GetHeader("X-Language")
		c.Header("Cache-Control", "max-age=0, stale-while-revalidate=30")
		c.String(http.StatusOK, "x")
	})
	for range 2 {
		s.get("/a", "X-Language: de")
		if got := <-seen; got != "de" {
			t.Errorf("the handler saw X-Language: %q, want de", got)
		}
	}
}

// TestStaleWhileRevalidate_FailureHoldsNobodyUp: the lock that keeps the next
// attempt in the background away is nothing to wait for.
func TestStaleWhileRevalidate_FailureHoldsNobodyUp(t *testing.T) {
	inTime(t, func(t *testing.T) {
		broken := false
		s := newSite(t, nil, func(c *gin.Context) {
			if broken {
				panic("on purpose")
			}
			c.Header("Cache-Control", "max-age=10, stale-while-revalidate=5")
			c.String(http.StatusOK, "x")
		})
		s.get("/a")
		time.Sleep(14 * time.Second)
		broken = true
		s.get("/a")
		synctest.Wait()
		time.Sleep(2 * time.Second)
		broken = false
		began := time.Now()
		if r := s.get("/a"); r.body != "x" || time.Since(began) > 0 {
			t.Errorf("after the window: %q (%s) after %v, want it at once", r.body, r.cacheStatus(), time.Since(began))
		}
		if r := s.get("/a"); !r.hit() {
			t.Errorf("then %s, want a hit", r.cacheStatus())
		}
	})
}
