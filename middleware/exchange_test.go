package middleware_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

func TestReuse_EndsWithTheLifetime(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=10"))
		s.get("/a")
		time.Sleep(9 * time.Second)
		s.get("/a")
		s.wantRuns(1)
		time.Sleep(time.Second)
		s.get("/a")
		s.wantRuns(2)
	})
}

func TestReuse_AgeIsEmittedAndDateKept(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=60"))
		date := time.Now().UTC().Format(http.TimeFormat)
		s.get("/a")
		time.Sleep(7 * time.Second)
		hit := s.get("/a")
		if got := hit.Header.Get("Age"); got != "7" {
			t.Errorf("Age = %q after 7 s, want 7", got)
		}
		if got := hit.Header.Get("Date"); got != date {
			t.Errorf("Date = %q, want that of the stored response, %q", got, date)
		}
	})
}

func TestReuse_AgeOfCachesBeforeCounts(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=60", "Age: 40"))
		s.get("/a")
		time.Sleep(10 * time.Second)
		if got := s.get("/a").Header.Get("Age"); got != "50" {
			t.Errorf("Age = %q, want 50: 40 from before and 10 here", got)
		}
		time.Sleep(10 * time.Second)
		s.get("/a")
		s.wantRuns(2)
	})
}

func TestReuse_WithoutTTLOnlyWhatSaysSo(t *testing.T) {
	s := newSite(t, nil, text("x"))
	s.get("/a")
	s.get("/a")
	s.wantRuns(2)
}

func TestReuse_RequestDirectives(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=60"))
		s.get("/a")
		time.Sleep(20 * time.Second)
		runs := int64(1)
		for _, test := range []struct {
			directive string
			runs      bool
		}{
			{"max-age=30", false},
			{"min-fresh=30", false},
			{"max-stale", false},
			{"only-if-cached", false},
			{"nothing-to-see", false},
			{"max-age=10", true},
			{"max-age=0", true},
			{"no-cache", true},
			{"no-store", true},
			{"min-fresh=61", true},
		} {
			s.get("/a", "Cache-Control: "+test.directive)
			if test.runs {
				runs++
			}
			if got := s.runs.Load(); got != runs {
				t.Errorf("after a request with %q the handler ran %d times, want %d", test.directive, got, runs)
				runs = got
			}
		}
		if !s.get("/a", "Pragma: no-cache").hit() {
			runs++
		}
		s.wantRuns(runs)
	})
}

// TestReuse_MaxAgeAcceptsNothingStale, without max-stale, also where the site would send it
// while a fresh one is made; but instead of an error it does.
func TestReuse_MaxAgeAcceptsNothingStale(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var failing atomic.Bool
		s := newSite(t, nil, func(c *gin.Context) {
			if failing.Load() {
				c.Status(http.StatusInternalServerError)
				c.Writer.WriteHeaderNow()
				return
			}
			text("x", "Cache-Control: max-age=10, stale-while-revalidate=60, stale-if-error=60")(c)
		})
		s.get("/a")
		time.Sleep(20 * time.Second)
		if r := s.get("/a", "Cache-Control: max-age=100"); r.cacheStatus() != "bmemcached; fwd=stale; stored" {
			t.Errorf("max-age: Cache-Status = %q, want a new response", r.cacheStatus())
		}
		time.Sleep(20 * time.Second)
		if r := s.get("/a", "Cache-Control: max-age=100, max-stale=20"); r.cacheStatus() != "bmemcached; hit; ttl=-10; detail=stale" {
			t.Errorf("max-age and max-stale: Cache-Status = %q, want a stale hit", r.cacheStatus())
		}
		synctest.Wait()
		failing.Store(true)
		time.Sleep(20 * time.Second)
		if r := s.get("/a", "Cache-Control: max-age=100"); r.StatusCode != http.StatusOK {
			t.Errorf("the handler fails: status %d, want a stale response", r.StatusCode)
		}
	})
}

