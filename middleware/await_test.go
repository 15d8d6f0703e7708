package middleware_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

// TestForged_LockHoldsNobodyUp: one that nobody renews and that never expires, at
// the place of a page, of a variant or of a revalidation.
func TestForged_LockHoldsNobodyUp(t *testing.T) {
	const limit = 100 * time.Millisecond
	for name, lines := range map[string][]string{
		"page": {"Cache-Control: max-age=10"}, "variant": {"Cache-Control: max-age=10", "Vary: A"},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				s := newSite(t, &middleware.Options{LookupTimeout: limit}, text("x", lines...))
				s.get("/a")
				for _, key := range s.memory.Keys() {
					if item, ok := s.memory.Item(key); ok && item.Value[2] == byte(stored.KindEntry) {
						s.memory.SetItem(&memcached.Item{Key: key, Value: stored.Mark(stored.KindLock, 1)})
					}
				}
				done := make(chan struct{})
				for range 3 {
					go func() {
						began := time.Now()
						if r := s.get("/a"); r.body != "x" || time.Since(began) > limit {
							t.Errorf("%q after %v, want the page within %v", r.body, time.Since(began), limit)
						}
						done <- struct{}{}
					}()
				}
				for range 3 {
					<-done
				}
				s.wantRuns(2)
				if r := s.get("/a"); !r.hit() {
					t.Errorf("then %s, want a hit: the lock was nobody's", r.cacheStatus())
				}
			})
		})
	}
}

// TestForged_LockOfARevalidationHoldsNobodyUp: the lock of a revalidation that was
// under way is put back when it has ended, for ever.
func TestForged_LockOfARevalidationHoldsNobodyUp(t *testing.T) {
	const limit = 100 * time.Millisecond
	inTime(t, func(t *testing.T) {
		var s *site
		var locks []*memcached.Item
		s = newSite(t, &middleware.Options{LookupTimeout: limit}, func(c *gin.Context) {
			for _, key := range s.memory.Keys() {
				if item, ok := s.memory.Item(key); ok && item.Value[2] == byte(stored.KindLock) {
					locks = append(locks, &memcached.Item{Key: key, Value: item.Value})
				}
			}
			text("x", "Cache-Control: max-age=10", `ETag: "1"`)(c)
		})
		s.get("/a")
		locks = nil
		time.Sleep(11 * time.Second)
		s.get("/a")
		if len(locks) != 1 {
			t.Fatalf("while a response is revalidated there are %d locks, want 1", len(locks))
		}
		time.Sleep(11 * time.Second)
		s.memory.SetItem(locks[0])
		began := time.Now()
		if r := s.get("/a"); r.body != "x" || time.Since(began) > limit {
			t.Errorf("%q after %v, want the page within %v", r.body, time.Since(began), limit)
		}
		if r := s.get("/a"); !r.hit() {
			t.Errorf("then %s, want a hit", r.cacheStatus())
		}
	})
}

// TestCollapse_LivingHolderIsSeenWithinLookupTimeout: a handler that takes longer
// than others wait for a dead owner runs once all the same.
func TestCollapse_LivingHolderIsSeenWithinLookupTimeout(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		opts := &middleware.Options{TTL: time.Minute, LookupTimeout: 100 * time.Millisecond}
		handler := func(c *gin.Context) {
			time.Sleep(10 * time.Second)
			c.String(http.StatusOK, "x")
		}
		one, two := newSiteOn(t, memory, opts, handler), newSiteOn(t, memory, opts, handler)
		together(3, "/a", one, two)
		if n := one.runs.Load() + two.runs.Load(); n != 1 {
			t.Errorf("a handler of 10 s ran %d times, want 1", n)
		}
	})
}

// TestCollapse_WaitsEndTogether: locks that come one after another do not add up.
func TestCollapse_WaitsEndTogether(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		s := newSiteOn(t, memory, minute(), text("x"))
		s.get("/a")
		key := pageKeyOf(t, s)
		stop := make(chan struct{})
		go func() { // an owner that lives and never stores
			for id := uint64(1); ; id++ {
				memory.SetItem(&memcached.Item{Key: key, Value: stored.Mark(stored.KindLock, id/1000)})
				select {
				case <-time.After(100 * time.Millisecond):
				case <-stop:
					return
				}
			}
		}()
		synctest.Wait()
		began := time.Now()
		if r := s.get("/a"); r.body != "x" || time.Since(began) > 121*time.Second {
			t.Errorf("%q after %v, want the page after 2 minutes", r.body, time.Since(began))
		}
		close(stop)
	})
}

// TestForged_LockWithoutVersionsHoldsNobodyUpForLong: where nobody sees whether a lock is
// renewed, it is its owner's for as long as it would live without that.
func TestForged_LockWithoutVersionsHoldsNobodyUpForLong(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, &memcachedtest.Options{DisableCAS: true})
		s := newSiteOn(t, memory, minute(), text("x"))
		s.get("/a")
		memory.SetItem(&memcached.Item{Key: pageKeyOf(t, s), Value: stored.Mark(stored.KindLock, 1)})
		began := time.Now()
		if r := s.get("/a"); r.body != "x" || time.Since(began) > 5*time.Second+100*time.Millisecond {
			t.Errorf("%q after %v, want the page within five seconds", r.body, time.Since(began))
		}
	})
}
