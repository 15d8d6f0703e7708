package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestPathTags_PurgeWhatIsBelow(t *testing.T) {
	memory := memcachedtest.Start(t, nil)
	opts := minute()
	opts.PathTags = true
	handler := text("x", "Vary: A", "Cache-Tag: tag")
	one, two := newSiteOn(t, memory, opts, handler), newSiteOn(t, memory, opts, handler)
	mux := http.NewServeMux()
	mux.Handle("/mount/", http.StripPrefix("/mount", two.router))
	mux.Handle("/", two.router)
	two.server = httptest.NewServer(mux)
	t.Cleanup(two.server.Close)
	pages := []string{"/", "/blog", "/blog/", "/blog/1", "/bl%6Fg/2", "/blog/a/b?c", "/blogger/1", "/mount/blog/1"}
	host := strings.TrimPrefix(two.server.URL, "http://")
	for _, test := range []struct {
		path string
		gone string // pages, by their place in the list
	}{
		{"/blog/", "2345"},
		{"/blog/a/", "5"},
		{"/", "01234567"},
		{"all", "01234567"},
		{"/mount/", "7"},
		{"/mount/blog/", "7"},
		{"/og/", ""},
		{"other.example", ""},
	} {
		for _, page := range pages {
			two.get(page)
			if !two.get(page).hit() {
				t.Fatalf("%s is not in the cache", page)
			}
		}
		target, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+test.path, nil)
		switch {
		case test.path == "all":
			err = one.cache.PurgeAll(t.Context())
		case test.path == "other.example":
			err = one.cache.PurgePath(t.Context(), one.request(t.Context(), http.MethodGet, "/blog/"))
		case err == nil:
			err = one.cache.PurgePath(t.Context(), target)
		}
		if err != nil {
			t.Fatalf("purge of %s: %v", test.path, err)
		}
		for i, page := range pages {
			if gone, want := !two.get(page).hit(), strings.Contains(test.gone, string(rune('0'+i))); gone != want {
				t.Errorf("after the purge of %s, %s is gone: %v, want %v", test.path, page, gone, want)
			}
		}
	}
	if n, r := roundTrips(two, http.MethodGet, "/blog/a/b?c"); n != 1 || !r.hit() {
		t.Errorf("a hit takes %d round trips (%s), want 1", n, r.cacheStatus())
	}
}

// TestPathTags_WhatCannotPurgeIsAnError: nothing fails silently.
func TestPathTags_WhatCannotPurgeIsAnError(t *testing.T) {
	without := newSite(t, minute(), text("x"))
	if err := without.cache.PurgeAll(t.Context()); err == nil {
		t.Error("PurgeAll without PathTags = nil, want an error")
	}
	opts := minute()
	opts.PathTags = true
	s := newSite(t, opts, text("x"))
	for _, path := range []string{"", "/blog", "/" + strings.Repeat("a/", 40)} {
		if err := s.cache.PurgePath(t.Context(), s.request(t.Context(), http.MethodGet, path)); err == nil {
			t.Errorf("PurgePath of %q = nil, want an error", path)
		}
	}
	if err := without.cache.PurgePath(t.Context(), s.request(t.Context(), http.MethodGet, "/")); err == nil {
		t.Error("PurgePath without PathTags = nil, want an error")
	}
	r := s.request(t.Context(), http.MethodGet, "/")
	r.Host, r.URL.Host = "", ""
	if err := s.cache.PurgePath(t.Context(), r); err == nil {
		t.Error("PurgePath without a host = nil, want an error")
	}
}
