package middleware_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
)

func TestSetCookie_IsNeitherStoredNorShared(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), slow(counting("Set-Cookie: id=1")))
		bodies := map[string]bool{}
		for _, r := range together(5, "/a", s) {
			bodies[r.body] = true
		}
		if len(bodies) != 5 {
			t.Errorf("%d different responses for 5 requests, want 5", len(bodies))
		}
	})
}

func TestStoreSetCookie_SharesIt(t *testing.T) {
	inTime(t, func(t *testing.T) {
		opts := minute()
		opts.StoreSetCookie = true
		s := newSite(t, opts, text("x", "Set-Cookie: a=b"))
		s.get("/a")
		if r := s.get("/a"); !r.hit() || r.Header.Get("Set-Cookie") != "a=b" {
			t.Errorf("response = %s, Set-Cookie %q, want a hit with the cookie", r.cacheStatus(), r.Header.Get("Set-Cookie"))
		}
	})
}

func TestSetCookie_NeutralOneOfMiddlewareAboveStaysLive(t *testing.T) {
	inTime(t, func(t *testing.T) {
		n := 0
		above := func(c *gin.Context) {
			n++
			c.SetCookie("visit", strings.Repeat("x", n), 60, "/", "", false, true)
		}
		opts := minute()
		opts.NeutralCookies = []string{"visit"}
		s := newSiteAbove(t, memcachedtest.Start(t, nil), opts, above, text("x"))
		s.get("/a")
		r := s.get("/a")
		if lines := r.Header["Set-Cookie"]; !r.hit() || len(lines) != 1 || !strings.HasPrefix(lines[0], "visit=xx;") {
			t.Errorf("response = %s, Set-Cookie %q, want a hit with the cookie of this request alone", r.cacheStatus(), lines)
		}
	})
}

// TestSetCookie_InPlaceOfThatOfMiddlewareAbove: a handler that replaces a cookie
// sets one, too.
func TestSetCookie_InPlaceOfThatOfMiddlewareAbove(t *testing.T) {
	inTime(t, func(t *testing.T) {
		above := func(c *gin.Context) { c.Header("Set-Cookie", "visit=1") }
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, func(c *gin.Context) {
			c.Header("Set-Cookie", "session=secret")
			c.String(http.StatusOK, "x")
		})
		s.get("/a")
		if r := s.get("/a"); r.hit() {
			t.Errorf("response = %s with Set-Cookie %q, want none stored", r.cacheStatus(), r.Header["Set-Cookie"])
		}
	})
}

// TestSession_MakesAResponsePrivate is about package session: whoever touches a
// session has a response of his own, whether or not the handler says so.
func TestSession_MakesAResponsePrivate(t *testing.T) {
	memory := memcachedtest.Start(t, nil)
	for name, touch := range map[string]func(*gin.Context){
		"read":    func(c *gin.Context) { _ = sessions.Default(c).Get("user") },
		"write":   func(c *gin.Context) { sessions.Default(c).Set("user", "1"); _ = sessions.Default(c).Save() },
		"flashes": func(c *gin.Context) { _ = sessions.Default(c).Flashes() },
	} {
		for _, place := range []string{"above", "below", "loaded above", "above, late", "below, late"} {
			t.Run(name+" "+place, func(t *testing.T) {
				place, late := strings.CutSuffix(place, ", late")
				client := newSiteOn(t, memory, nil, nil).client
				store, err := session.New(client, nil, []byte("0123456789abcdef0123456789abcdef"))
				if err != nil {
					t.Fatal(err)
				}
				use := sessions.Sessions("sid", store)
				handlers := []gin.HandlerFunc{func(c *gin.Context) {
					if !late {
						touch(c)
					}
					// Even if the handler claims that anybody may have it.
					c.Header("Cache-Control", "public, max-age=60")
					c.String(http.StatusOK, "yours")
					if late {
						touch(c)
					}
				}}
				above := use
				switch place {
				case "below":
					above, handlers = nil, append([]gin.HandlerFunc{use}, handlers...)
				case "loaded above":
					above = func(c *gin.Context) { use(c) }
				}
				s := newSiteAbove(t, memory, minute(), above, handlers...)
				path := "/" + strings.ReplaceAll(t.Name(), " ", "-")
				s.get(path)
				s.get(path)
				s.wantRuns(2)
			})
		}
	}
}

