package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

// slow takes a second.
func slow(h gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		time.Sleep(time.Second)
		h(c)
	}
}

// together sends n requests to each site at the same time and returns the
// responses.
func together(n int, path string, sites ...*site) []response {
	var mu sync.Mutex
	var all []response
	var wg sync.WaitGroup
	for _, s := range sites {
		for range n {
			wg.Go(func() {
				r := s.get(path)
				mu.Lock()
				all = append(all, r)
				mu.Unlock()
			})
		}
	}
	wg.Wait()
	return all
}

func TestCollapse_ConcurrentMissesRunTheHandlerOnce(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), slow(text("x")))
		collapsed := 0
		for _, r := range together(100, "/a", s) {
			if r.body != "x" {
				t.Errorf("body = %q, want %q", r.body, "x")
			}
			if r.cacheStatus() == "bmemcached; fwd=uri-miss; collapsed" {
				collapsed++
			}
		}
		s.wantRuns(1)
		if collapsed != 99 {
			t.Errorf("%d responses say that they were collapsed, want 99", collapsed)
		}
	})
}

func TestCollapse_AcrossProcesses(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		var runs atomic.Int64
		handler := func(c *gin.Context) {
			runs.Add(1)
			time.Sleep(time.Second)
			c.String(http.StatusOK, "x")
		}
		one, two, three := newSiteOn(t, memory, minute(), handler), newSiteOn(t, memory, minute(), handler), newSiteOn(t, memory, minute(), handler)
		began := time.Now()
		for _, r := range together(50, "/a", one, two, three) {
			if r.body != "x" {
				t.Errorf("body = %q, want %q", r.body, "x")
			}
		}
		if runs.Load() != 1 {
			t.Errorf("handlers of three processes ran %d times, want 1", runs.Load())
		}
		if took := time.Since(began); took > 1200*time.Millisecond {
			t.Errorf("it took %v, want little more than the handler's second", took)
		}
	})
}

// TestCollapse_OnlyOneProcessTakesTheLock: all look before any of them takes it.
func TestCollapse_OnlyOneProcessTakesTheLock(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		memory.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 10 * time.Millisecond}
		})
		var runs atomic.Int64
		handler := func(c *gin.Context) {
			runs.Add(1)
			time.Sleep(time.Second)
			c.String(http.StatusOK, "x")
		}
		together(1, "/a", newSiteOn(t, memory, minute(), handler), newSiteOn(t, memory, minute(), handler), newSiteOn(t, memory, minute(), handler))
		if runs.Load() != 1 {
			t.Errorf("handlers of three processes ran %d times, want 1", runs.Load())
		}
	})
}

func TestCollapse_RevalidationRunsOnce(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		handler := slow(text("x", "Cache-Control: max-age=10", `ETag: "a"`))
		one, two := newSiteOn(t, memory, nil, handler), newSiteOn(t, memory, nil, handler)
		one.get("/a")
		time.Sleep(20 * time.Second)
		for _, r := range together(20, "/a", one, two) {
			if r.body != "x" {
				t.Errorf("body = %q, want %q", r.body, "x")
			}
		}
		if n := one.runs.Load() + two.runs.Load(); n != 2 {
			t.Errorf("handlers ran %d times, want 2", n)
		}
	})
}

func TestCollapse_FollowersOfAnUncacheableResponseRunInParallel(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		var n atomic.Int64
		handler := slow(func(c *gin.Context) {
			c.Header("Cache-Control", "private")
			c.String(http.StatusOK, "%d", n.Add(1))
		})
		one, two := newSiteOn(t, memory, minute(), handler), newSiteOn(t, memory, minute(), handler)
		began := time.Now()
		bodies := map[string]bool{}
		for _, r := range together(20, "/a", one, two) {
			bodies[r.body] = true
		}
		if len(bodies) != 40 {
			t.Errorf("%d different bodies, want 40: nobody may get another's", len(bodies))
		}
		if took := time.Since(began); took > 2200*time.Millisecond {
			t.Errorf("it took %v, want two runs of a second: the first, then all others at once", took)
		}
		// The note: nobody waits any more.
		began = time.Now()
		together(20, "/a", one, two)
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("the next took %v, want one run of a second: all at once", took)
		}
	})
}

func TestCollapse_FollowersAreReleasedByTheHeader(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Header("Cache-Control", "no-store")
			c.String(http.StatusOK, "x")
			time.Sleep(time.Hour)
		})
		go s.get("/a")
		synctest.Wait()
		began := time.Now()
		together(3, "/a", s)
		if took := time.Since(began); took > time.Hour+time.Minute {
			t.Errorf("followers took %v, want an hour: they need not wait for the end", took)
		}
	})
}

func TestCollapse_NoteExpires(t *testing.T) {
	inTime(t, func(t *testing.T) {
		control := "private"
		s := newSite(t, minute(), slow(func(c *gin.Context) {
			c.Header("Cache-Control", control)
			c.String(http.StatusOK, "x")
		}))
		s.get("/a")
		if r := s.get("/a"); !strings.Contains(r.cacheStatus(), "detail=hit-for-miss") {
			t.Errorf("Cache-Status = %q, want hit-for-miss", r.cacheStatus())
		}
		time.Sleep(10 * time.Second)
		control = "max-age=60"
		before := s.runs.Load()
		together(10, "/a", s)
		if n := s.runs.Load() - before; n != 1 {
			t.Errorf("after the note's life 10 requests ran the handler %d times, want 1", n)
		}
	})
}

func TestCollapse_NoteGivesWayToAStorableResponse(t *testing.T) {
	inTime(t, func(t *testing.T) {
		status := http.StatusInternalServerError
		s := newSite(t, minute(), func(c *gin.Context) { c.String(status, "x") })
		s.get("/a")
		status = http.StatusOK
		s.get("/a")
		if r := s.get("/a"); !r.hit() {
			t.Errorf("Cache-Status = %q, want a hit: the second response could be stored", r.cacheStatus())
		}
	})
}

func TestCollapse_ShareOnlyWithTheSameVariant(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), slow(func(c *gin.Context) {
			c.Header("Vary", "Lang")
			c.String(http.StatusOK, c.GetHeader("Lang"))
		}))
		var wg sync.WaitGroup
		for i := range 30 {
			lang := fmt.Sprint("l", i%3)
			wg.Go(func() {
				if r := s.get("/a", "Lang: "+lang); r.body != lang {
					t.Errorf("request for %s got %q", lang, r.body)
				}
			})
		}
		wg.Wait()
		s.wantRuns(3)
	})
}

func TestCollapse_AuthorizedRequestsDoNotWaitForEachOther(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), slow(text("x")))
		began := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { s.get("/a", "Authorization: Bearer 1") })
		}
		wg.Wait()
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("10 authorized requests took %v, want the handler's second", took)
		}
		s.wantRuns(10)
	})
}

func TestCollapse_DifferentPagesDoNotWait(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), slow(text("x")))
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { s.get(fmt.Sprint("/", i)) })
		}
		wg.Wait()
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("20 pages took %v, want a second", took)
		}
	})
}