func TestReuse_MaxStaleAcceptsWhatIsOld(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=10"))
		s.get("/a")
		time.Sleep(15 * time.Second)
		r := s.get("/a", "Cache-Control: max-stale=10")
		if !r.hit() || r.cacheStatus() != "bmemcached; hit; ttl=-5; detail=stale" {
			t.Errorf("Cache-Status = %q, want a stale hit", r.cacheStatus())
		}
		s.wantRuns(1)
	})
}

func TestOnlyIfCached_WithoutAnEntryIs504(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=10"))
		if r := s.get("/a", "Cache-Control: only-if-cached"); r.StatusCode != http.StatusGatewayTimeout || r.body != "" {
			t.Errorf("response = %d %q, want 504 and no body", r.StatusCode, r.body)
		}
		s.get("/a")
		time.Sleep(11 * time.Second)
		if r := s.get("/a", "Cache-Control: only-if-cached"); r.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("status for a stale response = %d, want 504", r.StatusCode)
		}
		s.wantRuns(1)
	})
}

func TestKey_DecidesWhatOfTheQueryCounts(t *testing.T) {
	inTime(t, func(t *testing.T) {
		opts := minute()
		opts.Key = func(r *http.Request) (string, bool) {
			r.URL.RawQuery = ""
			return "", r.URL.Path != "/never"
		}
		s := newSite(t, opts, text("x"))
		s.get("/a?utm=1")
		if !s.get("/a?utm=2").hit() {
			t.Error("the query counts although Options.Key leaves it out")
		}
		if s.get("/a?utm=2", "Host: other.example").hit() {
			t.Error("two hosts share a response")
		}
		s.get("/never")
		if r := s.get("/never"); r.hit() || r.cacheStatus() != "bmemcached; fwd=bypass" {
			t.Errorf("Cache-Status of a declined request = %q, want fwd=bypass", r.cacheStatus())
		}
	})
}

func TestGet_WithABodyIsLeftAlone(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x"))
		for range 2 {
			r := s.request(t.Context(), http.MethodGet, "/a")
			r.Body, r.ContentLength = http.NoBody, 5
			s.send(r)
		}
		s.wantRuns(2)
	})
}

func TestGet_WithIfMatchIsLeftAlone(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x", `ETag: "a"`))
		s.get("/a")
		s.get("/a", `If-Match: "b"`)
		s.get("/a", "If-Unmodified-Since: Thu, 18 Aug 2050 02:01:18 GMT")
		s.wantRuns(3)
	})
}

func TestTargeted_CDNCacheControlBeatsCacheControl(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "CDN-Cache-Control: max-age=60", "Cache-Control: no-store"))
		s.get("/a")
		if r := s.get("/a"); !r.hit() || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("response = %s, Cache-Control %q, want a hit that tells clients no-store", r.cacheStatus(), r.Header.Get("Cache-Control"))
		}
		own := newSite(t, &middleware.Options{TargetedFields: []string{"Site-Cache-Control"}}, text("x", "Site-Cache-Control: max-age=60", "CDN-Cache-Control: no-store"))
		own.get("/a")
		if !own.get("/a").hit() {
			t.Error("a field that Options.TargetedFields lists is not obeyed")
		}
	})
}

func TestStatus_IsKept(t *testing.T) {
	inTime(t, func(t *testing.T) {
		for _, status := range []int{200, 203, 204, 301, 302, 404, 410, 500, 503, 599} {
			s := newSite(t, nil, func(c *gin.Context) {
				setLines(c, "Cache-Control: max-age=60", "Location: /b")
				c.Status(status)
			})
			s.get("/a")
			if r := s.get("/a"); r.StatusCode != status || !r.hit() {
				t.Errorf("stored %d came back as %d (%s)", status, r.StatusCode, r.cacheStatus())
			}
		}
	})
}
