package main

import (
	"net/http"
	"strings"
	"testing"
)

const (
	eddystone = "/articles/four-towers-of-eddystone"
	cordouan  = "/articles/a-lens-for-cordouan"

	missed = "bmemcached; fwd=uri-miss; stored"
	hit    = "bmemcached; hit"
)

// expectCache fails the test unless the cache did what want says.
func (b *browser) expectCache(path, want string) answer {
	b.t.Helper()
	got := b.get(path)
	b.expect(got, http.StatusOK)
	if got.cache() != want {
		b.t.Errorf("Cache-Status of %s = %q, want %q", path, got.cache(), want)
	}
	return got
}

func TestArticles_ComeFromTheCacheTheSecondTime(t *testing.T) {
	_, base := start(t)
	for _, path := range []string{"/", eddystone} {
		first := newBrowser(t, base).expectCache(path, missed)
		second := newBrowser(t, base).expectCache(path, hit)
		if second.body != first.body {
			t.Errorf("%s is another page from the cache:\n%s\nbefore:\n%s", path, second.body, first.body)
		}
		if got := second.Header.Values("Server-Timing"); len(got) != 1 || !strings.Contains(got[0], hit) {
			t.Errorf("Server-Timing of %s = %q, want one with %q", path, got, hit)
		}
		if second.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s from the cache has no Content-Security-Policy", path)
		}
	}
}

func TestArticles_AReloadIsAHit(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.expectCache(eddystone, missed)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+eddystone, nil)
	if err == nil {
		r.Header.Set("Cache-Control", "max-age=0")
	}
	if got := b.do(r, err).cache(); got != hit {
		t.Errorf("Cache-Status of a reload = %q, want %q", got, hit)
	}
}

func TestPurge_OneArticle(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.get(eddystone)
	b.get(cordouan)
	purged := b.post(eddystone + "/purge")
	b.expect(purged, http.StatusSeeOther)
	if got := purged.Header.Get("Location"); got != eddystone {
		t.Errorf("after purging Location = %q, want %q", got, eddystone)
	}
	b.expectCache(cordouan, hit)
	if got := b.get(eddystone).cache(); got == hit {
		t.Error("the purged article came from the cache")
	}
	b.expectCache(eddystone, hit)
}

func TestPurge_AllArticles(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	for _, path := range []string{"/", eddystone} {
		b.get(path)
		b.expectCache(path, hit)
	}
	b.expect(b.post("/purge/articles"), http.StatusSeeOther)
	for _, path := range []string{"/", eddystone} {
		if got := b.get(path).cache(); got == hit {
			t.Errorf("%s came from the cache after all articles were purged", path)
		}
		b.expectCache(path, hit)
	}
}

func TestTides_AreComputedOnceAndRead(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.expect(b.get("/tides"), http.StatusOK, "North Quay", ">computed<")
	b.expect(b.get("/tides?harbour=mill"), http.StatusOK, "Mill Creek", ">computed<")
	b.expect(b.get("/tides"), http.StatusOK, ">from the cache<")
	// gocache stores what it loaded in the background, so that a table may be
	// stored just after the first purge.
	eventually(t, "a purge makes the table be computed", func() bool {
		purged := b.post("/purge/tides", "harbour", "north")
		b.expect(purged, http.StatusSeeOther)
		return strings.Contains(b.get(purged.Header.Get("Location")).body, ">computed<")
	})
}

func TestPages_ThatAreNotThere(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	for _, path := range []string{"/nothing", "/articles/nothing", "/tides?harbour=nothing", "/static/nothing"} {
		if got := b.get(path).StatusCode; got != http.StatusNotFound {
			t.Errorf("GET %s answered %d, want 404", path, got)
		}
	}
	for _, path := range []string{"/articles/nothing/purge", "/servers/9/stop", "/servers/-1/restart", "/servers/x/stop"} {
		b.expect(b.post(path), http.StatusNotFound)
	}
	b.expect(b.post("/cart", "article", "nothing"), http.StatusBadRequest)
}

func TestAssets_AreServed(t *testing.T) {
	_, base := start(t)
	for path, kind := range map[string]string{
		"/static/style.css": "text/css",
		"/static/site.js":   "text/javascript",
		"/static/icon.svg":  "image/svg+xml",
	} {
		got := newBrowser(t, base).get(path)
		if got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), kind) || got.body == "" {
			t.Errorf("GET %s answered %d, %q and %d bytes, want %s", path, got.StatusCode, got.Header.Get("Content-Type"), len(got.body), kind)
		}
	}
}

func TestForms_OfOtherSitesAreRefused(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/purge/articles", nil)
	if err == nil {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	if got := b.do(r, err).StatusCode; got != http.StatusForbidden {
		t.Errorf("a form of another site was answered with %d, want 403", got)
	}
}

func TestForms_AreLimitedInSize(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	large := strings.Repeat("a", maxForm)
	got := b.post("/login", "user", "ada", "password", "lantern", "large", large)
	if got.StatusCode == http.StatusSeeOther {
		t.Errorf("a form of %d bytes was taken", len(large))
	}
	if got := b.post("/login", "user", large); strings.Contains(got.body, "aaaa") {
		t.Error("a form that is too large is shown")
	}
}

func TestHead_IsGetWithoutABody(t *testing.T) {
	_, base := start(t)
	b := newBrowser(t, base)
	b.login("ada")
	for _, path := range []string{"/", eddystone, "/tides", "/status", "/status.json", "/me.json", "/login", "/cart", "/static/style.css"} {
		head := b.do(http.NewRequestWithContext(t.Context(), http.MethodHead, base+path, nil))
		get := b.get(path)
		if head.StatusCode != get.StatusCode || head.body != "" {
			t.Errorf("HEAD %s = %d with %d bytes, want %d without any", path, head.StatusCode, len(head.body), get.StatusCode)
		}
		for _, name := range []string{"Content-Type", "Cache-Control", "Content-Security-Policy"} {
			if got, want := head.Header.Get(name), get.Header.Get(name); got != want {
				t.Errorf("HEAD %s has %s %q, want %q", path, name, got, want)
			}
		}
	}
	again := b.do(http.NewRequestWithContext(t.Context(), http.MethodHead, base+"/", nil))
	if again.cache() != hit {
		t.Errorf("Cache-Status of HEAD / after GET / = %q, want %q", again.cache(), hit)
	}
	b.expect(b.do(http.NewRequestWithContext(t.Context(), http.MethodHead, base+"/nothing", nil)), http.StatusNotFound)
}
