package middleware_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	contribgzip "github.com/gin-contrib/gzip"
	"github.com/gin-contrib/timeout"
	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

// newCache returns a cache with a memcached of its own.
func newCache(t *testing.T) (*middleware.Cache, *memcached.Client) {
	t.Helper()
	return newCacheWith(t, &middleware.Options{TTL: time.Minute})
}

// newCacheWith has more options.
func newCacheWith(t *testing.T, opts *middleware.Options) (*middleware.Cache, *memcached.Client) {
	t.Helper()
	memory := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{memory.Addr()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	opts.LookupTimeout, opts.Logger = 5*time.Second, slog.New(slog.DiscardHandler)
	cache, err := middleware.New(client, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cache.Close(), client.Close() })
	return cache, client
}

// serve makes a handler answer on a real connection.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// ginSite is a gin application of layers, the cache and a page, which answers on
// every path. Without a cache it is the site as it should be.
func ginSite(cache *middleware.Cache, layers []gin.HandlerFunc, page gin.HandlerFunc) http.Handler {
	router := gin.New()
	router.Use(gin.RecoveryWithWriter(io.Discard))
	router.Use(layers...)
	if cache != nil {
		router.Use(cache.Handler())
	}
	router.Any("/*path", page)
	return router
}

// httpSite is the same with net/http.
func httpSite(cache *middleware.Cache, layer func(http.Handler) http.Handler, page http.Handler) http.Handler {
	if cache != nil {
		page = cache.Wrap(page)
	}
	return layer(page)
}

// seen is what a visitor sees of an answer: not what a cache may add.
func seen(a answer) string {
	h := maps.Clone(a.header)
	for _, name := range []string{"Cache-Status", "Age", "Date", "Etag", "Content-Length"} {
		delete(h, name)
	}
	if lines := h["Vary"]; len(lines) > 1 {
		slices.Sort(lines)
	}
	return fmt.Sprintf("%d %q %v", a.status, decoded(a), h)
}

// decoded undoes the coding of a response, as far as that is possible: middleware for
// compression may break it, with a cache and without.
func decoded(a answer) string {
	if a.header.Get("Content-Encoding") != "gzip" {
		return a.body
	}
	reader, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		return fmt.Sprintf("%q, which is not gzip: %v", a.body, err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		return fmt.Sprintf("%s, and then %v", text, err)
	}
	return string(text)
}

// ask makes a request and follows no redirect.
func ask(t *testing.T, url string, lines ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "site.example"
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Set(name, value)
	}
	response, err := direct.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{response.StatusCode, response.Header, fmt.Sprintf("%s, and then %v", body, err)}
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

var direct = &http.Transport{DisableCompression: true, DisableKeepAlives: true}

// TestComposition_AnswersAsWithoutTheCache, whatever layers are above.
func TestComposition_AnswersAsWithoutTheCache(t *testing.T) {
	layers := map[string]func() []gin.HandlerFunc{
		"nothing": func() []gin.HandlerFunc { return nil },
		"gzip":    func() []gin.HandlerFunc { return []gin.HandlerFunc{contribgzip.Gzip(contribgzip.BestSpeed)} },
		"gzip above 1000 bytes": func() []gin.HandlerFunc {
			return []gin.HandlerFunc{contribgzip.Gzip(contribgzip.BestSpeed, contribgzip.WithMinLength(1000))}
		},
		"gzip above timeout": func() []gin.HandlerFunc {
			return []gin.HandlerFunc{
				contribgzip.Gzip(contribgzip.BestSpeed, contribgzip.WithMinLength(1000)),
				timeout.New(timeout.WithTimeout(time.Minute)),
			}
		},
		"ETag":    func() []gin.HandlerFunc { return []gin.HandlerFunc{etag} },
		"timeout": func() []gin.HandlerFunc { return []gin.HandlerFunc{timeout.New(timeout.WithTimeout(time.Minute))} },
	}
	pages := map[string]gin.HandlerFunc{
		"long":  func(c *gin.Context) { c.String(http.StatusOK, longText) },
		"short": func(c *gin.Context) { c.String(http.StatusOK, "short") },
		"404":   func(c *gin.Context) { c.String(http.StatusNotFound, longText) },
		"410":   func(c *gin.Context) { c.String(http.StatusGone, "gone") },
		"500":   func(c *gin.Context) { c.String(http.StatusInternalServerError, longText) },
		"204":   func(c *gin.Context) { c.Status(http.StatusNoContent) },
		"parts": func(c *gin.Context) {
			c.Header("Content-Type", "text/plain") // of a guess the cache keeps what net/http made of it
			c.Header("X-Page", "1")
			for part := range slices.Chunk([]byte(longText), 1000) {
				_, _ = c.Writer.Write(part)
			}
		},
		"stated length": func(c *gin.Context) {
			c.Header("Content-Type", "text/plain")
			c.Header("Content-Length", fmt.Sprint(len(longText)))
			_, _ = io.WriteString(c.Writer, longText)
		},
		"reader": func(c *gin.Context) {
			c.DataFromReader(http.StatusOK, int64(len(longText)), "text/plain", strings.NewReader(longText), map[string]string{"X-Page": "1"})
		},
		"fails half way": func(c *gin.Context) {
			_, _ = c.Writer.WriteString("half a page")
			http.Error(c.Writer, "sorry", http.StatusInternalServerError)
		},
		"states 500 late": func(c *gin.Context) {
			_, _ = c.Writer.WriteString("half a page")
			c.Status(http.StatusInternalServerError)
		},
		"redirect": func(c *gin.Context) { c.Redirect(http.StatusMovedPermanently, "/elsewhere") },
		"panics":   func(c *gin.Context) { c.Header("X-Page", "1"); panic("on purpose") },
	}
	for layer, use := range layers {
		for name, page := range pages {
			t.Run(layer+"/"+name, func(t *testing.T) {
				cache, _ := newCache(t)
				with, without := serve(t, ginSite(cache, use(), page)), serve(t, ginSite(nil, use(), page))
				for round := range 3 {
					for _, accept := range []string{"gzip", "identity"} {
						got, want := ask(t, with+"/page", "Accept-Encoding: "+accept), ask(t, without+"/page", "Accept-Encoding: "+accept)
						if seen(got) != seen(want) {
							t.Errorf("round %d, %s (%s):\n%.300s\nwant\n%.300s", round, accept, got.header.Get("Cache-Status"), seen(got), seen(want))
						}
					}
				}
			})
		}
	}
}

// etag holds the response back to give it a tag, as such middleware does.
func etag(c *gin.Context) {
	w := &holding{ResponseWriter: c.Writer, status: c.Writer.Status()}
	c.Writer = w
	c.Next()
	w.Header().Set("X-Sum", fmt.Sprint(len(w.body.Bytes()), w.status))
	w.ResponseWriter.WriteHeader(w.status)
	_, _ = w.ResponseWriter.Write(w.body.Bytes())
}

type holding struct {
	gin.ResponseWriter
	status int
	body   bytes.Buffer
}

func (w *holding) Write(p []byte) (int, error)       { return w.body.Write(p) }
func (w *holding) WriteString(s string) (int, error) { return w.body.WriteString(s) }
func (w *holding) WriteHeader(status int)            { w.status = status }
func (w *holding) WriteHeaderNow()                   {}
func (w *holding) Status() int                       { return w.status }
