package middleware_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/cookie"
	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
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

// privateWriter marks the response at its first byte.
type privateWriter struct{ gin.ResponseWriter }

func (w privateWriter) Write(p []byte) (int, error) {
	w.Header().Set("Cache-Control", "private")
	return w.ResponseWriter.Write(p)
}

func (w privateWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// TestPrivate_SaidAboveAtTheFirstByte: as a cookie that is set there.
func TestPrivate_SaidAboveAtTheFirstByte(t *testing.T) {
	above := func(c *gin.Context) {
		if c.GetHeader("User") != "" {
			c.Writer = privateWriter{c.Writer}
		}
	}
	s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, func(c *gin.Context) {
		c.String(http.StatusOK, "page of "+c.GetHeader("User"))
	})
	s.get("/a", "User: ada")
	if r := s.get("/a"); r.hit() || r.body != "page of " {
		t.Errorf("response = %q (%s), want a miss", r.body, r.cacheStatus())
	}
	if r := s.get("/a"); !r.hit() {
		t.Errorf("response = %s, want a hit", r.cacheStatus())
	}
}

// TestRefresh_WhatIsPrivateAboveAtTheFirstByteIsNotStored: the request in the background is
// that of a visitor, too, for whom layers above answer as ever.
func TestRefresh_WhatIsPrivateAboveAtTheFirstByteIsNotStored(t *testing.T) {
	layers := map[string]func(gin.ResponseWriter) gin.ResponseWriter{
		"private":  func(w gin.ResponseWriter) gin.ResponseWriter { return privateWriter{w} },
		"a cookie": func(w gin.ResponseWriter) gin.ResponseWriter { return &firstByte{ResponseWriter: w} },
	}
	for name, layer := range layers {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				above := func(c *gin.Context) {
					if c.GetHeader("User") != "" {
						c.Writer = layer(c.Writer)
					}
				}
				opts := &middleware.Options{TTL: 10 * time.Second, StaleWhileRevalidate: time.Minute}
				s := newSiteAbove(t, memcachedtest.Start(t, nil), opts, above, func(c *gin.Context) {
					c.String(http.StatusOK, "page of "+c.GetHeader("User"))
				})
				s.get("/a")
				time.Sleep(15 * time.Second)
				s.get("/a", "User: ada")
				synctest.Wait()
				if r := s.get("/a"); r.body != "page of " {
					t.Errorf("another visitor gets %q (%s)", r.body, r.cacheStatus())
				}
				synctest.Wait()
				s.wantRuns(2)
			})
		})
	}
}

// TestPrivate_WhereNoByteShowsIt: a layer above that waits for the first byte sees none of
// a response that the client has already.
func TestPrivate_WhereNoByteShowsIt(t *testing.T) {
	above := func(c *gin.Context) {
		if c.GetHeader("User") != "" {
			c.Writer = privateWriter{c.Writer}
		}
	}
	s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, func(c *gin.Context) {
		c.Header("Etag", `"1"`)
		c.String(http.StatusOK, "page of "+c.GetHeader("User"))
	})
	if r := s.get("/a", "User: ada", `If-None-Match: "1"`); r.StatusCode != http.StatusNotModified {
		t.Errorf("the client that has the page gets %d, want 304", r.StatusCode)
	}
	if r := s.get("/a"); r.body != "page of " {
		t.Errorf("another visitor gets %q (%s)", r.body, r.cacheStatus())
	}
	if r := s.get("/a", `If-None-Match: "1"`); r.StatusCode != http.StatusNotModified || !r.hit() {
		t.Errorf("then %d (%s), want a hit", r.StatusCode, r.cacheStatus())
	}
}
