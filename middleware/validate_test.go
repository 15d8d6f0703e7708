package middleware_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// versioned is a handler that knows validators: it answers 304 when they match.
type versioned struct {
	etag, modified string
	control        string
	body           string
	notModified    []string // header lines of a 304

	mu   sync.Mutex // guards seen
	seen []http.Header
}

func (v *versioned) serve(c *gin.Context) {
	v.mu.Lock()
	v.seen = append(v.seen, c.Request.Header.Clone())
	v.mu.Unlock()
	h := c.Writer.Header()
	if v.control != "" {
		h.Set("Cache-Control", v.control)
	}
	if v.etag != "" {
		h.Set("ETag", v.etag)
	}
	if v.modified != "" {
		h.Set("Last-Modified", v.modified)
	}
	r := c.Request.Header
	if v.etag != "" && r.Get("If-None-Match") == v.etag || v.modified != "" && r.Get("If-Modified-Since") == v.modified {
		setLines(c, v.notModified...)
		c.Status(http.StatusNotModified)
		return
	}
	c.String(http.StatusOK, v.body)
}

func TestValidation_ConditionsAreAnsweredFromTheCache(t *testing.T) {
	inTime(t, func(t *testing.T) {
		modified := time.Now().Add(-time.Hour).UTC()
		v := &versioned{etag: `"v1"`, modified: modified.Format(http.TimeFormat), control: "max-age=60", body: "hello"}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		later, earlier := modified.Add(time.Minute).Format(http.TimeFormat), modified.Add(-time.Minute).Format(http.TimeFormat)
		for _, test := range []struct {
			lines  []string
			status int
		}{
			{[]string{`If-None-Match: "v1"`}, 304},
			{[]string{`If-None-Match: W/"v1"`}, 304},
			{[]string{`If-None-Match: "v0", "v1"`}, 304},
			{[]string{`If-None-Match: "v0"`}, 200},
			{[]string{"If-Modified-Since: " + v.modified}, 304},
			{[]string{"If-Modified-Since: " + later}, 304},
			{[]string{"If-Modified-Since: " + earlier}, 200},
			{[]string{`If-None-Match: "v0"`, "If-Modified-Since: " + later}, 200},
			{[]string{`If-None-Match: "v1"`, "If-Modified-Since: " + earlier}, 304},
		} {
			r := s.get("/a", test.lines...)
			if r.StatusCode != test.status || !r.hit() {
				t.Errorf("%q = %d (%s), want %d from the cache", test.lines, r.StatusCode, r.cacheStatus(), test.status)
			}
			if r.StatusCode == 304 && (r.body != "" || r.Header.Get("ETag") != `"v1"` || r.Header.Get("Content-Type") != "" || r.Header.Get("Cache-Control") == "") {
				t.Errorf("%q: 304 = %v %q, want ETag and Cache-Control, no body and nothing about it", test.lines, r.Header, r.body)
			}
		}
		s.wantRuns(1)
	})
}

func TestValidation_StaleIsConfirmedByTheHandler(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello", notModified: []string{"X-New: 1"}}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		time.Sleep(11 * time.Second)
		r := s.get("/a")
		if r.StatusCode != 200 || r.body != "hello" || r.Header.Get("X-New") != "1" || r.Header.Get("Age") != "0" {
			t.Errorf("revalidated = %d %q %v, want the stored body with the new header", r.StatusCode, r.body, r.Header)
		}
		if got := r.cacheStatus(); got != "bmemcached; fwd=stale; fwd-status=304; stored" {
			t.Errorf("Cache-Status = %q", got)
		}
		if got := v.seen[1].Get("If-None-Match"); got != `"v1"` {
			t.Errorf("the handler was asked with If-None-Match %q, want the stored tag", got)
		}
		time.Sleep(9 * time.Second)
		if r := s.get("/a"); !r.hit() || r.Header.Get("X-New") != "1" || r.body != "hello" {
			t.Errorf("after the 304 = %s %v, want the freshened response", r.cacheStatus(), r.Header)
		}
		s.wantRuns(2)
	})
}

