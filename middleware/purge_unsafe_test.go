package middleware_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/gin-gonic/gin"
)

func TestUnsafe_InvalidatesOnSuccessOnly(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "M-SEARCH", "WHATEVER"} {
		t.Run(method, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				status := http.StatusInternalServerError
				s := newSite(t, minute(), func(c *gin.Context) {
					if c.Request.Method != http.MethodGet {
						c.Status(status)
						return
					}
					c.String(http.StatusOK, "x")
				})
				s.get("/a")
				s.do(method, "/a")
				if !s.get("/a").hit() {
					t.Errorf("a %s that failed invalidated", method)
				}
				status = http.StatusSeeOther
				if r := s.do(method, "/a"); r.cacheStatus() != "bmemcached; fwd=method" {
					t.Errorf("Cache-Status of %s = %q, want fwd=method", method, r.cacheStatus())
				}
				if s.get("/a").hit() {
					t.Errorf("a %s that succeeded did not invalidate", method)
				}
			})
		})
	}
}

func TestUnsafe_IsNeverStored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=60"))
		s.do(http.MethodPost, "/a")
		s.do(http.MethodPost, "/a")
		s.do(http.MethodOptions, "/a")
		s.do(http.MethodOptions, "/a")
		s.wantRuns(4)
		s.get("/a")
		s.wantRuns(5)
	})
}

func TestSafeMethods_DoNotInvalidate(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x"))
		s.get("/a")
		for _, method := range []string{"OPTIONS", "TRACE", "PROPFIND", "QUERY"} {
			s.do(method, "/a")
			if !s.get("/a").hit() {
				t.Errorf("%s invalidated", method)
			}
		}
	})
}

func TestUnsafe_InvalidatesLocationsOfTheSameHost(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var lines []string
		s := newSite(t, minute(), func(c *gin.Context) {
			if c.Request.Method == http.MethodPost {
				setLines(c, lines...)
			}
			c.String(http.StatusCreated, "x")
		})
		s.router.NoRoute(s.cache.Handler(), func(c *gin.Context) {
			s.runs.Add(1)
			if c.Request.Method == http.MethodPost {
				setLines(c, lines...)
			}
			c.String(http.StatusOK, "x")
		})
		for _, test := range []struct {
			line string
			gone bool
		}{
			{"Location: /b", true},
			{"Location: b", true},
			{"Content-Location: http://site.example/b", true},
			{"Location: http://other.example/b", false},
			{"Location: /c", false},
			{"Location: ://", false},
		} {
			s.get("/b")
			s.get("/b", "Host: other.example")
			lines = []string{test.line}
			s.do(http.MethodPost, "/a")
			if got := !s.get("/b").hit(); got != test.gone {
				t.Errorf("POST /a with %s: /b invalidated = %v, want %v", test.line, got, test.gone)
			}
			if !s.get("/b", "Host: other.example").hit() {
				t.Errorf("POST /a with %s invalidated a page of another host", test.line)
			}
		}
	})
}

func TestUnsafe_InvalidatesWhenItOffersAnotherProtocol(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	s.get("/a")
	s.do(http.MethodPost, "/a", "Connection: Upgrade", "Upgrade: h2c")
	if s.get("/a").hit() {
		t.Error("a POST that offers HTTP/2 did not invalidate")
	}
}

func TestUnsafe_HandlerThatWritesNothingInvalidatesToo(t *testing.T) {
	s := newSite(t, minute(), nil)
	s.router.GET("/a", s.cache.Handler(), text("x"))
	s.router.POST("/a", s.cache.Handler(), func(*gin.Context) {})
	s.get("/a")
	if r := s.do(http.MethodPost, "/a"); r.StatusCode != http.StatusOK || r.cacheStatus() != "bmemcached; fwd=method" {
		t.Errorf("POST = %d (%s), want 200 past the cache", r.StatusCode, r.cacheStatus())
	}
	if s.get("/a").hit() {
		t.Error("a POST whose handler wrote nothing did not invalidate")
	}
}

func TestUnsafe_InvalidationIsBoundedAndDoesNotNeedTheClient(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, quick(), text("x"))
		s.get("/a")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.send(s.request(ctx, http.MethodPost, "/a"))
		if s.get("/a").hit() {
			t.Error("a POST whose client left did not invalidate")
		}
		s.memory.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Skip: true} })
		began := time.Now()
		r := s.do(http.MethodPost, "/a")
		if took := time.Since(began); r.body != "x" || took > lookupTimeout {
			t.Errorf("POST with a silent memcached = %q after %v, want it within %v", r.body, took, lookupTimeout)
		}
	})
}

// TestUnsafe_HandlerThatPanicsAfterwardsInvalidates: it may have committed before.
func TestUnsafe_HandlerThatPanicsAfterwardsInvalidates(t *testing.T) {
	s, value := newSite(t, minute(), nil), "old"
	s.router.GET("/a", s.cache.Handler(), func(c *gin.Context) { c.String(http.StatusOK, value) })
	s.router.POST("/a", s.cache.Handler(), func(c *gin.Context) {
		c.String(http.StatusOK, "done")
		s.get("/a") // stores it as it still is
		value = "new"
		panic(http.ErrAbortHandler)
	})
	s.do(http.MethodPost, "/a")
	if r := s.get("/a"); r.body != "new" {
		t.Errorf("then = %q (%s), want what the POST has changed", r.body, r.cacheStatus())
	}
}
