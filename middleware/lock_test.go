package middleware_test

import (
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
	"github.com/bmemcached/bmemcached-go/middleware"
)

func TestCollapse_DeadHolderDelaysOthersByTheLocksLife(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		dead := newSiteOn(t, memory, minute(), func(c *gin.Context) { <-c.Request.Context().Done() })
		ctx, kill := contextWithCancel(t)
		defer kill()
		go dead.send(dead.request(ctx, http.MethodGet, "/a"))
		synctest.Wait()
		_ = dead.client.Close() // nothing of it reaches memcached any more
		alive := newSiteOn(t, memory, minute(), text("x"))
		began := time.Now()
		r := alive.get("/a")
		took := time.Since(began)
		if r.body != "x" || took > 6*time.Second {
			t.Errorf("response = %q after %v, want it within 6 s: the lock lives for 5", r.body, took)
		}
		if took < time.Second {
			t.Errorf("response after %v: it did not wait for the lock's holder at all", took)
		}
	})
}

func TestCollapse_LivingHolderKeepsItsLock(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		handler := func(c *gin.Context) {
			time.Sleep(30 * time.Second)
			c.String(http.StatusOK, "x")
		}
		one, two := newSiteOn(t, memory, minute(), handler), newSiteOn(t, memory, minute(), handler)
		together(3, "/a", one, two)
		if n := one.runs.Load() + two.runs.Load(); n != 1 {
			t.Errorf("a handler of 30 s ran %d times, want 1", n)
		}
	})
}

func TestCollapse_LateExHolderDoesNotOverwrite(t *testing.T) {
	for name, opts := range map[string]*memcachedtest.Options{"with versions": nil, "without versions": {DisableCAS: true}} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				memory := memcachedtest.Start(t, opts)
				goOn := make(chan struct{})
				late := newSiteOn(t, memory, minute(), func(c *gin.Context) {
					<-goOn
					c.String(http.StatusOK, "old")
				})
				done := make(chan response)
				go func() { done <- late.get("/a") }()
				synctest.Wait()
				for _, key := range memory.Keys() { // the lock is lost
					_ = late.client.Delete(t.Context(), key)
				}
				other := newSiteOn(t, memory, minute(), text("new"))
				other.get("/a")
				close(goOn)
				if r := <-done; r.body != "old" {
					t.Errorf("the ex-holder's own client got %q, want %q", r.body, "old")
				}
				if r := other.get("/a"); r.body != "new" || !r.hit() {
					t.Errorf("then = %q (%s), want what was stored meanwhile", r.body, r.cacheStatus())
				}
			})
		})
	}
}

// TestLocks_AreGivenBack: whatever way a run of the handler ends, the next
// request need not wait for a lock to expire.
func TestLocks_AreGivenBack(t *testing.T) {
	ends := map[string]gin.HandlerFunc{
		"stored":    text("x"),
		"private":   text("x", "Cache-Control: private"),
		"panic":     func(*gin.Context) { panic("on purpose") },
		"aborted":   func(c *gin.Context) { c.AbortWithStatus(http.StatusForbidden) },
		"nothing":   func(*gin.Context) {},
		"truncated": func(c *gin.Context) { c.Header("Content-Length", "9"); c.String(http.StatusOK, "x") },
		"too large": func(c *gin.Context) { c.String(http.StatusOK, strings.Repeat("x", 2000)) },
	}
	for name, handler := range ends {
		for _, lines := range [][]string{nil, {"Authorization: Bearer 1"}} {
			t.Run(fmt.Sprint(name, lines), func(t *testing.T) {
				inTime(t, func(t *testing.T) {
					s := newSite(t, &middleware.Options{TTL: time.Minute, MaxBody: 1000}, handler)
					s.get("/a", lines...)
					began := time.Now()
					s.get("/a", lines...)
					newSiteOn(t, s.memory, nil, handler).get("/a")
					if took := time.Since(began); took > 0 {
						t.Errorf("later requests took %v, want none to wait", took)
					}
				})
			})
		}
	}
}

// TestCollapse_LateExHolderLeavesTheLifeOfOthersAlone: what extends a lock must
// not shorten the life of an entry that took its place.
func TestCollapse_LateExHolderLeavesTheLifeOfOthersAlone(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var first atomic.Bool
		s := newSite(t, minute(), func(c *gin.Context) {
			if first.CompareAndSwap(false, true) {
				time.Sleep(10 * time.Second)
			}
			c.String(http.StatusOK, "x")
		})
		var wg sync.WaitGroup
		wg.Go(func() { s.get("/a") })
		time.Sleep(time.Second)
		if err := s.cache.Purge(t.Context(), s.request(t.Context(), http.MethodGet, "/a")); err != nil {
			t.Fatal(err)
		}
		s.get("/a")
		wg.Wait()
		time.Sleep(20 * time.Second)
		if r := s.get("/a"); !r.hit() {
			t.Errorf("half a minute after it was stored for a minute: %s, want a hit", r.cacheStatus())
		}
	})
}

// TestLocks_AreRenewedByOneOperation each time, as long as nobody else changes them.
func TestLocks_AreRenewedByOneOperation(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, &middleware.Options{TTL: time.Minute, LookupTimeout: 300 * time.Millisecond}, func(c *gin.Context) {
			time.Sleep(10 * time.Second)
			c.String(http.StatusOK, "x")
		})
		s.get("/a")
		count := map[string]int{}
		for _, request := range s.memory.Requests() {
			count[request.Op]++
		}
		if count["SET"] < 90 || count["SET"] > 110 || count["GET"] > 10 {
			t.Errorf("a handler of ten seconds cost %v, want a hundred renewals and few reads", count)
		}
	})
}
