package middleware_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-contrib/cors"
	contribgzip "github.com/gin-contrib/gzip"
	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/middleware"
)

var longText = strings.Repeat("a page of text that compresses well. ", 400)

// contrib serves one page through middleware that is put together by use.
func contrib(t *testing.T, use func(cache gin.HandlerFunc, page gin.HandlerFunc) []gin.HandlerFunc) (url string, runs *int) {
	t.Helper()
	client, err := memcached.New([]string{memory(t).Addr()}, &memcached.Options{Auth: sasl.Auto(username, password)})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := middleware.New(client, &middleware.Options{TTL: time.Minute, LookupTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	router := gin.New()
	runs = new(int)
	router.GET("/page", use(cache.Handler(), func(c *gin.Context) {
		*runs++
		c.String(http.StatusOK, longText)
	})...)
	server := httptest.NewServer(router)
	t.Cleanup(func() {
		server.Close()
		_ = cache.Close()
		_ = client.Close()
	})
	return server.URL + "/page", runs
}

// plain undoes the coding of a response.
func plain(t *testing.T, a answer) string {
	t.Helper()
	if a.header.Get("Content-Encoding") == "" {
		return a.body
	}
	reader, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestGzip_OutsideAndInside(t *testing.T) {
	compress := contribgzip.Gzip(contribgzip.DefaultCompression)
	orders := map[string]func(cache, page gin.HandlerFunc) []gin.HandlerFunc{
		"outside": func(cache, page gin.HandlerFunc) []gin.HandlerFunc { return []gin.HandlerFunc{compress, cache, page} },
		"inside":  func(cache, page gin.HandlerFunc) []gin.HandlerFunc { return []gin.HandlerFunc{cache, compress, page} },
	}
	for name, use := range orders {
		t.Run(name, func(t *testing.T) {
			url, runs := contrib(t, use)
			for round := range 3 {
				for _, accept := range []string{"gzip", "identity", "gzip, br;q=0.5, identity"} {
					a := fetch(t, url, "Accept-Encoding: "+accept)
					if got := plain(t, a); got != longText {
						t.Errorf("%s, round %d, Accept-Encoding %q: %d bytes, want the page of %d", name, round, accept, len(got), len(longText))
					}
					if coded := a.header.Get("Content-Encoding") == "gzip"; coded != strings.Contains(accept, "gzip") {
						t.Errorf("%s: Accept-Encoding %q was answered in %q", name, accept, a.header.Get("Content-Encoding"))
					}
					if round > 0 && !a.hit() {
						t.Errorf("%s, round %d: Cache-Status = %q, want a hit", name, round, a.header.Get("Cache-Status"))
					}
					if a.header.Get("Content-Encoding") != "" && !slices.Contains(a.header["Vary"], "Accept-Encoding") {
						t.Errorf("%s: Vary = %q, want Accept-Encoding", name, a.header["Vary"])
					}
				}
			}
			want := map[string]int{"outside": 1, "inside": 3}[name]
			if *runs > want {
				t.Errorf("%s: the handler ran %d times, want %d at most", name, *runs, want)
			}
			tag := fetch(t, url, "Accept-Encoding: gzip").header.Get("ETag")
			if a := fetch(t, url, "Accept-Encoding: gzip", "If-None-Match: "+tag); tag == "" || a.status != http.StatusNotModified || a.body != "" {
				t.Errorf("%s: conditional with %q = %d with %d bytes, want 304 and none", name, tag, a.status, len(a.body))
			}
		})
	}
}

func TestCORS_BeforeTheCacheStaysLive(t *testing.T) {
	allow := cors.New(cors.Config{
		AllowOrigins: []string{"https://one.example", "https://two.example"}, AllowMethods: []string{"GET"},
		AllowCredentials: true, ExposeHeaders: []string{"Cache-Status"},
	})
	url, runs := contrib(t, func(cache, page gin.HandlerFunc) []gin.HandlerFunc {
		return []gin.HandlerFunc{allow, cache, page}
	})
	for range 2 {
		for _, origin := range []string{"https://one.example", "https://two.example"} {
			a := fetch(t, url, "Origin: "+origin)
			if got := a.header["Access-Control-Allow-Origin"]; !slices.Equal(got, []string{origin}) || a.body != longText {
				t.Errorf("Access-Control-Allow-Origin = %q for %s, want it alone (%s)", got, origin, a.header.Get("Cache-Status"))
			}
		}
		if a := fetch(t, url); a.header.Get("Access-Control-Allow-Origin") != "" || a.body != longText {
			t.Errorf("without an origin: Access-Control-Allow-Origin = %q", a.header.Get("Access-Control-Allow-Origin"))
		}
	}
	if a := fetch(t, url, "Origin: https://evil.example"); a.status != http.StatusForbidden || a.body != "" {
		t.Errorf("a foreign origin = %d with %d bytes, want 403 from the CORS middleware", a.status, len(a.body))
	}
	if *runs != 1 {
		t.Errorf("the handler ran %d times, want once: origins are no variants", *runs)
	}
}
