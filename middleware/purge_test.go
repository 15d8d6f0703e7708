package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

func (s *site) purge(path string) {
	s.tb.Helper()
	if err := s.cache.Purge(s.tb.Context(), s.request(s.tb.Context(), http.MethodGet, path)); err != nil {
		s.tb.Errorf("Purge(%s) = %v", path, err)
	}
}

func (s *site) purgeTags(tags ...string) {
	s.tb.Helper()
	if err := s.cache.PurgeTags(s.tb.Context(), tags...); err != nil {
		s.tb.Errorf("PurgeTags(%q) = %v", tags, err)
	}
}

func TestPurge_RemovesAllVariantsInAllProcesses(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		handler := text("x", "Vary: Lang")
		one, two := newSiteOn(t, memory, minute(), handler), newSiteOn(t, memory, minute(), handler)
		requests := [][]string{{}, {"Lang: a"}, {"Lang: b"}, {"X-Forwarded-Proto: https"}, {"X-Forwarded-Proto: http", "Lang: a"}}
		for _, lines := range requests {
			one.get("/a", lines...)
			if !two.get("/a", lines...).hit() {
				t.Errorf("%q is not in the cache of the other process", lines)
			}
		}
		one.get("/b")
		two.purge("/a")
		for _, lines := range requests {
			if one.get("/a", lines...).hit() {
				t.Errorf("after the purge %q is still a hit", lines)
			}
		}
		if !one.get("/b").hit() {
			t.Error("another page was purged")
		}
	})
}

func TestPurge_OfWhatIsNotThereIsNoError(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	s.purge("/never")
	s.purgeTags("never")
	s.purgeTags()
}

func TestPurge_KnowsTheKeyOfTheOptions(t *testing.T) {
	inTime(t, func(t *testing.T) {
		opts := minute()
		opts.Key = func(r *http.Request) (string, bool) { return r.URL.Path, r.URL.Path != "/never" }
		s := newSite(t, opts, text("x"))
		s.get("/a?x=1")
		s.purge("/a?x=2")
		if s.get("/a").hit() {
			t.Error("a page with a key of the options was not purged")
		}
		s.purge("/never")
	})
}

func TestPurge_FillInFlightIsNotVisibleAfterwards(t *testing.T) {
	for name, opts := range map[string]*memcachedtest.Options{"with versions": nil, "without versions": {DisableCAS: true}} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				memory := memcachedtest.Start(t, opts)
				version := newCell("old")
				handler := func(c *gin.Context) {
					read := version.get() // what the database said
					time.Sleep(10 * time.Second)
					c.String(http.StatusOK, read)
				}
				one, two := newSiteOn(t, memory, minute(), handler), newSiteOn(t, memory, minute(), handler)
				bodies := make(chan string, 2)
				go func() { bodies <- one.get("/a").body }()
				go func() { bodies <- one.get("/a").body }()
				time.Sleep(time.Second)
				version.set("new")
				two.purge("/a")
				for _, s := range []*site{one, two} { // while the old one is still being made
					if r := s.get("/a"); r.body != "new" {
						t.Errorf("after the purge = %q (%s), want new", r.body, r.cacheStatus())
					}
				}
				if a, b := <-bodies, <-bodies; a != "old" || b != "old" {
					t.Errorf("requests from before the purge = %q, %q, want old", a, b)
				}
				if r := one.get("/a"); r.body != "new" || !r.hit() {
					t.Errorf("later = %q (%s), want a hit of new", r.body, r.cacheStatus())
				}
			})
		})
	}
}

func TestPurge_RevalidationInFlightIsNotVisibleAfterwards(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := newCell("old")
		s := newSite(t, nil, func(c *gin.Context) {
			read := version.get()
			time.Sleep(2 * time.Second)
			c.Header("Cache-Control", "max-age=10, stale-while-revalidate=100")
			c.String(http.StatusOK, read)
		})
		s.get("/a")
		time.Sleep(20 * time.Second)
		s.get("/a") // revalidates in the background
		time.Sleep(time.Second)
		version.set("new")
		s.purge("/a")
		time.Sleep(5 * time.Second)
		if r := s.get("/a"); r.body != "new" {
			t.Errorf("after the purge = %q (%s), want new", r.body, r.cacheStatus())
		}
	})
}

