package middleware_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// slowOps delays the operations whose names begin with one of ops.
func slowOps(delay time.Duration, ops ...string) func(memcachedtest.Request) memcachedtest.Action {
	return func(r memcachedtest.Request) memcachedtest.Action {
		for _, op := range ops {
			if strings.HasPrefix(r.Op, op) {
				return memcachedtest.Action{Delay: delay}
			}
		}
		return memcachedtest.Action{}
	}
}

// TestLookupTimeout_IsForAllOperationsTogether: several that are each quick
// enough add up.
func TestLookupTimeout_IsForAllOperationsTogether(t *testing.T) {
	for name, lines := range map[string][]string{"plain": nil, "variant": {"Vary: A"}, "tagged": {"Cache-Tag: a"}} {
		inTime(t, func(t *testing.T) {
			s := newSite(t, quick(), text("x", lines...))
			s.memory.Intercept(slowOps(lookupTimeout*6/10, ""))
			for i := range 3 {
				began := time.Now()
				r := s.get("/a")
				if took := time.Since(began); r.body != "x" || took > lookupTimeout {
					t.Errorf("%s, request %d: %q (%s) after %v, want it within %v", name, i, r.body, r.cacheStatus(), took, lookupTimeout)
				}
				time.Sleep(time.Second)
			}
		})
	}
}

func TestLookupTimeout_IsATenthOfASecondByDefault(t *testing.T) {
	inTime(t, func(t *testing.T) {
		cache, err := middleware.New(stalled{}, &middleware.Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer cache.Close()
		router := gin.New()
		router.GET("/a", cache.Handler(), text("x"))
		began := time.Now()
		router.ServeHTTP(&nowhere{http.Header{}}, (&site{tb: t}).request(t.Context(), http.MethodGet, "/a"))
		if took := time.Since(began); took > 100*time.Millisecond || took < 90*time.Millisecond {
			t.Errorf("a request without memcached took %v, want 100 ms", took)
		}
	})
}

// setPurges puts back the counter of purges.
func (s *site) setPurges(value string) {
	s.tb.Helper()
	for _, key := range s.memory.Keys() {
		if strings.HasPrefix(key, "page:n") {
			item, _ := s.memory.Item(key)
			item.Value = []byte(value)
			s.memory.SetItem(item)
		}
	}
}
