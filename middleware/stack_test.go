package middleware_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/cookie"
	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// foreignSessions are sessions of other people, who know nothing of this cache.
func foreignSessions() gin.HandlerFunc {
	return sessions.Sessions("sid", cookie.NewStore([]byte("0123456789abcdef0123456789abcdef")))
}

// TestSession_AboveTheCacheGetsItsCookieOut: gin-contrib's sessions write the cookie
// through the writer from before the cache.
func TestSession_AboveTheCacheGetsItsCookieOut(t *testing.T) {
	exits := map[string]gin.HandlerFunc{
		"write":    func(c *gin.Context) { c.String(http.StatusOK, "yours") },
		"no body":  func(c *gin.Context) { c.Status(http.StatusNoContent) },
		"redirect": func(c *gin.Context) { c.Redirect(http.StatusFound, "/") },
		"flush":    func(c *gin.Context) { c.Writer.Flush() },
		"error":    func(c *gin.Context) { _ = c.Error(http.ErrNoCookie); c.String(http.StatusOK, "x") },
		"abort":    func(c *gin.Context) { c.AbortWithStatus(http.StatusForbidden) },
		"nothing":  func(*gin.Context) {},
		"panic":    func(*gin.Context) { panic("on purpose") },
	}
	for exit, answer := range exits {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead} {
			t.Run(exit+" "+method, func(t *testing.T) {
				s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), foreignSessions(), func(c *gin.Context) {
					session := sessions.Default(c)
					session.Set("user", c.Query("user"))
					if err := session.Save(); err != nil {
						t.Error(err)
					}
					answer(c)
				})
				s.listen()
				for range 2 {
					r := s.do(method, "/login?user=1")
					if len(r.Header["Set-Cookie"]) != 1 || r.hit() {
						t.Errorf("%d (%s): Set-Cookie = %q, want one", r.StatusCode, r.cacheStatus(), r.Header["Set-Cookie"])
					}
				}
				s.wantRuns(2)
			})
		}
	}
}

// TestSession_OfVisitorsAtOnceIsNotShared: whose page it is is known before anybody
// is given it.
func TestSession_OfVisitorsAtOnceIsNotShared(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), foreignSessions(), slow(func(c *gin.Context) {
			session := sessions.Default(c)
			session.Set("user", c.GetHeader("User"))
			_ = session.Save()
			c.String(http.StatusOK, "page of "+c.GetHeader("User"))
		}))
		var wg sync.WaitGroup
		defer wg.Wait()
		for _, user := range []string{"1", "2", "3", "4"} {
			wg.Go(func() {
				r := s.get("/a", "User: "+user)
				if r.body != "page of "+user || len(r.Header["Set-Cookie"]) != 1 {
					t.Errorf("user %s gets %q with Set-Cookie %q", user, r.body, r.Header["Set-Cookie"])
				}
			})
		}
	})
}

// TestSetCookie_OnceTheFirstByteIsOut: middleware above may set a visitor's cookie
// when it sees the first byte, or a handler when it is too late.
func TestSetCookie_OnceTheFirstByteIsOut(t *testing.T) {
	tests := map[string]struct{ above, handler gin.HandlerFunc }{
		"above, at the first byte": {
			func(c *gin.Context) { c.Writer = &firstByte{ResponseWriter: c.Writer} },
			func(c *gin.Context) { c.String(http.StatusOK, "page of "+c.GetHeader("User")) },
		},
		"below, after the first byte": {nil, func(c *gin.Context) {
			c.String(http.StatusOK, "page of "+c.GetHeader("User"))
			c.SetCookie("sid", "1", 60, "/", "", false, true)
		}},
		"above, before": {
			func(c *gin.Context) { c.SetCookie("token", "1", 60, "/", "", false, true) },
			func(c *gin.Context) { c.String(http.StatusOK, "page of "+c.GetHeader("User")) },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), test.above, slow(test.handler))
				var wg sync.WaitGroup
				for _, user := range []string{"1", "2", "3"} {
					wg.Go(func() {
						if r := s.get("/a", "User: "+user); r.body != "page of "+user {
							t.Errorf("user %s gets %q (%s)", user, r.body, r.cacheStatus())
						}
					})
				}
				wg.Wait()
				s.wantRuns(3)
			})
		})
	}
}

// firstByte sets a cookie when it sees the first byte, as scs does.
type firstByte struct {
	gin.ResponseWriter
	seen bool
}

func (w *firstByte) Write(p []byte) (int, error) {
	if !w.seen {
		w.seen = true
		w.Header().Add("Set-Cookie", "token=1")
	}
	return w.ResponseWriter.Write(p)
}

