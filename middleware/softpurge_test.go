package middleware_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// softPurges are the ways to make /blog/a stale.
var softPurges = map[string]func(*site) error{
	"by URL": func(s *site) error {
		return s.cache.SoftPurge(s.tb.Context(), s.request(s.tb.Context(), http.MethodGet, "/blog/a"))
	},
	"by tag": func(s *site) error { return s.cache.SoftPurgeTags(s.tb.Context(), "tag") },
	"by path": func(s *site) error {
		return s.cache.SoftPurgePath(s.tb.Context(), s.request(s.tb.Context(), http.MethodGet, "/blog/"))
	},
	"of everything": func(s *site) error { return s.cache.SoftPurgeAll(s.tb.Context()) },
}

// softPages are the forms in which a page may be stored.
var softPages = map[string]struct {
	lines []string
	size  int
}{
	"plain":          {nil, 10},
	"with variants":  {[]string{"Vary: Lang"}, 10},
	"in chunks":      {nil, 1200 << 10},
	"varied, chunks": {[]string{"Vary: Lang"}, 1200 << 10},
}

// eachSoftPurge runs a test for each way to make a page stale in each form. The handler
// answers with the version, and the page names a tag.
func eachSoftPurge(t *testing.T, opts middleware.Options, test func(t *testing.T, version *cell, one, two *site, purge func())) {
	opts.PathTags = true
	for by, purge := range softPurges {
		for form, page := range softPages {
			t.Run(by+", "+form, func(t *testing.T) {
				inTime(t, func(t *testing.T) {
					version := newCell("old")
					handler := func(c *gin.Context) {
						setLines(c, append([]string{"Cache-Tag: tag"}, page.lines...)...)
						time.Sleep(time.Second) // longer than it takes to ask again
						c.String(http.StatusOK, version.get()+strings.Repeat(" ", page.size))
					}
					memory := memcachedtest.Start(t, nil)
					one, two := newSiteOn(t, memory, &opts, handler), newSiteOn(t, memory, &opts, handler)
					test(t, version, one, two, func() {
						t.Helper()
						if err := purge(two); err != nil {
							t.Error(err)
						}
					})
				})
			})
		}
	}
}

// wantPage checks what is answered, and how.
func (s *site) wantPage(path, version, status string, lines ...string) {
	s.tb.Helper()
	r := s.get(path, lines...)
	if !strings.HasPrefix(r.body, version) || !strings.HasPrefix(r.cacheStatus(), "bmemcached; "+status) {
		s.tb.Errorf("%s %q = %.10q… (%s), want %s, %s", path, lines, r.body, r.cacheStatus(), version, status)
	}
}

func TestSoftPurge_StaleIsSentWhileOneRevalidates(t *testing.T) {
	opts := middleware.Options{TTL: time.Hour, StaleWhileRevalidate: 30 * time.Second}
	eachSoftPurge(t, opts, func(_ *testing.T, version *cell, one, two *site, purge func()) {
		one.get("/blog/a", "Lang: a")
		one.get("/blog/a", "Lang: b")
		runs := one.runs.Load()
		time.Sleep(time.Minute)
		version.set("new")
		purge()
		for range 3 { // the first begins to revalidate, and nobody waits
			one.wantPage("/blog/a", "old", "hit; ttl=0; detail=stale", "Lang: a")
			one.wantPage("/blog/a", "old", "hit; ttl=0; detail=stale", "Lang: b")
		}
		time.Sleep(5 * time.Second)
		for _, s := range []*site{one, two} {
			s.wantPage("/blog/a", "new", "hit; ttl=359", "Lang: a")
			s.wantPage("/blog/a", "new", "hit; ttl=359", "Lang: b")
		}
		one.wantRuns(2 * runs)
		two.wantRuns(0)
	})
}

// TestSoftPurge_StaleEndsAsTheResponseSays: that long after the purge.
func TestSoftPurge_StaleEndsAsTheResponseSays(t *testing.T) {
	opts := middleware.Options{TTL: time.Hour, StaleWhileRevalidate: 30 * time.Second}
	eachSoftPurge(t, opts, func(_ *testing.T, version *cell, one, _ *site, purge func()) {
		for _, wait := range []time.Duration{29 * time.Second, 31 * time.Second} {
			version.set("old")
			one.get("/blog/a", "Lang: a")
			time.Sleep(time.Minute)
			purge()
			version.set("new")
			time.Sleep(wait)
			if wait < 30*time.Second {
				one.wantPage("/blog/a", "old", "hit; ttl=-29; detail=stale", "Lang: a")
			} else {
				one.wantPage("/blog/a", "new", "fwd=stale", "Lang: a")
			}
			time.Sleep(5 * time.Second)
			one.purgeTags("tag")
		}
	})
}

// TestSoftPurge_AnotherChangesNothing: stale time does not begin anew.
func TestSoftPurge_AnotherChangesNothing(t *testing.T) {
	opts := middleware.Options{TTL: time.Hour, StaleWhileRevalidate: 30 * time.Second}
	eachSoftPurge(t, opts, func(_ *testing.T, version *cell, one, _ *site, purge func()) {
		for _, wait := range []time.Duration{9 * time.Second, 11 * time.Second} {
			version.set("old")
			one.get("/blog/a", "Lang: a")
			time.Sleep(time.Minute)
			purge()
			version.set("new")
			time.Sleep(10 * time.Second)
			purge()
			time.Sleep(10 * time.Second)
			purge()
			time.Sleep(wait)
			if wait < 10*time.Second {
				one.wantPage("/blog/a", "old", "hit; ttl=-29; detail=stale", "Lang: a")
			} else {
				one.wantPage("/blog/a", "new", "fwd=stale", "Lang: a")
			}
			time.Sleep(5 * time.Second)
			one.purgeTags("tag")
		}
	})
}

