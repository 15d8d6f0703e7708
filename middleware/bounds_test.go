package middleware_test

import (
	"context"
	"crypto/tls"
	"fmt"
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

func TestStore_IsWaitedForAsLongAsTheRequestMay(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, quick(), text("x"))
		s.memory.Intercept(slowOps(500*time.Millisecond, "SET"))
		began := time.Now()
		s.get("/a")
		if took := time.Since(began); took > lookupTimeout {
			t.Errorf("a response that takes long to store took %v, want %v at most", took, lookupTimeout)
		}
		time.Sleep(time.Second)
		if r := s.get("/a"); !r.hit() {
			t.Errorf("a second later %s, want a hit: storing went on by itself", r.cacheStatus())
		}
	})
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

// TestPurge_ReachesWhatWasFetchedByTLS, directly or behind a proxy.
func TestPurge_ReachesWhatWasFetchedByTLS(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, "%v", c.Request.TLS != nil) })
	for _, proto := range []string{"", "http", "https"} {
		secure := func() response {
			r := s.request(t.Context(), http.MethodGet, "/a", "X-Forwarded-Proto: "+proto)
			r.TLS = &tls.ConnectionState{}
			return s.send(r)
		}
		s.get("/a", "X-Forwarded-Proto: "+proto)
		if r := secure(); r.body != "true" {
			t.Errorf("%q: by TLS %q, want a response of its own", proto, r.body)
		}
		if !secure().hit() {
			t.Errorf("%q: by TLS no hit", proto)
		}
		s.purge("/a")
		if secure().hit() {
			t.Errorf("%q: by TLS a hit after the purge", proto)
		}
	}
}

// TestTags_WhatIsLostDuringARunMayHaveBeenAPurge.
func TestTags_WhatIsLostDuringARunMayHaveBeenAPurge(t *testing.T) {
	tests := map[string]func(s *site){
		"the tag":               func(s *site) { s.purgeTags("a"); s.evict("page:t") },
		"the counter goes back": func(s *site) { s.setPurges("5"); s.purgeTags("a") },
		"the counter":           func(s *site) { s.purgeTags("a"); s.evict("page:t"); s.evict("page:n") },
	}
	for name, lose := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				version := newCell("old")
				s := newSite(t, minute(), func(c *gin.Context) {
					read := version.get()
					time.Sleep(2 * time.Second)
					c.Header("Cache-Tag", "a")
					c.String(http.StatusOK, read)
				})
				done := make(chan struct{})
				go func() { s.get("/a"); close(done) }()
				time.Sleep(time.Second)
				version.set("new")
				lose(s)
				<-done
				if r := s.get("/a"); r.body != "new" {
					t.Errorf("after the purge = %q (%s), want new", r.body, r.cacheStatus())
				}
			})
		})
	}
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

func TestStored_NotWhatTookMinutesToMake(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			time.Sleep(3 * time.Minute)
			c.String(http.StatusOK, "x")
		})
		s.get("/a")
		if r := s.get("/a"); r.hit() {
			t.Errorf("what took three minutes is stored: %s", r.cacheStatus())
		}
	})
}

func TestStored_NotWithAHugeHeader(t *testing.T) {
	s := newSite(t, minute(), text("x", "X-Huge: "+strings.Repeat("x", 100<<10)))
	for _, detail := range []string{"too-large", "hit-for-miss"} {
		if r := s.get("/a"); r.hit() || len(r.Header.Get("X-Huge")) != 100<<10 || !strings.HasSuffix(r.cacheStatus(), "detail="+detail) {
			t.Errorf("response = %s with %d bytes, want the handler's, for %s", r.cacheStatus(), len(r.Header.Get("X-Huge")), detail)
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