func TestSession_TouchedBeforeTheCacheIsNotAnsweredFromIt(t *testing.T) {
	inTime(t, func(t *testing.T) {
		const key = "github.com/bmemcached/bmemcached-go/session.touched"
		memory := memcachedtest.Start(t, nil)
		anonymous := newSiteOn(t, memory, minute(), text("for all"))
		anonymous.get("/a")
		marks := map[string]gin.HandlerFunc{
			"gin's context": func(c *gin.Context) { c.Set(key, true) },
			"the request's": func(c *gin.Context) {
				//lint:ignore SA1029 the key that package session uses
				c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), key, true)) //nolint
			},
		}
		for name, mark := range marks {
			s := newSiteAbove(t, memory, minute(), mark, text("for one"))
			if r := s.get("/a"); r.body != "for one" {
				t.Errorf("marked in %s: response = %q, want the handler's own", name, r.body)
			}
		}
		if r := anonymous.get("/a"); r.body != "for all" || !r.hit() {
			t.Errorf("others = %q (%s), want the stored response", r.body, r.cacheStatus())
		}
	})
}

func TestSteering_FieldsOutsideTheKeyDoNotReachTheHandler(t *testing.T) {
	inTime(t, func(t *testing.T) {
		names := []string{"X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override"}
		s := newSite(t, minute(), func(c *gin.Context) {
			for _, name := range names {
				if v := c.GetHeader(name); v != "" {
					t.Errorf("the handler sees %s: %s", name, v)
				}
			}
			c.String(http.StatusOK, "host %s", c.Request.Host)
		})
		var lines []string
		for _, name := range names {
			lines = append(lines, name+": evil.example")
		}
		s.get("/a", lines...)
		if r := s.get("/a"); r.body != "host site.example" || !r.hit() {
			t.Errorf("then = %q (%s), want the harmless response", r.body, r.cacheStatus())
		}
	})
}

func TestSteering_FieldsThatTheResponseVariesOnReachIt(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Header("Vary", "X-Forwarded-Host")
			c.String(http.StatusOK, "host %s", c.GetHeader("X-Forwarded-Host"))
		})
		s.get("/a") // teaches the cache what the page varies on
		for range 2 {
			for _, host := range []string{"one.example", "two.example"} {
				if r := s.get("/a", "X-Forwarded-Host: "+host); r.body != "host "+host {
					t.Errorf("request for %s = %q", host, r.body)
				}
			}
		}
		s.wantRuns(3)
	})
}

func TestSteering_MiddlewareAboveSeesTheRequestAsItCame(t *testing.T) {
	inTime(t, func(t *testing.T) {
		above := func(c *gin.Context) {
			c.Next()
			if got := c.GetHeader("X-Forwarded-Host"); got != "a.example" {
				t.Errorf("after the handler X-Forwarded-Host = %q, want what came", got)
			}
		}
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, text("x"))
		s.get("/a", "X-Forwarded-Host: a.example")
	})
}

// TestSteering_RequestsThatBypassTheCacheKeepTheirFields.
func TestSteering_RequestsThatBypassTheCacheKeepTheirFields(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, c.GetHeader("X-Forwarded-Host")) })
	for _, test := range [][2]string{{http.MethodPost, "X: 1"}, {http.MethodGet, "Cache-Control: no-store"}, {http.MethodGet, "Upgrade: x"}} {
		if r := s.do(test[0], "/a", test[1], "X-Forwarded-Host: a.example"); r.body != "a.example" {
			t.Errorf("%s with %s: the handler sees %q (%s)", test[0], test[1], r.body, r.cacheStatus())
		}
	}
}

