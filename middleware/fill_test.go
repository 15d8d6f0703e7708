package middleware_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestHeaders_OfMiddlewareAboveStayLive(t *testing.T) {
	inTime(t, func(t *testing.T) {
		n := 0
		above := func(c *gin.Context) {
			n++
			c.Header("X-Request-Id", strconv.Itoa(n))
			c.Header("Access-Control-Allow-Origin", c.GetHeader("Origin"))
			c.Writer.Header().Add("Vary", "Origin")
			c.Header("X-Overridden", "above")
		}
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above,
			text("x", "X-Below: 1", "Vary: Accept"), func(c *gin.Context) {})
		s.get("/a", "Origin: https://one.example")
		r := s.get("/a", "Origin: https://two.example")
		if !r.hit() {
			t.Errorf("Cache-Status = %q, want a hit: another origin is no reason for another variant", r.cacheStatus())
		}
		for name, want := range map[string]string{
			"X-Request-Id": "2", "Access-Control-Allow-Origin": "https://two.example", "X-Below": "1", "X-Overridden": "above",
		} {
			if got := r.Header[name]; !slices.Equal(got, []string{want}) {
				t.Errorf("%s of a hit = %q, want %q once", name, got, want)
			}
		}
		if got := r.Header["Vary"]; !slices.Equal(got, []string{"Origin", "Accept"}) {
			t.Errorf("Vary of a hit = %q, want that of above, then that of below", got)
		}
	})
}

func TestHeaders_ThatTheHandlerReplacedOrRemoved(t *testing.T) {
	inTime(t, func(t *testing.T) {
		above := func(c *gin.Context) {
			c.Header("X-Replaced", "above")
			c.Header("X-Removed", "above")
		}
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, func(c *gin.Context) {
			c.Header("X-Replaced", "below")
			c.Writer.Header().Del("X-Removed")
			c.String(http.StatusOK, "x")
		})
		for _, r := range []response{s.get("/a"), s.get("/a")} {
			if r.Header.Get("X-Replaced") != "below" || r.Header.Get("X-Removed") != "" {
				t.Errorf("%s: header = %v, want what the handler made of it", r.cacheStatus(), r.Header)
			}
		}
		s.wantRuns(1)
	})
}

func TestHeaders_OfAnotherMiddlewareVersionAbove(t *testing.T) {
	inTime(t, func(t *testing.T) {
		value := "one"
		above := func(c *gin.Context) { c.Header("X-Policy", value) }
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, text("x"))
		s.get("/a")
		value = "two"
		if got := s.get("/a").Header.Get("X-Policy"); got != "two" {
			t.Errorf("X-Policy of a hit = %q, want what middleware says now", got)
		}
	})
}

func TestHeaders_OfTheConnectionAreNotStored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x",
			"Connection: x-hop, close", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "Upgrade: h2c",
			"Te: trailers", "Proxy-Connection: close", "X-Kept: 1", `Cache-Control: max-age=60, private="x-secret"`, "X-Secret: 1"))
		s.get("/a")
		r := s.get("/a")
		for _, name := range []string{"Connection", "X-Hop", "Keep-Alive", "Proxy-Authenticate", "Upgrade", "Te", "Proxy-Connection", "X-Secret"} {
			if got := r.Header[name]; got != nil {
				t.Errorf("%s of a hit = %q, want none", name, got)
			}
		}
		if r.Header.Get("X-Kept") != "1" || !r.hit() {
			t.Errorf("hit = %s %v, want the rest", r.cacheStatus(), r.Header)
		}
	})
}

