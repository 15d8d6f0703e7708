package middleware_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

func TestGet_SecondRequestIsServedFromMemcached(t *testing.T) {
	s := newSite(t, &middleware.Options{TTL: time.Minute}, text("hello", "X-Page: 1"))
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
		"status 500": func(c *gin.Context) { c.String(http.StatusInternalServerError, "x") },
		"status 206": func(c *gin.Context) {
			c.Header("Cache-Control", "max-age=60")
			c.String(http.StatusPartialContent, "x")
		},
		"aborted":     func(c *gin.Context) { c.String(http.StatusOK, "x"); c.Abort() },
		"error":       func(c *gin.Context) { c.String(http.StatusOK, "x"); _ = c.Error(http.ErrNoCookie) },
		"panic":       func(c *gin.Context) { c.String(http.StatusOK, "x"); panic("on purpose") },
		"nothing":     func(*gin.Context) {},
		"only header": func(c *gin.Context) { c.Header("Cache-Control", "max-age=60") },
		"Vary: *":     text("x", "Vary: *"),
		"short body":  func(c *gin.Context) { c.Header("Content-Length", "5"); c.String(http.StatusOK, "x") },
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, &middleware.Options{TTL: time.Minute}, handler)
			for range 2 {
				request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/a", nil)
				answer, err := transport.RoundTrip(request)
				if err == nil {
					_ = answer.Body.Close()
				}
			}
			s.wantRuns(2)
		})
	}
}

func TestGet_AuthorizedRequestNeitherFillsNorHits(t *testing.T) {
	s := newSite(t, &middleware.Options{TTL: time.Minute}, text("x"))
	s.get("/a", "Authorization: Bearer 1")
	s.get("/a")
	s.get("/a", "Authorization: Bearer 1")
	s.wantRuns(3)
}

func TestGet_KeyHasHostPathAndQuery(t *testing.T) {
	s := newSite(t, &middleware.Options{TTL: time.Minute}, func(c *gin.Context) {
		c.String(http.StatusOK, "%s %s", c.Request.Host, c.Request.URL)
	})
	requests := [][]string{{"/a"}, {"/b"}, {"/a?x=1"}, {"/a?x=2"}, {"/a", "Host: b.example"}, {"/a", "X-Forwarded-Proto: https"}}
	for range 2 {
		var bodies []string
		for _, r := range requests {
			bodies = append(bodies, s.get(r[0], r[1:]...).body)
		}
		if bodies[4] != "b.example /a" || bodies[3] != bodies[1][:len(bodies[1])-2]+"/a?x=2" {
			t.Errorf("bodies = %q, each is to be the one of its request", bodies)
		}
	}
	s.wantRuns(int64(len(requests)))
}

func TestGet_FieldsWithSeveralValuesKeepThemInOrder(t *testing.T) {
	s := newSite(t, &middleware.Options{TTL: time.Minute}, text("x", "Link: <b>", "Link: <a>", "Link: <b>"))
	s.get("/a")
	hit := s.get("/a")
	if got, want := hit.Header["Link"], []string{"<b>", "<a>", "<b>"}; !slices.Equal(got, want) {
		t.Errorf("Link of a hit = %q, want %q", got, want)
	}
}

func TestGet_MemcachedDownMeansTheHandlerRuns(t *testing.T) {
	s := newSite(t, &middleware.Options{TTL: time.Minute}, text("x"))
	s.memory.Stop()
	for range 3 {
		if r := s.get("/a"); r.body != "x" || r.StatusCode != http.StatusOK {
			t.Errorf("response = %d %q, want 200 %q", r.StatusCode, r.body, "x")
		}
	}
	s.wantRuns(3)
}
