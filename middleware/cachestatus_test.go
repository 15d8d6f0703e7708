package middleware_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

func TestCacheStatus_SaysWhatHappened(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, func(c *gin.Context) {
			switch c.Request.URL.Path {
			case "/vary":
				setLines(c, "Cache-Control: max-age=10", "Vary: A")
			case "/private":
				setLines(c, "Cache-Control: private")
			default:
				setLines(c, "Cache-Control: max-age=10")
			}
			c.String(http.StatusOK, "x")
		})
		steps := []struct {
			method, path string
			lines        []string
			wait         time.Duration
			want         string
		}{
			{"GET", "/a", nil, 0, "bmemcached; fwd=uri-miss; stored"},
			{"GET", "/a", nil, 0, "bmemcached; hit; ttl=10"},
			{"GET", "/a", nil, 3 * time.Second, "bmemcached; hit; ttl=7"},
			{"HEAD", "/a", nil, 0, "bmemcached; hit; ttl=7"},
			{"GET", "/a", []string{"Cache-Control: no-cache"}, 0, "bmemcached; fwd=request; stored"},
			{"GET", "/a", []string{"Cache-Control: no-store"}, 0, "bmemcached; fwd=request"},
			{"GET", "/a", nil, 20 * time.Second, "bmemcached; fwd=stale; stored"},
			{"GET", "/a", []string{"Authorization: x"}, 0, "bmemcached; fwd=bypass; detail=authorization"},
			{"GET", "/new", []string{"Range: bytes=0-1"}, 0, "bmemcached; fwd=partial"},
			{"HEAD", "/new", nil, 0, "bmemcached; fwd=uri-miss; detail=method"},
			{"POST", "/a", nil, 0, "bmemcached; fwd=method"},
			{"OPTIONS", "/a", nil, 0, "bmemcached; fwd=method"},
			{"GET", "/vary", []string{"A: 1"}, 0, "bmemcached; fwd=uri-miss; stored"},
			{"GET", "/vary", []string{"A: 2"}, 0, "bmemcached; fwd=vary-miss; stored"},
			{"GET", "/private", nil, 0, "bmemcached; fwd=uri-miss; detail=private"},
			{"GET", "/private", nil, 0, "bmemcached; fwd=uri-miss; detail=hit-for-miss"},
		}
		for i, step := range steps {
			time.Sleep(step.wait)
			if got := s.do(step.method, step.path, step.lines...).cacheStatus(); got != step.want {
				t.Errorf("step %d: Cache-Status of %s %s %q = %q, want %q", i, step.method, step.path, step.lines, got, step.want)
			}
		}
	})
}

// What gin knows to be wrong when the first byte goes out is not said to be stored, and
// what nobody wrote has the field as well.
func TestCacheStatus_OfWhatGinDoesNotComplete(t *testing.T) {
	for name, test := range map[string]struct {
		handler gin.HandlerFunc
		status  int
		want    string
	}{
		"aborted":           {func(c *gin.Context) { c.AbortWithStatusJSON(http.StatusNotFound, "gone") }, 404, "aborted"},
		"aborted, no body":  {func(c *gin.Context) { c.AbortWithStatus(http.StatusNotFound) }, 404, ""}, // it aborts last
		"aborted, no word":  {func(c *gin.Context) { c.Abort() }, 404, "aborted"},
		"error":             {func(c *gin.Context) { _ = c.Error(io.ErrUnexpectedEOF); c.String(http.StatusOK, "x") }, 200, "error"},
		"error, no body":    {func(c *gin.Context) { _ = c.Error(io.ErrUnexpectedEOF); c.Status(http.StatusNotFound) }, 404, "error"},
		"nothing":           {func(*gin.Context) {}, 404, "empty"},
		"aborted when late": {func(c *gin.Context) { c.String(http.StatusOK, "x"); c.Abort() }, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, minute(), test.handler)
			r := s.get("/")
			want := "bmemcached; fwd=uri-miss; detail=" + test.want
			if test.want == "" {
				want = "bmemcached; fwd=uri-miss; stored" // nobody could know
			}
			if r.StatusCode != test.status || r.cacheStatus() != want {
				t.Errorf("GET = %d, Cache-Status %q, want %d, %q", r.StatusCode, r.cacheStatus(), test.status, want)
			}
			if s.get("/"); s.runs.Load() != 2 {
				t.Errorf("the handler ran %d times for two requests", s.runs.Load())
			}
		})
	}
}

// A reason why something is not stored stands beside nothing that is.
func TestCacheStatus_WhatIsStoredHasNoReasonAgainstIt(t *testing.T) {
	private := true
	s := newSite(t, minute(), func(c *gin.Context) {
		if private {
			setLines(c, "Cache-Control: private")
		}
		c.String(http.StatusOK, "x")
	})
	s.get("/")
	private = false
	if got, want := s.get("/").cacheStatus(), "bmemcached; fwd=uri-miss; stored"; got != want {
		t.Errorf("Cache-Status of what replaces a note = %q, want %q", got, want)
	}
}

func TestCacheStatus_FollowsThatOfCachesBefore(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x", "Cache-Status: origin; fwd=uri-miss"))
		for i, want := range []string{"bmemcached; fwd=uri-miss; stored", "bmemcached; hit; ttl=60", "bmemcached; hit; ttl=60"} {
			if got := s.get("/a").Header["Cache-Status"]; !slices.Equal(got, []string{"origin; fwd=uri-miss", want}) {
				t.Errorf("request %d: Cache-Status = %q, want that of the origin, then %q", i, got, want)
			}
		}
	})
}

