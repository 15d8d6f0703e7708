package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// withoutUTM is the Key of the documentation.
func withoutUTM() *middleware.Options {
	return &middleware.Options{TTL: time.Minute, Key: func(r *http.Request) (string, bool) {
		query := r.URL.Query()
		query.Del("utm_source")
		r.URL.RawQuery = query.Encode()
		return "", true
	}}
}

// echoQuery answers with all that handlers can see of the query.
func echoQuery(c *gin.Context) {
	_ = c.Request.ParseForm()
	c.String(http.StatusOK, "%s|%s|%s|%s", c.Request.URL, c.Request.RequestURI, c.Query("utm_source"), c.Request.Form.Encode())
}

// TestKey_HandlerSeesTheQueryOfTheKey: what Key drops cannot get into a page.
func TestKey_HandlerSeesTheQueryOfTheKey(t *testing.T) {
	above := map[string]gin.HandlerFunc{
		"nothing above":       func(*gin.Context) {},
		"a form parsed above": func(c *gin.Context) { _ = c.Request.ParseForm() },
		"gin asked above":     func(c *gin.Context) { c.Query("utm_source") },
	}
	for name, above := range above {
		for _, attack := range []string{"/news?utm_source=evil", "/news?x;y=//evil.example", "/news?utm_source=evil&%zz", "/news?&&"} {
			t.Run(name+attack, func(t *testing.T) {
				s := newSiteAbove(t, memcachedtest.Start(t, nil), withoutUTM(), above, echoQuery).listen()
				s.get(attack)
				if r := s.get("/news"); r.body != "/news|/news||" {
					t.Errorf("then /news is answered %q (%s)", r.body, r.cacheStatus())
				}
			})
		}
	}
	s := newSiteAbove(t, memcachedtest.Start(t, nil), withoutUTM(), nil, echoQuery)
	s.get("/news?a=1&utm_source=x")
	if r := s.get("/news?utm_source=y&a=1"); !r.hit() || r.body != "/news?a=1|||a=1" {
		t.Errorf("with another source: %q (%s), want a hit", r.body, r.cacheStatus())
	}
}

func TestKey_AddsToTheURL(t *testing.T) {
	opts := minute()
	opts.Key = func(r *http.Request) (string, bool) { return r.Header.Get("X-Tenant"), true }
	s := newSite(t, opts, func(c *gin.Context) { c.String(http.StatusOK, "%s %s", c.Request.URL, c.GetHeader("X-Tenant")) })
	for _, path := range []string{"/a", "/b", "/a?c"} {
		for _, tenant := range []string{"x", "y"} {
			if r := s.get(path, "X-Tenant: "+tenant); r.body != path+" "+tenant {
				t.Errorf("%s of %s = %q", path, tenant, r.body)
			}
		}
	}
}

// TestMounts_OfOneRouterAreDifferentPages: what http.StripPrefix takes away is still
// what the client asked for, and handlers can see it.
func TestMounts_OfOneRouterAreDifferentPages(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, "%s %s", c.Request.RequestURI, c.Request.URL.Path) })
	mux := http.NewServeMux()
	for _, mount := range []string{"/one", "/two", "/two/deep"} {
		mux.Handle(mount+"/", http.StripPrefix(mount, s.router))
	}
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	get := func(path, want string) response {
		t.Helper()
		r := s.get(path)
		if r.body != want {
			t.Errorf("%s = %q (%s), want %q", path, r.body, r.cacheStatus(), want)
		}
		return r
	}
	pages := map[string]string{"/one/a": "/a", "/two/a": "/a", "/two/deep/a": "/a", "/one/b": "/b"}
	for range 2 {
		for path, below := range pages {
			get(path, path+" "+below)
		}
	}
	purge, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/two/deep/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cache.Purge(t.Context(), purge); err != nil {
		t.Fatal(err)
	}
	s.do(http.MethodPost, "/one/b")
	for path, below := range pages {
		if r, want := get(path, path+" "+below), path == "/one/a" || path == "/two/a"; r.hit() != want {
			t.Errorf("after /two/deep/a was purged and /one/b posted to, %s: %s", path, r.cacheStatus())
		}
	}
}