func (w *firstByte) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// TestHandler_ThatFailsHalfWayIsNotStored: it says so when it is too late.
func TestHandler_ThatFailsHalfWayIsNotStored(t *testing.T) {
	recovered := gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, _ any) { c.String(http.StatusInternalServerError, "sorry") })
	for name, fail := range map[string]gin.HandlerFunc{
		"http.Error": func(c *gin.Context) { http.Error(c.Writer, "sorry", http.StatusInternalServerError) },
		"String":     func(c *gin.Context) { c.String(http.StatusInternalServerError, "sorry") },
		"Status":     func(c *gin.Context) { c.Status(http.StatusInternalServerError) },
		"recovery":   func(*gin.Context) { panic("on purpose") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), nil, recovered, func(c *gin.Context) {
				c.String(http.StatusOK, "half a page")
				fail(c)
			})
			for range 2 {
				if r := s.get("/a"); r.StatusCode != http.StatusOK || !strings.HasPrefix(r.body, "half a page") {
					t.Errorf("= %d %q, want what it is without the cache", r.StatusCode, r.body)
				}
			}
			s.wantRuns(2)
		})
	}
}

// TestHeader_OfLayersBelowAPanicReachesTheClient: whoever recovers above adds to it.
func TestHeader_OfLayersBelowAPanicReachesTheClient(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("X-Request-Id", "1")
		panic("on purpose")
	})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if r := s.do(method, "/a"); r.StatusCode != http.StatusInternalServerError || r.Header.Get("X-Request-Id") != "1" {
			t.Errorf("%s after a panic = %d %v, want 500 with X-Request-Id", method, r.StatusCode, r.Header)
		}
	}
}

// TestRequest_IsTakenOnEntry: layers below may rewrite it in place.
func TestRequest_IsTakenOnEntry(t *testing.T) {
	rewrite := func(c *gin.Context) {
		c.Request.URL.Path = "/index.php"
		c.Request.Header.Set("Accept-Language", "de")
	}
	s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), nil, rewrite, text("x", "Vary: Accept-Language"))
	s.get("/a", "Accept-Language: fr")
	if r := s.get("/a", "Accept-Language: fr"); !r.hit() {
		t.Errorf("a page of a rewritten request = %s, want a hit", r.cacheStatus())
	}
	s.do(http.MethodPost, "/a")
	if r := s.get("/a", "Accept-Language: fr"); r.hit() {
		t.Errorf("after a POST whose URL was rewritten = %s, want the page invalidated", r.cacheStatus())
	}
}

// TestHeader_OfHitAndMissIsTheSame, on a real connection: net/http has rules of its
// own for these.
func TestHeader_OfHitAndMissIsTheSame(t *testing.T) {
	for name, handler := range map[string]gin.HandlerFunc{
		"no Content-Type": func(c *gin.Context) {
			c.Writer.Header()["Content-Type"] = nil
			_, _ = c.Writer.Write([]byte("<html>"))
		},
		"guessed Content-Type": func(c *gin.Context) { _, _ = c.Writer.Write([]byte("<html>")) },
		"204 with a body": func(c *gin.Context) {
			c.Status(http.StatusNoContent)
			_, _ = c.Writer.Write([]byte("<html>"))
		},
		"late trailer": func(c *gin.Context) {
			c.String(http.StatusOK, strings.Repeat("x", 5000))
			c.Writer.Header().Set(http.TrailerPrefix+"X-Sum", "1")
		},
		"late field": func(c *gin.Context) {
			c.String(http.StatusOK, "x")
			c.Header("X-Late", "1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, minute(), handler).listen()
			var got []response
			for range 3 {
				r := s.get("/a")
				for _, name := range []string{"Age", "Date", "Cache-Status", "Etag", "Content-Length"} {
					delete(r.Header, name)
				}
				got = append(got, r)
			}
			for _, r := range got[1:] {
				if !sameHeader(r.Header, got[0].Header) || !sameHeader(r.Trailer, got[0].Trailer) || r.body != got[0].body {
					t.Errorf("then %v %v %q, at first %v %v %q", r.Header, r.Trailer, r.body, got[0].Header, got[0].Trailer, got[0].body)
				}
			}
		})
	}
}

func sameHeader(a, b http.Header) bool {
	for name := range a {
		if !slices.Equal(a[name], b[name]) {
			return false
		}
	}
	return len(a) == len(b)
}

// holding holds a response back until the chain has ended, as ETag middleware does.
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

func hold(c *gin.Context) {
	w := &holding{ResponseWriter: c.Writer, status: http.StatusOK}
	c.Writer = w
	c.Next()
	w.Header().Set("X-Length", http.StatusText(w.status))
	w.ResponseWriter.WriteHeader(w.status)
	_, _ = w.ResponseWriter.Write(w.body.Bytes())
}