// TestCacheStatus_IsAStructuredField checks the grammar of RFC 9211: a list of
// tokens with parameters that are tokens, integers or flags.
func TestCacheStatus_IsAStructuredField(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=10, stale-while-revalidate=60"))
		seen := []string{s.get("/a").cacheStatus(), s.get("/a").cacheStatus(), s.do("POST", "/b").cacheStatus()}
		time.Sleep(15 * time.Second)
		seen = append(seen, s.get("/a").cacheStatus(), s.get("/c", "Authorization: x").cacheStatus(), s.get("/c", "Cache-Control: only-if-cached").cacheStatus())
		seen = append(seen, newSite(t, nil, text("x")).get("/a").cacheStatus()) // a reason of two words
		flags := []string{"hit", "stored", "collapsed"}
		for _, value := range seen {
			if _, err := httpsfv.UnmarshalList([]string{value}); err != nil {
				t.Errorf("%q is no structured list: %v", value, err)
			}
			parts := strings.Split(value, "; ")
			if parts[0] != "bmemcached" {
				t.Errorf("%q does not begin with the cache's name", value)
			}
			for _, p := range parts[1:] {
				name, v, hasValue := strings.Cut(p, "=")
				switch {
				case name == "ttl" || name == "fwd-status":
					if strings.Trim(strings.TrimPrefix(v, "-"), "0123456789") != "" || v == "" {
						t.Errorf("%q: %s is no integer", value, p)
					}
				case name == "fwd" || name == "detail":
					if v == "" || strings.Trim(v, "abcdefghijklmnopqrstuvwxyz-") != "" {
						t.Errorf("%q: %s is no token", value, p)
					}
				case hasValue || !slices.Contains(flags, name):
					t.Errorf("%q: %s is unknown", value, p)
				}
			}
		}
	})
}

func TestOnEvent_TellsWhatHappened(t *testing.T) {
	inTime(t, func(t *testing.T) {
		status := 200
		s := newSite(t, nil, func(c *gin.Context) {
			time.Sleep(time.Second)
			setLines(c, "Cache-Control: max-age=10, stale-if-error=1000", `ETag: "1"`)
			if c.GetHeader("If-None-Match") != "" && status == 200 {
				c.Status(304)
				return
			}
			c.String(status, "x")
		})
		check := func(what string, want ...middleware.EventKind) {
			t.Helper()
			if got := s.events.kinds(); !slices.Equal(got, want) {
				t.Errorf("%s: events = %q, want %q", what, got, want)
			}
		}
		s.get("/a")
		check("a miss", middleware.EventMiss, middleware.EventStored)
		time.Sleep(5 * time.Second)
		s.get("/a")
		events := s.events.take()
		if len(events) != 1 || events[0].Kind != middleware.EventHit || events[0].Age != 5*time.Second || events[0].Key == "" || strings.Contains(events[0].Key, "/a") {
			t.Errorf("a hit: events = %+v, want one with its age and a key that does not show the URL", events)
		}
		time.Sleep(10 * time.Second)
		s.get("/a")
		events = s.events.take()
		if len(events) != 2 || events[0].Kind != middleware.EventRevalidated || events[0].Duration != time.Second {
			t.Errorf("a revalidation: events = %+v, want one of a second, then one of storing", events)
		}
		time.Sleep(15 * time.Second)
		status = 500
		s.get("/a")
		check("a failure", middleware.EventStale)
		s.do(http.MethodOptions, "/a")
		check("OPTIONS", middleware.EventBypass)
		status = 200
		s.do(http.MethodPost, "/a")
		check("POST", middleware.EventInvalidated, middleware.EventBypass)
		s.get("/b", "Cache-Control: no-store")
		check("no-store", middleware.EventBypass)
		together(2, "/c", s)
		kinds := s.events.kinds()
		slices.Sort(kinds)
		if !slices.Equal(kinds, []middleware.EventKind{middleware.EventCollapsed, middleware.EventMiss, middleware.EventStored}) {
			t.Errorf("two at once: events = %q", kinds)
		}
	})
}

// Whoever counts requests counts those that fail, too.
func TestOnEvent_TellsOfRequestsWhoseHandlerPanics(t *testing.T) {
	s := newSite(t, minute(), func(*gin.Context) { panic("on purpose") })
	for _, test := range []struct {
		method, line string
		want         middleware.EventKind
	}{
		{http.MethodGet, "X: 1", middleware.EventMiss},
		{http.MethodGet, "Cache-Control: no-cache", middleware.EventMiss},
		{http.MethodGet, "Cache-Control: no-store", middleware.EventBypass},
		{http.MethodHead, "X: 1", middleware.EventMiss},
		{http.MethodOptions, "X: 1", middleware.EventBypass},
		{http.MethodPost, "X: 1", middleware.EventBypass},
	} {
		if r := s.do(test.method, "/a", test.line); r.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s = %d", test.method, r.StatusCode)
		}
		if got := s.events.kinds(); !slices.Equal(got, []middleware.EventKind{test.want}) {
			t.Errorf("%s with %s: events = %q, want %q", test.method, test.line, got, test.want)
		}
	}
}

func TestOnEvent_TellsHowLongMemcachedTook(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x"))
		s.memory.Intercept(slowOps(10*time.Millisecond, ""))
		s.get("/a")
		s.get("/a")
		for _, e := range s.events.take() {
			if e.Duration < 10*time.Millisecond || e.Key == "" {
				t.Errorf("event %+v: want its key, and 10 ms or more", e)
			}
		}
	})
}