// TestMounts_RewrittenPathsAreDifferentPages: of a layer above that chooses between
// paths for one URL.
func TestMounts_RewrittenPathsAreDifferentPages(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, "%s %s", c.Request.RequestURI, c.Request.URL.Path) })
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/" + r.Header.Get("X-Test") + "/same"
		s.router.ServeHTTP(w, r)
	}))
	t.Cleanup(s.server.Close)
	for range 2 {
		for _, path := range []string{"/a", "/b"} {
			for _, test := range []string{"1", "2"} {
				if r, want := s.get(path, "X-Test: "+test), path+" /"+test+"/same"; r.body != want {
					t.Errorf("%s in test %s = %q (%s), want %q", path, test, r.body, r.cacheStatus(), want)
				}
			}
		}
	}
	s.wantRuns(4)
}

// TestHost_ImpliedPortsAreNone: for the key and for the handler.
func TestHost_ImpliedPortsAreNone(t *testing.T) {
	host := func(c *gin.Context) { c.String(http.StatusOK, c.Request.Host) }
	tests := []struct{ first, second, proto, want string }{
		{"site.example:80", "Site.example", "http", "site.example"},
		{"site.example:443", "site.example", "https", "site.example"},
		{"site.example", "site.example:80", "", "site.example"},
		{"[::1]:80", "[::1]", "http", "[::1]"},
		{"site.example:443", "site.example", "http", ""},
		{"site.example:80", "site.example", "https", ""},
		{"site.example:8080", "site.example", "", ""},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			s := newSite(t, minute(), host)
			lines := []string{"X-Forwarded-Proto: " + test.proto}
			s.get("/a", append(lines, "Host: "+test.first)...)
			r := s.get("/a", append(lines, "Host: "+test.second)...)
			if want := test.want; r.hit() != (want != "") || want != "" && r.body != want {
				t.Errorf("%q (%s), want a hit: %v", r.body, r.cacheStatus(), want != "")
			}
		})
	}
}

func TestPurge_FindsThePageByAnyName(t *testing.T) {
	tests := []struct {
		lines []string
		url   string
	}{
		{[]string{"Host: site.example:443"}, "https://site.example/a"},
		{[]string{"Host: site.example:443", "X-Forwarded-Proto: https"}, "https://site.example/a"},
		{[]string{"Host: site.example:80"}, "http://site.example/a"},
		{[]string{"Host: site.example:80", "X-Forwarded-Proto: https"}, "//site.example:443/a"},
		{[]string{"Host: site.example"}, "http://SITE.example:80/a"},
		{[]string{"Host: site.example"}, "https://site.example:443/a"},
		{[]string{"Host: site.example:8080"}, "http://site.example:8080/a"},
		{[]string{"Host: [::1]"}, "http://[::1]:80/a"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.lines, " "), func(t *testing.T) {
			s := newSite(t, minute(), text("x"))
			s.get("/a", test.lines...)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.cache.Purge(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if r := s.get("/a", test.lines...); r.hit() {
				t.Errorf("after Purge of %s: %s", test.url, r.cacheStatus())
			}
		})
	}
}

func TestPurge_NoRequestIsAnError(t *testing.T) {
	s := newSite(t, &middleware.Options{TTL: time.Minute, PathTags: true}, text("x"))
	for name, purge := range map[string]func(context.Context, *http.Request) error{
		"Purge": s.cache.Purge, "SoftPurge": s.cache.SoftPurge, "PurgePath": s.cache.PurgePath, "SoftPurgePath": s.cache.SoftPurgePath,
	} {
		for _, r := range []*http.Request{nil, {Host: "example.com"}} {
			if err := purge(t.Context(), r); err == nil || !strings.Contains(err.Error(), "no URL") {
				t.Errorf("%s(%v) = %v, want an error that says what is missing", name, r, err)
			}
		}
	}
}

func TestPurge_RequestWithoutHostIsAnError(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cache.Purge(t.Context(), r); err == nil || !strings.Contains(err.Error(), "no host") {
		t.Errorf("Purge without a host = %v, want an error that says so", err)
	}
}