// TestSoftPurge_OneRevalidatesForAllWhoAsk where nothing allows to send what is stale.
func TestSoftPurge_OneRevalidatesForAllWhoAsk(t *testing.T) {
	eachSoftPurge(t, middleware.Options{TTL: time.Hour}, func(t *testing.T, version *cell, one, two *site, purge func()) {
		one.get("/blog/a", "Lang: a")
		one.wantPage("/blog/a", "old", "hit", "Lang: a")
		version.set("new")
		purge()
		var clients sync.WaitGroup
		for _, s := range []*site{one, two} {
			for range 10 {
				clients.Go(func() { s.wantPage("/blog/a", "new", "", "Lang: a") })
			}
		}
		clients.Wait()
		if runs := one.runs.Load() + two.runs.Load(); runs > 4 {
			t.Errorf("the handler ran %d times for 20 requests after the purge, want one for each process, and a few that came late", runs-1)
		}
		one.wantPage("/blog/a", "new", "hit; ttl=3", "Lang: a")
	})
}

// TestSoftPurge_TheHandlerMayConfirm what it said before.
func TestSoftPurge_TheHandlerMayConfirm(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"1"`, control: "max-age=100", body: "x"}
		s := newSite(t, nil, v.serve)
		s.get("/blog/a")
		time.Sleep(50 * time.Second)
		for range 2 { // also when it is purged again
			if err := softPurges["by URL"](s); err != nil {
				t.Error(err)
			}
		}
		s.wantPage("/blog/a", "x", "fwd=stale; fwd-status=304; stored")
		s.wantPage("/blog/a", "x", "hit; ttl=100")
		if got := v.seen[len(v.seen)-1].Get("If-None-Match"); got != `"1"` {
			t.Errorf("the handler was asked with If-None-Match %q", got)
		}
	})
}

func TestSoftPurge_CoversErrorsAsLongAsTheResponseSays(t *testing.T) {
	for by, purge := range softPurges {
		t.Run(by, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				down := newCell("")
				opts := &middleware.Options{TTL: time.Hour, StaleIfError: 30 * time.Second, PathTags: true}
				s := newSite(t, opts, func(c *gin.Context) {
					if down.get() != "" {
						c.String(http.StatusInternalServerError, "down")
						return
					}
					text("page", "Cache-Tag: tag")(c)
				})
				s.get("/blog/a")
				time.Sleep(10 * time.Minute)
				if err := purge(s); err != nil {
					t.Error(err)
				}
				down.set("yes")
				time.Sleep(29 * time.Second)
				s.wantPage("/blog/a", "page", "fwd=stale; fwd-status=500; detail=stale-if-error")
				time.Sleep(2 * time.Second)
				s.wantPage("/blog/a", "down", "fwd=stale; detail=")
			})
		})
	}
}

// TestSoftPurge_WhatIsOfNoUseStaleGoes.
func TestSoftPurge_WhatIsOfNoUseStaleGoes(t *testing.T) {
	s := newSite(t, nil, text("x", "Cache-Control: max-age=60, must-revalidate"))
	s.get("/blog/a")
	if err := softPurges["by URL"](s); err != nil {
		t.Error(err)
	}
	if keys := pageKeys(s.memory); len(keys) != 0 {
		t.Errorf("memcached still has %q", keys)
	}
}

// TestSoftPurge_WithoutVersionsItIsAPurge: nothing could tell what another wrote meanwhile.
func TestSoftPurge_WithoutVersionsItIsAPurge(t *testing.T) {
	for by, purge := range softPurges {
		opts := &middleware.Options{TTL: time.Hour, StaleWhileRevalidate: time.Hour, PathTags: true}
		s := newSiteOn(t, memcachedtest.Start(t, &memcachedtest.Options{DisableCAS: true}), opts, text("x", "Cache-Tag: tag"))
		s.get("/blog/a")
		s.wantPage("/blog/a", "x", "hit")
		if err := purge(s); err != nil {
			t.Errorf("%s: %v", by, err)
		}
		s.wantPage("/blog/a", "x", "fwd=uri-miss")
	}
}

// TestSoftPurge_ErrorsSayWhy as those of purges do.
func TestSoftPurge_ErrorsSayWhy(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	ctx := t.Context()
	nowhere, err := http.NewRequestWithContext(ctx, http.MethodGet, "/blog/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"without a host":      s.cache.SoftPurge(ctx, nowhere),
		"of all without tags": s.cache.SoftPurgeAll(ctx),
		"of a path":           s.cache.SoftPurgePath(ctx, nowhere),
	} {
		if err == nil {
			t.Errorf("a soft purge %s = nil, want an error", name)
		}
	}
	s.get("/blog/a")
	s.memory.Stop()
	for _, by := range []string{"by URL", "by tag"} {
		if err := softPurges[by](s); err == nil {
			t.Errorf("a soft purge %s without memcached = nil, want an error", by)
		}
	}
}
