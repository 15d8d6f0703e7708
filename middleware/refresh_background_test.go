package middleware_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
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

// TestStaleWhileRevalidate_ManyAtOnceAreBounded: clients do not wait for a place.
func TestStaleWhileRevalidate_ManyAtOnceAreBounded(t *testing.T) {
	inTime(t, func(t *testing.T) {
		pause := time.Duration(0)
		s := newSite(t, nil, func(c *gin.Context) {
			time.Sleep(pause)
			c.Header("Cache-Control", "max-age=10, stale-while-revalidate=300")
			c.String(http.StatusOK, "x")
		})
		for i := range 400 {
			s.get(fmt.Sprint("/", i))
		}
		time.Sleep(20 * time.Second)
		pause = 10 * time.Second
		began := time.Now()
		for i := range 400 {
			s.get(fmt.Sprint("/", i))
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("400 stale pages took %v, want each at once", took)
		}
		time.Sleep(time.Minute)
		if runs := s.runs.Load() - 400; runs < 1 || runs > 256 {
			t.Errorf("%d pages were revalidated at once, want 256 at most", runs)
		}
	})
}

// TestAbuse_SlowRevalidationsKeepNothingFromBeingStored: whoever asks for many pages that
// take long must not turn the cache off for the others.
func TestAbuse_SlowRevalidationsKeepNothingFromBeingStored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		pause := time.Duration(0)
		s := newSite(t, nil, func(c *gin.Context) {
			if strings.HasPrefix(c.Request.URL.Path, "/slow") {
				time.Sleep(pause)
			}
			c.Header("Cache-Control", "max-age=10, stale-while-revalidate=300")
			c.String(http.StatusOK, "x")
		})
		for i := range 300 {
			s.get(fmt.Sprint("/slow", i))
		}
		time.Sleep(20 * time.Second)
		pause = 30 * time.Second
		for i := range 300 {
			s.get(fmt.Sprint("/slow", i))
		}
		s.get("/a")
		if r := s.get("/a"); !r.hit() {
			t.Errorf("another page: %s, want a hit", r.cacheStatus())
		}
		time.Sleep(time.Minute)
	})
}