func TestValidation_ByLastModified(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{modified: time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), control: "max-age=10", body: "hello"}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		time.Sleep(11 * time.Second)
		if r := s.get("/a"); r.body != "hello" || !strings.Contains(r.cacheStatus(), "fwd-status=304") {
			t.Errorf("response = %q (%s), want the stored one, confirmed", r.body, r.cacheStatus())
		}
		if got := v.seen[1]["If-None-Match"]; got != nil {
			t.Errorf("the handler was asked about the tag %q, which is not its own", got)
		}
	})
}

func TestValidation_StaleIsReplacedWhenItChanged(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "old"}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		time.Sleep(11 * time.Second)
		v.etag, v.body = `"v2"`, "new"
		if r := s.get("/a"); r.body != "new" || r.cacheStatus() != "bmemcached; fwd=stale; stored" {
			t.Errorf("response = %q (%s), want the new one", r.body, r.cacheStatus())
		}
		if r := s.get("/a"); r.body != "new" || !r.hit() {
			t.Errorf("then = %q (%s), want a hit of the new one", r.body, r.cacheStatus())
		}
	})
}

func TestValidation_ClientsConditionAfterRevalidation(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "old"}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		time.Sleep(11 * time.Second)
		// The client has what the cache has: both are confirmed.
		if r := s.get("/a", `If-None-Match: "v1"`); r.StatusCode != 304 || r.body != "" {
			t.Errorf("response = %d %q, want 304", r.StatusCode, r.body)
		}
		time.Sleep(11 * time.Second)
		// The client is ahead of the cache.
		v.etag, v.body = `"v2"`, "new"
		if r := s.get("/a", `If-None-Match: "v2"`); r.StatusCode != 304 || r.body != "" {
			t.Errorf("response = %d %q, want 304: the client has the new one", r.StatusCode, r.body)
		}
		if r := s.get("/a"); r.body != "new" || !r.hit() {
			t.Errorf("then = %q (%s), want a hit of the new one", r.body, r.cacheStatus())
		}
		// The client is behind.
		time.Sleep(11 * time.Second)
		if r := s.get("/a", `If-None-Match: "v1"`); r.StatusCode != 200 || r.body != "new" {
			t.Errorf("response = %d %q, want 200 and the new body", r.StatusCode, r.body)
		}
	})
}

func TestValidation_ConditionOfAClientDoesNotDecideWhatIsStored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello"}
		s := newSite(t, nil, v.serve)
		if r := s.get("/a", `If-None-Match: "v1"`); r.StatusCode != 304 {
			t.Errorf("first = %d, want 304", r.StatusCode)
		}
		if r := s.get("/a"); r.StatusCode != 200 || r.body != "hello" || !r.hit() {
			t.Errorf("second = %d %q (%s), want a hit with the body", r.StatusCode, r.body, r.cacheStatus())
		}
	})
}

func TestValidation_NoCacheIsAskedEveryTime(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "no-cache", body: "hello"}
		s := newSite(t, nil, v.serve)
		for range 3 {
			if r := s.get("/a"); r.body != "hello" || r.StatusCode != 200 {
				t.Errorf("response = %d %q, want 200 and the body", r.StatusCode, r.body)
			}
		}
		s.wantRuns(3)
		if v.seen[1].Get("If-None-Match") != `"v1"` || v.seen[2].Get("If-None-Match") != `"v1"` {
			t.Error("the handler was called without the validator")
		}
	})
}

func TestValidation_StrongTagIsAddedWhenThereIsNone(t *testing.T) {
	inTime(t, func(t *testing.T) {
		body := "hello"
		s := newSite(t, minute(), func(c *gin.Context) {
			if lines := c.Request.Header["If-None-Match"]; lines != nil {
				t.Errorf("the handler was asked about a tag that it did not make: %q", lines)
			}
			c.String(http.StatusOK, body)
		})
		s.get("/a")
		tag := s.get("/a").Header.Get("ETag")
		if len(tag) < 10 || tag[0] != '"' {
			t.Fatalf("ETag of a hit = %q, want a strong one", tag)
		}
		if r := s.get("/a", "If-None-Match: "+tag); r.StatusCode != 304 {
			t.Errorf("conditional = %d, want 304", r.StatusCode)
		}
		time.Sleep(2 * time.Minute)
		s.get("/a")
		if got := s.get("/a").Header.Get("ETag"); got != tag {
			t.Errorf("ETag of the same body = %q, want %q as before", got, tag)
		}
		body = "other"
		time.Sleep(2 * time.Minute)
		s.get("/a")
		if got := s.get("/a").Header.Get("ETag"); got == tag {
			t.Error("another body has the same ETag")
		}
	})
}

