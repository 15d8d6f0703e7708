package middleware_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/gin-gonic/gin"
)

func TestGet_SecondRequestIsServedFromMemcached(t *testing.T) {
	s := newSite(t, minute(), text("hello", "X-Page: 1"))
	first := s.get("/a")
	second := s.get("/a")
	s.wantRuns(1)
	if first.hit() || !second.hit() {
		t.Errorf("Cache-Status = %q then %q, want a miss then a hit", first.cacheStatus(), second.cacheStatus())
	}
	if second.body != "hello" || second.Header.Get("X-Page") != "1" || second.StatusCode != http.StatusOK {
		t.Errorf("hit = %d %q %v, want what the handler sent", second.StatusCode, second.body, second.Header)
	}
}

func TestGet_ResponsesThatMustNotBeStored(t *testing.T) {
	tests := map[string]gin.HandlerFunc{
		"Set-Cookie": text("x", "Set-Cookie: id=1"),
		"private":    text("x", "Cache-Control: private, max-age=60"),
		"no-store":   text("x", "Cache-Control: no-store, max-age=60"),
		"no-cache":   text("x", "Cache-Control: no-cache"),
		"semicolon":  text("x", "Cache-Control: private; max-age=60"),
		"Vary: *":    text("x", "Vary: *"),
		"trailer":    text("x", "Trailer: X-Sum"),
		"stream":     text("x", "Content-Type: text/event-stream"),
		"status 500": func(c *gin.Context) { c.String(http.StatusInternalServerError, "x") },
		"status 206": func(c *gin.Context) {
			c.Header("Cache-Control", "max-age=60")
			c.String(http.StatusPartialContent, "x")
		},
		"aborted":     func(c *gin.Context) { c.String(http.StatusOK, "x"); c.Abort() },
		"error":       func(c *gin.Context) { c.String(http.StatusOK, "x"); _ = c.Error(http.ErrNoCookie) },
		"panic":       func(c *gin.Context) { c.String(http.StatusOK, "x"); panic("on purpose") },
		"abort":       func(c *gin.Context) { c.String(http.StatusOK, "x"); panic(http.ErrAbortHandler) },
		"nothing":     func(*gin.Context) {},
		"only header": func(c *gin.Context) { c.Header("Cache-Control", "max-age=60") },
		"short body":  func(c *gin.Context) { c.Header("Content-Length", "5"); c.String(http.StatusOK, "x") },
		"long body":   func(c *gin.Context) { c.Header("Content-Length", "1"); c.String(http.StatusOK, "xyz") },
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				s := newSite(t, minute(), handler)
				for range 2 {
					func() {
						defer func() { _ = recover() }() // http.ErrAbortHandler passes gin's recovery
						s.get("/a")
					}()
				}
				s.wantRuns(2)
			})
		})
	}
}

func TestGet_AuthorizedRequestNeitherFillsNorHits(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	s.get("/a", "Authorization: Bearer 1")
	s.get("/a")
	s.get("/a", "Authorization: Bearer 1")
	s.wantRuns(3)
}

func TestGet_KeyHasHostPathAndQuery(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.String(http.StatusOK, "%s %s", c.Request.Host, c.Request.URL.RequestURI())
	})
	requests := [][]string{{"/a"}, {"/b"}, {"/a?x=1"}, {"/a?x=2"}, {"/a", "Host: b.example"}, {"/a", "X-Forwarded-Proto: https"}}
	for range 2 {
		var bodies []string
		for _, r := range requests {
			bodies = append(bodies, s.get(r[0], r[1:]...).body)
		}
		want := []string{"site.example /a", "site.example /b", "site.example /a?x=1", "site.example /a?x=2", "b.example /a", "site.example /a"}
		if !slices.Equal(bodies, want) {
			t.Errorf("bodies = %q, want %q", bodies, want)
		}
	}
	s.wantRuns(int64(len(requests)))
}

func TestGet_FieldsWithSeveralValuesKeepThemInOrder(t *testing.T) {
	s := newSite(t, minute(), text("x", "Link: <b>", "Link: <a>", "Link: <b>"))
	s.get("/a")
	hit := s.get("/a")
	if got, want := hit.Header["Link"], []string{"<b>", "<a>", "<b>"}; !slices.Equal(got, want) {
		t.Errorf("Link of a hit = %q, want %q", got, want)
	}
}

func TestGet_MemcachedDownMeansTheHandlerRuns(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	s.memory.Stop()
	for range 3 {
		if r := s.get("/a"); r.body != "x" || r.StatusCode != http.StatusOK {
			t.Errorf("response = %d %q, want 200 %q", r.StatusCode, r.body, "x")
		}
	}
	s.wantRuns(3)
}

func TestHost_InAnyCaseIsOne(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, c.Request.Host) })
	s.get("/a", "Host: Site.EXAMPLE")
	if r := s.get("/a", "Host: site.example"); !r.hit() {
		t.Errorf("the same host in lower case = %s, want a hit", r.cacheStatus())
	}
	// What merely looks the same, or cannot be read, is another host.
	for _, pair := range [][2]string{{"k.example", "\u212a.example"}, {"\xff.example", "\xfe.example"}} {
		s.get("/a", "Host: "+pair[1])
		if r := s.get("/a", "Host: "+pair[0]); r.body != pair[0] {
			t.Errorf("%q gets the page of %q", pair[0], r.body)
		}
	}
}

// TestUpgrade_IsNotAnsweredFromTheCache: the page may have a socket at its URL.
func TestUpgrade_IsNotAnsweredFromTheCache(t *testing.T) {
	s := newSite(t, minute(), text("x"))
	s.get("/a")
	if r := s.get("/a", "Connection: Upgrade", "Upgrade: websocket"); r.hit() {
		t.Errorf("Cache-Status = %s, want it past the cache", r.cacheStatus())
	}
	s.wantRuns(2)
}