func TestPurge_VariantInFlightIsNotVisibleAfterwards(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := newCell("old")
		s := newSite(t, minute(), func(c *gin.Context) {
			read := version.get()
			time.Sleep(2 * time.Second)
			c.Header("Vary", "Lang")
			c.String(http.StatusOK, read)
		})
		s.get("/a", "Lang: a")
		go s.get("/a", "Lang: b")
		time.Sleep(time.Second)
		version.set("new")
		s.purge("/a")
		time.Sleep(5 * time.Second)
		for _, lang := range []string{"a", "b"} {
			if r := s.get("/a", "Lang: "+lang); r.body != "new" {
				t.Errorf("%s after the purge = %q (%s), want new", lang, r.body, r.cacheStatus())
			}
		}
	})
}

func TestPurge_ErrorSaysThatMemcachedWasNotTold(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	s.memory.Stop()
	if err := s.cache.Purge(t.Context(), s.request(t.Context(), http.MethodGet, "/a")); err == nil {
		t.Error("Purge without memcached = nil, want an error")
	}
	if err := s.cache.PurgeTags(t.Context(), "a"); err == nil {
		t.Error("PurgeTags without memcached = nil, want an error")
	}
}

func TestTags_PurgeWhatCarriesThem(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		handler := func(c *gin.Context) {
			setLines(c, map[string]string{
				"/1": "Cache-Tag: red, round", "/2": "Surrogate-Key: red square", "/3": "Cache-Tag: blue", "/4": "X: none",
			}[c.Request.URL.Path])
			c.String(http.StatusOK, "x")
		}
		one, two := newSiteOn(t, memory, minute(), handler), newSiteOn(t, memory, minute(), handler)
		all := []string{"/1", "/2", "/3", "/4"}
		for _, test := range []struct {
			tags []string
			gone map[string]bool
		}{
			{[]string{"red"}, map[string]bool{"/1": true, "/2": true}},
			{[]string{"round"}, map[string]bool{"/1": true}},
			{[]string{"square", "blue"}, map[string]bool{"/2": true, "/3": true}},
			{[]string{"green"}, nil},
			{[]string{"re"}, nil},
		} {
			for _, path := range all {
				one.get(path)
				if !two.get(path).hit() {
					t.Errorf("%s is not in the cache", path)
				}
			}
			two.purgeTags(test.tags...)
			for _, path := range all {
				if gone := !one.get(path).hit(); gone != test.gone[path] {
					t.Errorf("PurgeTags(%q): %s gone = %v, want %v", test.tags, path, gone, test.gone[path])
				}
			}
		}
	})
}

func TestTags_WhatNoResponseCanNameIsAnError(t *testing.T) {
	s := newSite(t, &middleware.Options{TTL: time.Minute, PathTags: true}, text("x", "Cache-Tag: a b", "Surrogate-Key: c,d"))
	for _, purge := range []func(context.Context, ...string) error{s.cache.PurgeTags, s.cache.SoftPurgeTags} {
		for _, tag := range []string{"", " ", "red, round", " red", "red ", "\tred", "\x00all"} {
			if err := purge(t.Context(), "blue", tag); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", tag)) {
				t.Errorf("purging %q = %v, want an error that names it", tag, err)
			}
		}
		for _, tag := range []string{"a b", "c,d"} {
			s.get("/a")
			if err := purge(t.Context(), tag); err != nil {
				t.Error(err)
			}
			if r := s.get("/a"); r.hit() && !strings.Contains(r.cacheStatus(), "stale") {
				t.Errorf("after a purge of %q: %s", tag, r.cacheStatus())
			}
		}
	}
}

func TestTags_CostDoesNotDependOnTheNumberOfResponses(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x", "Cache-Tag: all"))
		s.memory.ForgetRequests()
		for i := range 50 {
			s.get(fmt.Sprint("/", i))
		}
		s.memory.ForgetRequests()
		s.purgeTags("all")
		if n := s.memory.RequestCount(); n > 3 {
			t.Errorf("a purge of 50 responses took %d requests, want a counter, a tag and at most one more", n)
		}
		for i := range 50 {
			if s.get(fmt.Sprint("/", i)).hit() {
				t.Errorf("/%d is still a hit", i)
			}
		}
	})
}