// TestAbove_LayerThatHoldsTheResponseBack can still change it after the first byte.
func TestAbove_LayerThatHoldsTheResponseBack(t *testing.T) {
	for name, test := range map[string]struct {
		handler gin.HandlerFunc
		status  int
		runs    int64
	}{
		"page": {text("x"), http.StatusOK, 1},
		"404":  {func(c *gin.Context) { c.String(http.StatusNotFound, "x") }, http.StatusNotFound, 1},
		"fails late": {func(c *gin.Context) {
			_, _ = c.Writer.WriteString("x")
			c.Status(http.StatusInternalServerError)
		}, http.StatusInternalServerError, 2},
		"late field": {func(c *gin.Context) {
			_, _ = c.Writer.WriteString("x")
			c.Header("X-Late", "1")
		}, http.StatusOK, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), hold, test.handler)
			for range 2 {
				r := s.get("/a")
				if r.StatusCode != test.status || r.body != "x" || r.Header.Get("X-Length") != http.StatusText(test.status) {
					t.Errorf("= %d %q %v, want %d", r.StatusCode, r.body, r.Header, test.status)
				}
				if name == "late field" && r.Header.Get("X-Late") != "1" {
					t.Errorf("header = %v, want X-Late: it has not gone out yet", r.Header)
				}
			}
			s.wantRuns(test.runs)
		})
	}
}

// TestCredentials_AreNotOnlyAuthorization.
func TestCredentials_AreNotOnlyAuthorization(t *testing.T) {
	for _, field := range []string{"Authorization", "Proxy-Authorization", "X-Api-Key"} {
		s := newSite(t, minute(), text("x"))
		s.get("/a", field+": secret")
		if r := s.get("/a"); r.hit() {
			t.Errorf("a page made for a request with %s is given to a stranger", field)
		}
		if r := s.get("/a", field+": secret"); r.hit() {
			t.Errorf("a request with %s gets a page that is not marked public", field)
		}
	}
}

// TestPersonal_RequestsBypassTheCache, by what the options name.
func TestPersonal_RequestsBypassTheCache(t *testing.T) {
	opts := minute()
	opts.PersonalCookies, opts.PersonalFields = []string{"sid"}, []string{"x-user"}
	s := newSite(t, opts, text("x"))
	for _, line := range []string{"Cookie: sid=1", "Cookie: theme=dark;sid=1", "Cookie: theme=dark; sid =1", "X-User: 1"} {
		for range 2 {
			if r := s.get("/a", line); r.cacheStatus() != "bmemcached; fwd=bypass" {
				t.Errorf("%s: %s, want a bypass", line, r.cacheStatus())
			}
		}
	}
	s.get("/a", "Cookie: theme=dark; side=1")
	if r := s.get("/a", "Cookie: theme=light"); !r.hit() {
		t.Errorf("with other cookies = %s, want a hit", r.cacheStatus())
	}
}

// TestNeutralCookies_GoToTheirVisitorOnly.
func TestNeutralCookies_GoToTheirVisitorOnly(t *testing.T) {
	opts := minute()
	opts.NeutralCookies = []string{"visit"}
	s := newSite(t, opts, func(c *gin.Context) {
		c.SetCookie("visit", "1", 60, "/", "", false, true)
		if c.Query("login") != "" {
			c.SetCookie("sid", "1", 60, "/", "", false, true)
		}
		c.String(http.StatusOK, "x")
	})
	if r := s.get("/a"); len(r.Header["Set-Cookie"]) != 1 {
		t.Errorf("Set-Cookie = %q, want the visitor's", r.Header["Set-Cookie"])
	}
	if r := s.get("/a"); !r.hit() || len(r.Header["Set-Cookie"]) != 0 {
		t.Errorf("then %s with Set-Cookie %q, want a hit without", r.cacheStatus(), r.Header["Set-Cookie"])
	}
	for range 2 {
		if r := s.get("/a?login=1"); r.hit() || len(r.Header["Set-Cookie"]) != 2 {
			t.Errorf("with another cookie = %s, Set-Cookie %q, want both and no hit", r.cacheStatus(), r.Header["Set-Cookie"])
		}
	}
}

// TestRefresh_OfARequestWithACookieAboveEndsAtOnce: nothing could be stored.
func TestRefresh_OfARequestWithACookieAboveEndsAtOnce(t *testing.T) {
	inTime(t, func(t *testing.T) {
		requests := 0
		above := func(c *gin.Context) {
			if requests++; requests == 3 { // that of the cache
				c.SetCookie("token", "1", 60, "/", "", false, true)
			}
		}
		s := newSiteAbove(t, memcachedtest.Start(t, nil), nil, above, text("x", "Cache-Control: max-age=10, stale-while-revalidate=60"))
		s.get("/a")
		time.Sleep(15 * time.Second)
		s.get("/a")
		synctest.Wait()
		s.wantRuns(1)
		if requests != 3 {
			t.Errorf("%d requests went through the engine, want 3", requests)
		}
	})
}