// TestHeaders_NamesInAnyCase: who writes to the map of a header itself need not
// spell names as net/http does.
func TestHeaders_NamesInAnyCase(t *testing.T) {
	inTime(t, func(t *testing.T) {
		for name, value := range map[string]string{
			"set-cookie": "id=1", "cache-control": "no-store", "vary": "*", "trailer": "X", "content-length": "9",
		} {
			s := newSite(t, minute(), func(c *gin.Context) {
				c.Writer.Header()[name] = []string{value}
				c.String(http.StatusOK, "x")
			})
			s.get("/a")
			if r := s.get("/a"); r.hit() {
				t.Errorf("a response with %s: %s is stored", name, value)
			}
		}
		s := newSite(t, minute(), func(c *gin.Context) {
			h := c.Writer.Header()
			h["ETag"] = []string{`"v1"`}
			h["keep-alive"] = []string{"timeout=5"}
			h["X-Two"], h["x-two"] = []string{"1"}, []string{"2"}
			c.String(http.StatusOK, "x")
		})
		for range 2 {
			r := s.get("/a")
			if r.Header.Get("ETag") != `"v1"` || len(r.Header["X-Two"]) != 2 {
				t.Errorf("%s: header = %v, want the handler's ETag, and X-Two in two lines", r.cacheStatus(), r.Header)
			}
			for name := range r.Header {
				if name != http.CanonicalHeaderKey(name) || r.hit() && name == "Keep-Alive" {
					t.Errorf("%s: header = %v, want no %s", r.cacheStatus(), r.Header, name)
				}
			}
		}
		s.wantRuns(1)
	})
}

func TestHeaders_ContentTypeIsKeptForHEAD(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) { _, _ = c.Writer.WriteString("<!doctype html><p>x") })
	s.listen()
	s.get("/a")
	for _, r := range []response{s.do(http.MethodHead, "/a"), s.get("/a"), s.get("/a", "Range: bytes=0-2")} {
		if got := r.Header.Get("Content-Type"); got != "text/html; charset=utf-8" || !r.hit() {
			t.Errorf("Content-Type of %s, %d = %q (%s), want what net/http found for the GET", r.Request.Method, r.StatusCode, got, r.cacheStatus())
		}
	}
}

// TestHeaders_NoTypeIsGuessedOfWhatIsFlushedFirst, as net/http does.
func TestHeaders_NoTypeIsGuessedOfWhatIsFlushedFirst(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Writer.Flush()
		_, _ = c.Writer.WriteString("<!doctype html><p>x")
	})
	s.listen()
	for range 2 {
		if r := s.get("/a"); len(r.Header["Content-Type"]) > 0 {
			t.Errorf("%s: Content-Type = %q, want none", r.cacheStatus(), r.Header["Content-Type"])
		}
	}
	s.wantRuns(1)
}

// TestHeaders_AGuessedTypeIsGuessedAgain: a layer above that compresses keeps net/http
// from guessing, for one visitor and not for another.
func TestHeaders_AGuessedTypeIsGuessedAgain(t *testing.T) {
	compressing := func(c *gin.Context) {
		if c.GetHeader("Accept-Encoding") != "" {
			c.Header("Content-Encoding", "none")
		}
	}
	s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), compressing, func(c *gin.Context) { _, _ = c.Writer.WriteString("<!doctype html><p>x") })
	s.listen()
	s.get("/a")
	for line, want := range map[string]string{"Accept-Encoding: none": "", "X: 1": "text/html; charset=utf-8"} {
		if r := s.get("/a", line); r.Header.Get("Content-Type") != want || !r.hit() {
			t.Errorf("%s: Content-Type = %q (%s), want %q in a hit", line, r.Header.Get("Content-Type"), r.cacheStatus(), want)
		}
	}
}

// compress is a handler that compresses as middleware after the cache does.
func compress(c *gin.Context) {
	c.Writer.Header().Add("Vary", "Accept-Encoding")
	for _, coding := range []string{"br", "gzip"} {
		if strings.Contains(c.GetHeader("Accept-Encoding"), coding) {
			c.Header("Content-Encoding", coding)
			c.String(http.StatusOK, coding)
			return
		}
	}
	c.String(http.StatusOK, "plain")
}

