package middleware_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestTwice_CacheInsideItselfWaitsForNobody: a cache that is used twice for one
// route, by the router and by the route, would wait for itself.
func TestTwice_CacheInsideItselfWaitsForNobody(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, nil)
		other, err := middleware.New(s.client, &middleware.Options{LookupTimeout: 5 * time.Second}) // shares the entries
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		for path, inner := range map[string]*middleware.Cache{"/same": s.cache, "/other": other} {
			runs := 0
			s.router.GET(path, s.cache.Handler(), inner.Handler(), func(c *gin.Context) {
				runs++
				c.Header("Cache-Control", "max-age=10, stale-while-revalidate=10")
				c.String(http.StatusOK, "x")
			})
			for _, step := range []struct {
				what string
				wait time.Duration
				runs int
			}{
				{"the first", 0, 1},
				{"a hit", 0, 1},
				{"a stale one", time.Minute, 2},
				{"one in the window", 15 * time.Second, 3},
				{"one after the background run", 0, 3},
			} {
				time.Sleep(step.wait)
				began := time.Now()
				r := s.get(path)
				synctest.Wait()
				if r.body != "x" || time.Since(began) > 0 || runs != step.runs || len(r.Header["Cache-Status"]) != 1 {
					t.Errorf("%s, %s = %q (%q) after %v and %d runs, want it at once after %d",
						path, step.what, r.body, r.Header["Cache-Status"], time.Since(began), runs, step.runs)
				}
			}
		}
	})
}
