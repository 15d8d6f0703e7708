package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
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

// TestSoftPurge_WhatIsMadeMeanwhileIsNotFresh: it may show what was before.
func TestSoftPurge_WhatIsMadeMeanwhileIsNotFresh(t *testing.T) {
	for by, purge := range softPurges {
		for _, vary := range []string{"", "Lang"} {
			for _, known := range []string{"nothing", "another variant", "stale", "tags"} {
				t.Run(fmt.Sprintf("%s, %s, Vary: %s", by, known, vary), func(t *testing.T) {
					inTime(t, func(t *testing.T) { purgeWhileItIsMade(t, purge, vary, known) })
				})
			}
		}
	}
}

// purgeWhileItIsMade makes /blog/a stale while the handler makes it. known says what was
// stored before.
func purgeWhileItIsMade(t *testing.T, purge func(*site) error, vary, known string) {
	version := newCell("old")
	s := newSite(t, &middleware.Options{TTL: 10 * time.Second, PathTags: true}, func(c *gin.Context) {
		read := version.get()
		if c.Query("at") == "" {
			time.Sleep(2 * time.Second)
		}
		text(read, "Vary: "+vary, "Cache-Tag: tag")(c)
	})
	switch known {
	case "another variant":
		s.get("/blog/a", "Lang: b")
		time.Sleep(11 * time.Second)
	case "stale":
		s.get("/blog/a", "Lang: a")
		time.Sleep(11 * time.Second)
	case "tags":
		s.get("/blog/b?at=once")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.get("/blog/a", "Lang: a")
	}()
	time.Sleep(time.Second)
	version.set("new")
	if err := purge(s); err != nil {
		t.Error(err)
	}
	if r := s.get("/blog/a", "Lang: a"); r.body != "new" {
		t.Errorf("after the purge, while it is made: %q (%s), want new", r.body, r.cacheStatus())
	}
	<-done
	if r := s.get("/blog/a", "Lang: a"); r.body != "new" {
		t.Errorf("when it is made: %q (%s), want new", r.body, r.cacheStatus())
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

// interrupted is a client that does something else before it writes by version.
type interrupted struct {
	middleware.Client
	before func()
}

func (c *interrupted) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	if before := c.before; before != nil {
		c.before = nil
		before()
	}
	return c.Client.CompareAndSwap(ctx, item)
}

// TestSoftPurge_UndoesNoPurge that runs at the same time.
func TestSoftPurge_UndoesNoPurge(t *testing.T) {
	for _, by := range []string{"by URL", "by tag", "of everything"} {
		opts := &middleware.Options{TTL: time.Hour, StaleWhileRevalidate: time.Hour, PathTags: true}
		other := newSite(t, opts, text("x", "Cache-Tag: tag"))
		client := &interrupted{Client: other.client}
		s := newSiteWith(t, client, opts, nil, text("x", "Cache-Tag: tag"))
		s.get("/blog/a")
		s.wantPage("/blog/a", "x", "hit")
		ran := false
		client.before = func() {
			ran = true
			var err error
			switch by {
			case "by URL":
				err = other.cache.Purge(t.Context(), s.request(t.Context(), http.MethodGet, "/blog/a"))
			case "by tag":
				err = other.cache.PurgeTags(t.Context(), "tag")
			default:
				err = other.cache.PurgeAll(t.Context())
			}
			if err != nil {
				t.Errorf("%s: %v", by, err)
			}
		}
		if err := softPurges[by](s); err != nil || !ran {
			t.Errorf("%s: %v; another purge ran: %v", by, err, ran)
		}
		s.wantPage("/blog/a", "x", "fwd=uri-miss")
	}
}

// TestSoftPurge_ManyAtOnce all have their effect.
func TestSoftPurge_ManyAtOnce(t *testing.T) {
	opts := &middleware.Options{TTL: time.Hour, StaleIfError: time.Hour, PathTags: true}
	s := newSite(t, opts, text("x", "Cache-Tag: tag"))
	for by, purge := range softPurges {
		s.get("/blog/a")
		var purges sync.WaitGroup
		for range 2 * 16 {
			purges.Go(func() {
				if err := purge(s); err != nil {
					t.Errorf("%s: %v", by, err)
				}
			})
		}
		purges.Wait()
		if r := s.get("/blog/a"); r.hit() {
			t.Errorf("after many soft purges %s: %s", by, r.cacheStatus())
		}
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

// TestSealed_NumberOfPurgesUndoesNone: whoever can write foresees no purge.
func TestSealed_NumberOfPurgesUndoesNone(t *testing.T) {
	for _, back := range []int{1, 2} { // by each number that a purge could take again
		for by, soft := range softPurges {
			for _, hard := range []bool{false, true} {
				t.Run(fmt.Sprint(by, ", purge ", hard, ", back by ", back), func(t *testing.T) {
					opts := sealedBy(1)
					opts.PathTags = true
					s := newSite(t, opts, text("x", "Cache-Tag: tag"))
					purge := func() {
						t.Helper()
						err := soft(s)
						if hard && err == nil {
							err = s.cache.PurgeAll(t.Context())
						}
						if err != nil {
							t.Error(err)
						}
					}
					purge()
					purge() // now the tags have all that they can have
					s.get("/blog/a")
					s.wantPage("/blog/a", "x", "hit")
					counter, ok := s.memory.Item("page:n")
					if !ok {
						t.Fatal("there is no number of purges")
					}
					var n int
					if _, err := fmt.Sscan(string(counter.Value), &n); err != nil {
						t.Fatal(err)
					}
					s.memory.SetItem(&memcached.Item{Key: "page:n", Value: fmt.Append(nil, n-back)})
					purge()
					if r := s.get("/blog/a"); r.hit() {
						t.Errorf("after a purge that returned nil: %s", r.cacheStatus())
					}
				})
			}
		}
	}
}