func TestCompression_VariantsByWhatTheClientTakes(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), compress)
		for _, test := range []struct{ accept, body string }{
			{"gzip", "gzip"},
			{"x-gzip;q=0.5", "gzip"},
			{"GZIP , identity", "gzip"},
			{"gzip, br", "br"},
			{"br,gzip;q=0.9", "br"},
			{"", "plain"},
			{"identity", "plain"},
		} {
			r := s.get("/a", "Accept-Encoding: "+test.accept)
			if r.body != test.body || r.Header.Get("Content-Encoding") != strings.TrimPrefix(test.body, "plain") {
				t.Errorf("Accept-Encoding: %s = %q in %q, want %q", test.accept, r.body, r.Header.Get("Content-Encoding"), test.body)
			}
		}
		s.wantRuns(3)
	})
}

// TestCompression_HandlersFindCodingsInTheOrderOfBrowsers: gorilla's CompressHandler takes
// the first coding that it knows.
func TestCompression_HandlersFindCodingsInTheOrderOfBrowsers(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("Vary", "Accept-Encoding")
		c.String(http.StatusOK, c.GetHeader("Accept-Encoding"))
	})
	const browser = "gzip, deflate, br, zstd"
	for _, accept := range []string{browser, "gzip,deflate,br,zstd", "br, zstd;q=0.9, deflate, gzip;q=0.1"} {
		if r := s.get("/a", "Accept-Encoding: "+accept); r.body != browser {
			t.Errorf("of Accept-Encoding: %s the handler sees %q (%s), want %q", accept, r.body, r.cacheStatus(), browser)
		}
	}
	s.wantRuns(1)
}

func TestCompression_AboveTheCache(t *testing.T) {
	inTime(t, func(t *testing.T) {
		// As gin-contrib/gzip does it: the field first, then a writer that compresses.
		above := func(c *gin.Context) {
			c.Header("Content-Encoding", "test")
			c.Header("Vary", "Accept-Encoding")
			c.Writer = &upper{c.Writer}
		}
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, text("abc"))
		for i, r := range []response{s.get("/a"), s.get("/a", "Accept-Encoding: br")} {
			if r.body != "ABC" || r.Header.Get("Content-Encoding") != "test" || r.Header.Get("Content-Length") != "" {
				t.Errorf("response %d = %q %v, want it coded above, without a length of what is not sent", i, r.body, r.Header)
			}
			if i == 1 && (!r.hit() || !strings.HasPrefix(r.Header.Get("ETag"), `W/"`)) {
				t.Errorf("response = %s with ETag %q, want a hit whose tag is weak", r.cacheStatus(), r.Header.Get("ETag"))
			}
		}
	})
}

// upper is a writer that stands for a coding.
type upper struct{ gin.ResponseWriter }

func (w *upper) Write(p []byte) (int, error) {
	return w.ResponseWriter.Write([]byte(strings.ToUpper(string(p))))
}

func (w *upper) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// TestHeaders_ATypeGuessedOfTheBeginningStays: net/http saw no more when it was flushed.
func TestHeaders_ATypeGuessedOfTheBeginningStays(t *testing.T) {
	for _, parts := range [][]string{
		{"\n", "<!doctype html><p>x"}, {"", "<!doctype html><p>x"}, {"<!doctype html>", "x"}, {"%", "PDF-"}, {strings.Repeat(" ", 600), "<p>x"},
	} {
		framework := newSite(t, minute(), func(c *gin.Context) {
			for _, part := range parts {
				_, _ = c.Writer.WriteString(part)
				c.Writer.Flush()
			}
		}).listen()
		plain := newHTTPSite(t, minute(), func(w http.ResponseWriter, _ *http.Request) {
			for _, part := range parts {
				_, _ = io.WriteString(w, part)
				w.(http.Flusher).Flush()
			}
		})
		server := httptest.NewServer(plain)
		for _, get := range []func() response{
			func() response { return framework.get("/a") },
			func() response { return framework.send(newRequest(t, server.URL)) },
		} {
			first, second := get(), get()
			if a, b := first.Header["Content-Type"], second.Header["Content-Type"]; !slices.Equal(a, b) || !second.hit() {
				t.Errorf("%.20q: Content-Type %q and in a hit %q (%s)", parts, a, b, second.cacheStatus())
			}
		}
		server.Close()
	}
}

func newRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return request
}
