package middleware_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
)

const touchedKey = "github.com/bmemcached/bmemcached-go/session.touched"

// TestSession_OfAConfirmationIsPrivate: the handler that says that nothing has
// changed looked at a session to know.
func TestSession_OfAConfirmationIsPrivate(t *testing.T) {
	for name, touch := range map[string]gin.HandlerFunc{
		"gin's context": func(c *gin.Context) { c.Set(touchedKey, true) },
		"the request's": func(c *gin.Context) {
			//lint:ignore SA1029 the key that package session uses
			c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), touchedKey, true)) //nolint
		},
	} {
		inTime(t, func(t *testing.T) {
			v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello"}
			s := newSite(t, nil, slow(func(c *gin.Context) {
				if c.GetHeader("If-None-Match") != "" {
					touch(c)
				}
				v.serve(c)
			}))
			s.get("/a")
			time.Sleep(15 * time.Second)
			together(5, "/a", s)
			s.wantRuns(6)
			if r := s.get("/a"); r.hit() {
				t.Errorf("%s: then %s, want it asked again", name, r.cacheStatus())
			}
		})
	}
}

func TestSession_FollowersAreReleasedByTheHeader(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Set(touchedKey, true)
			c.String(http.StatusOK, "x")
			time.Sleep(time.Hour)
		})
		done := make(chan struct{})
		go func() { s.get("/a"); close(done) }()
		synctest.Wait()
		began := time.Now()
		together(3, "/a", s)
		if took := time.Since(began); took > time.Hour+time.Minute {
			t.Errorf("followers took %v, want an hour: they need not wait for the end", took)
		}
		<-done
	})
}

// TestSteering_NoneOfTheFieldsReachesTheHandler lists them anew, so that none is
// lost.
func TestSteering_NoneOfTheFieldsReachesTheHandler(t *testing.T) {
	names := strings.Fields(`Forwarded X-Forwarded-Host X-Forwarded-Server X-Forwarded-Port X-Forwarded-Prefix
		X-Forwarded-Path X-Forwarded-Uri X-Forwarded-Scheme X-Forwarded-Protocol X-Forwarded-Ssl X-Scheme X-Url-Scheme
		Front-End-Https X-Host X-Original-Host X-Original-URL X-Original-Uri X-Rewrite-URL X-HTTP-Host-Override
		X-HTTP-Method X-HTTP-Method-Override X-Method-Override`)
	var seen http.Header
	s := newSite(t, minute(), func(c *gin.Context) {
		seen = c.Request.Header.Clone()
		c.String(http.StatusOK, "x")
	})
	var lines []string
	for _, name := range names {
		lines = append(lines, name+": evil.example")
	}
	s.get("/a", lines...)
	if len(seen) != 0 {
		t.Errorf("the handler sees %v", seen)
	}
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

// TestInterim_FieldsOfItAreNotThoseOfAStoredResponse: a handler that is asked
// about a stored response may hint first.
func TestInterim_FieldsOfItAreNotThoseOfAStoredResponse(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello"}
		s := newSite(t, nil, func(c *gin.Context) {
			if c.GetHeader("If-None-Match") != "" {
				c.Header("X-Hint", "1")
				c.Writer.WriteHeader(http.StatusEarlyHints)
				c.Writer.Header().Del("X-Hint")
			}
			v.serve(c)
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		w := &lastHeader{header: http.Header{}}
		s.router.ServeHTTP(w, s.request(t.Context(), http.MethodGet, "/a"))
		if w.header.Get("X-Hint") != "" || w.codes[0] != http.StatusEarlyHints || w.codes[len(w.codes)-1] != http.StatusOK {
			t.Errorf("statuses %v with X-Hint %q at last, want 103, then 200 without it", w.codes, w.header.Get("X-Hint"))
		}
	})
}

// lastHeader is a ResponseWriter that takes interim responses.
type lastHeader struct {
	header http.Header
	codes  []int
}

func (w *lastHeader) Header() http.Header { return w.header }

func (w *lastHeader) Write(p []byte) (int, error) { return len(p), nil }

func (w *lastHeader) WriteHeader(status int) { w.codes = append(w.codes, status) }

// TestSession_TouchedLateThroughAnotherRequest: middleware below the cache may
// have replaced the request that the session is marked in.
func TestSession_TouchedLateThroughAnotherRequest(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.String(http.StatusOK, "x")
		//lint:ignore SA1029 the key that package session uses
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), touchedKey, true)) //nolint
	})
	s.get("/a")
	s.get("/a")
	s.wantRuns(2)
}

// TestPoison_OrderOfLanguages: many handlers take the first language that they
// know, whatever its weight. What they make of that must not reach those who
// prefer another.
func TestPoison_OrderOfLanguages(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("Vary", "Accept-Language")
		first, _, _ := strings.Cut(c.GetHeader("Accept-Language"), ",")
		c.String(http.StatusOK, first)
	})
	for _, test := range [][2]string{
		{"en;q=0.9,de", "de"}, {"de,en;q=0.9", "de"}, {",de, en;q=0.90", "de"}, {"DE-de,en;q=0.9", "de-DE"}, {"de-DE,en;q=0.9", "de-DE"},
	} {
		if r := s.get("/a", "Accept-Language: "+test[0]); r.body != test[1] {
			t.Errorf("Accept-Language: %s is answered in %s (%s), want %s", test[0], r.body, r.cacheStatus(), test[1])
		}
	}
	s.wantRuns(2)
}