// A layer above that decides at the first byte to compress, as chi's does, makes of one
// stored response several, which must not have one strong tag.
func TestValidation_TagBelowALayerThatMayCompressIsWeak(t *testing.T) {
	s := newHTTPSite(t, minute(), func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") })
	cached := s.handler
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cached.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})
	s.get("/a")
	tag := s.get("/a").Header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) {
		t.Errorf("ETag of a hit = %q, want a weak one", tag)
	}
	if r := s.get("/a", "If-None-Match: "+tag); r.StatusCode != http.StatusNotModified {
		t.Errorf("conditional = %d, want 304", r.StatusCode)
	}
}

func TestValidation_304OfAnotherTagUpdatesNothing(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello"}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		time.Sleep(11 * time.Second)
		v.notModified = []string{"X-New: 1"}
		s.router.NoRoute(s.cache.Handler(), func(c *gin.Context) {
			setLines(c, `ETag: "v9"`, "X-New: 1", "Cache-Control: max-age=10")
			c.Status(http.StatusNotModified)
		})
		if r := s.get("/a"); r.body != "hello" || r.Header.Get("ETag") != `"v1"` || r.Header.Get("X-New") != "" {
			t.Errorf("response = %q %v, want what is stored", r.body, r.Header)
		}
	})
}

func TestValidation_304ThatForbidsStoringRemovesIt(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello"}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		time.Sleep(11 * time.Second)
		v.control = "no-store"
		if r := s.get("/a"); r.body != "hello" {
			t.Errorf("response = %q, want what is stored: the handler confirmed it", r.body)
		}
		if r := s.get("/a", "Cache-Control: only-if-cached, max-stale"); r.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("then = %d, want 504: nothing may be stored any more", r.StatusCode)
		}
	})
}

func TestValidation_BodyDescriptionSurvivesA304(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello", notModified: []string{"Content-Length: 99", "Content-Encoding: br", "Connection: x-hop", "X-Hop: 1"}}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		time.Sleep(11 * time.Second)
		s.get("/a")
		r := s.get("/a")
		if r.Header.Get("Content-Length") != "5" || r.Header.Get("Content-Encoding") != "" || r.Header.Get("X-Hop") != "" {
			t.Errorf("header after the 304 = %v, want nothing of what describes the body or the connection", r.Header)
		}
	})
}

func TestValidation_CookieOfMiddlewareAboveStaysLive(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello"}
		above := func(c *gin.Context) { c.SetCookie("visit", "1", 60, "/", "", false, true) }
		opts := &middleware.Options{NeutralCookies: []string{"visit"}}
		s := newSiteAbove(t, memcachedtest.Start(t, nil), opts, above, v.serve)
		s.get("/a")
		time.Sleep(11 * time.Second)
		s.get("/a")
		if r := s.get("/a"); !r.hit() || len(r.Header["Set-Cookie"]) != 1 {
			t.Errorf("after a 304 = %s with Set-Cookie %q, want a hit with the cookie of this request", r.cacheStatus(), r.Header["Set-Cookie"])
		}
	})
}

func TestValidation_CookieOfA304IsForOneClient(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello", notModified: []string{"Set-Cookie: id=1"}}
		s := newSite(t, nil, slow(v.serve))
		s.get("/a")
		time.Sleep(11 * time.Second)
		cookies := 0
		for _, r := range together(5, "/a", s) {
			cookies += len(r.Header["Set-Cookie"])
			if r.body != "hello" {
				t.Errorf("body = %q", r.body)
			}
		}
		if runs := int(s.runs.Load()) - 1; cookies > runs {
			t.Errorf("%d clients got a cookie of %d runs", cookies, runs)
		}
	})
}