func TestScheme_IsInTheKey(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, "proto %q", c.GetHeader("X-Forwarded-Proto")) })
		for range 2 {
			for value, want := range map[string]string{
				"": `proto ""`, "http": `proto "http"`, "https": `proto "https"`, "HTTPS": `proto "https"`, "https, http": `proto "https"`, "javascript": `proto ""`,
			} {
				if r := s.get("/a", "X-Forwarded-Proto: "+value); r.body != want {
					t.Errorf("X-Forwarded-Proto: %s = %s, want %s", value, r.body, want)
				}
			}
		}
		s.wantRuns(3)
	})
}

func TestAuthorization_PublicResponsesAreShared(t *testing.T) {
	inTime(t, func(t *testing.T) {
		for _, control := range []string{"public, max-age=60", "s-maxage=60", "max-age=60, must-revalidate"} {
			s := newSite(t, nil, text("x", "Cache-Control: "+control))
			s.get("/a", "Authorization: Bearer 1")
			if !s.get("/a").hit() || !s.get("/a", "Authorization: Bearer 2").hit() {
				t.Errorf("%s: a response to an authorized request is not shared", control)
			}
		}
	})
}

func TestKey_OfAnotherRequestIsNotServed(t *testing.T) {
	inTime(t, func(t *testing.T) {
		// Whatever stands under a page's key must say that it is of that page.
		s := newSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, c.Request.URL.Path) })
		s.get("/a")
		keyA := pageKeys(s.memory)[0]
		s.get("/b")
		var keyB string
		for _, key := range pageKeys(s.memory) {
			if key != keyA {
				keyB = key
			}
		}
		item, _ := s.memory.Item(keyA)
		item.Key = keyB
		s.memory.SetItem(item)
		if r := s.get("/b"); r.body != "/b" {
			t.Errorf("/b = %q (%s), want its own response", r.body, r.cacheStatus())
		}
	})
}

// pageKeys returns the keys of pages in memcached.
func pageKeys(memory *memcachedtest.Server) []string {
	var keys []string
	for _, key := range memory.Keys() {
		if strings.HasPrefix(key, "page:p") {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestPrefix_SeparatesCaches(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		one := newSiteOn(t, memory, &middleware.Options{TTL: time.Minute, Prefix: "one:"}, text("one"))
		two := newSiteOn(t, memory, &middleware.Options{TTL: time.Minute, Prefix: "two:"}, text("two"))
		one.get("/a")
		if r := two.get("/a"); r.body != "two" {
			t.Errorf("another prefix = %q, want its own response", r.body)
		}
		for _, key := range memory.Keys() {
			if !strings.HasPrefix(key, "one:") && !strings.HasPrefix(key, "two:") {
				t.Errorf("key %q has no prefix", key)
			}
			if strings.Contains(key, "site.example") {
				t.Errorf("key %q shows the URL", key)
			}
		}
	})
}

// TestSteering_NoneOfTheFieldsReachesTheHandler lists them anew, so that none is
// lost.
func TestSteering_NoneOfTheFieldsReachesTheHandler(t *testing.T) {
	names := strings.Fields(`Forwarded X-Forwarded-Host X-Forwarded-Server X-Forwarded-Port X-Forwarded-Prefix
		X-Forwarded-Path X-Forwarded-Uri X-Forwarded-Scheme X-Forwarded-Protocol X-Forwarded-Ssl X-Scheme X-Url-Scheme
		Front-End-Https X-Host X-Original-Host X-Original-URL X-Original-Uri X-Rewrite-URL X-HTTP-Host-Override
		X-HTTP-Method X-HTTP-Method-Override X-Method-Override
		X-Envoy-Original-Path X-Replaced-Path X-Ms-Original-Url X-Original-Path X-Script-Name Cloudfront-Forwarded-Proto
		Cf-Visitor X-Forwarded-Method X-Original-Method X-Request-Uri X-Waws-Unencoded-Url Fly-Forwarded-Proto
		X-Arr-Ssl X-Middleware-Subrequest X-Base-Url X-Forwarded-Context Destination X-Forwarded-Hosts X-Proxy-Host`)
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