func TestTags_FillInFlightIsNotVisibleAfterwards(t *testing.T) {
	for _, known := range []bool{false, true} {
		t.Run(fmt.Sprint("known ", known), func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				version := newCell("old")
				s := newSite(t, minute(), func(c *gin.Context) {
					read := version.get()
					time.Sleep(2 * time.Second)
					c.Header("Cache-Tag", "a")
					c.String(http.StatusOK, read)
				})
				if known {
					s.get("/other")
				}
				go s.get("/a")
				time.Sleep(time.Second)
				version.set("new")
				s.purgeTags("a")
				time.Sleep(5 * time.Second)
				if r := s.get("/a"); r.body != "new" {
					t.Errorf("after the purge = %q (%s), want new", r.body, r.cacheStatus())
				}
				if r := s.get("/a"); r.body != "new" || !r.hit() {
					t.Errorf("then = %q (%s), want a hit of new", r.body, r.cacheStatus())
				}
			})
		})
	}
}

func TestTags_EvictionLosesNoPurge(t *testing.T) {
	tests := map[string]func(s *site){
		"of the tag":     func(s *site) { s.evict("page:t") },
		"of the counter": func(s *site) { s.evict("page:n") },
		"of both":        func(s *site) { s.evict("page:t"); s.evict("page:n") },
	}
	for name, evict := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				version := newCell("1")
				s := newSite(t, &middleware.Options{TTL: time.Hour}, func(c *gin.Context) {
					c.Header("Cache-Tag", "a")
					c.String(http.StatusOK, version.get())
				})
				s.get("/a")
				saved, _ := s.memory.Item(pageKeys(s.memory)[0])
				version.set("2")
				s.purgeTags("a")
				time.Sleep(time.Second)
				evict(s)
				s.get("/b") // makes tag and counter anew
				s.memory.SetItem(saved)
				if r := s.get("/a"); r.body != "2" {
					t.Errorf("after the purge and the eviction = %q (%s), want 2", r.body, r.cacheStatus())
				}
				version.set("3")
				s.purgeTags("a")
				if r := s.get("/a"); r.body != "3" {
					t.Errorf("after another purge = %q (%s), want 3", r.body, r.cacheStatus())
				}
			})
		})
	}
}

// evict deletes the keys with a prefix.
func (s *site) evict(prefix string) {
	s.tb.Helper()
	for _, key := range s.memory.Keys() {
		if len(key) >= len(prefix) && key[:len(prefix)] == prefix {
			if err := s.client.Delete(s.tb.Context(), key); err != nil {
				s.tb.Error(err)
			}
		}
	}
}

func TestTags_TooManyAreNotStored(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		for i := range 200 {
			c.Writer.Header().Add("Cache-Tag", fmt.Sprint("tag", i))
		}
		c.String(http.StatusOK, "x")
	})
	s.get("/a")
	s.get("/a")
	s.wantRuns(2)
}

func TestTags_OfARevalidatedResponseStay(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"1"`, control: "max-age=10", body: "x", notModified: []string{"X: 1"}}
		s := newSite(t, nil, func(c *gin.Context) {
			if c.GetHeader("If-None-Match") == "" {
				c.Header("Cache-Tag", "a")
			}
			v.serve(c)
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		s.get("/a")
		synctest.Wait()
		if !s.get("/a").hit() {
			t.Error("the response was not freshened")
		}
		s.purgeTags("a")
		if s.get("/a").hit() {
			t.Error("a response that was revalidated has lost its tag")
		}
	})
}

func TestPurge_EndsWithItsContext(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.cache.Purge(ctx, s.request(t.Context(), http.MethodGet, "/a")); err == nil {
		t.Error("Purge with a context that is over = nil, want its error")
	}
}

// TestPurge_OfAnAbsoluteURL: whoever purges may have the URL in any form.
func TestPurge_OfAnAbsoluteURL(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	s.get("/a?b=c")
	target, err := url.Parse("https://site.example/a?b=c")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cache.Purge(t.Context(), &http.Request{Method: http.MethodGet, URL: target}); err != nil {
		t.Fatal(err)
	}
	if s.get("/a?b=c").hit() {
		t.Error("a hit after the purge")
	}
}
