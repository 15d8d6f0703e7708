package middleware_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestTags_SetAboveCount: middleware of a group names the tags of all its pages.
func TestTags_SetAboveCount(t *testing.T) {
	for _, line := range []string{"Cache-Tag: group", "Surrogate-Key: group"} {
		for name, below := range map[string]string{"alone": "X: 1", "beside one below": "Cache-Tag: page"} {
			t.Run(line+name, func(t *testing.T) {
				inTime(t, func(t *testing.T) {
					above := func(c *gin.Context) { setLines(c, line) }
					s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, text("x", below, `ETag: "1"`, "Cache-Control: max-age=10"))
					s.get("/a")
					if !s.get("/a").hit() {
						t.Error("a page with tags from above is not stored")
					}
					time.Sleep(11 * time.Second)
					s.get("/a") // revalidated
					if !s.get("/a").hit() {
						t.Error("a page with tags from above is not stored when it is revalidated")
					}
					s.purgeTags("group")
					if r := s.get("/a"); r.hit() {
						t.Errorf("after the purge of a tag from above: %s", r.cacheStatus())
					}
				})
			})
		}
	}
}

// TestUnsafe_CommitAfterTheResponse: a transaction ends after the handler has
// answered, below the cache or above it, and a visitor comes in between.
func TestUnsafe_CommitAfterTheResponse(t *testing.T) {
	for name, below := range map[string]bool{"below": true, "above": false} {
		t.Run(name, func(t *testing.T) {
			var s *site
			page := newCell("old")
			transaction := func(c *gin.Context) {
				c.Next()
				if c.Request.Method == http.MethodPost {
					if r := s.get("/a"); r.body != "old" {
						t.Errorf("before the commit: %q, want the old page", r.body)
					}
					page.set("new")
				}
			}
			handler := func(c *gin.Context) { c.String(http.StatusOK, page.get()) }
			if below {
				s = newSiteAbove(t, memcachedtest.Start(t, nil), minute(), nil, transaction, handler)
			} else {
				s = newSiteAbove(t, memcachedtest.Start(t, nil), minute(), transaction, handler)
			}
			s.listen()
			s.get("/a")
			s.do(http.MethodPost, "/a")
			waitFor(t, "the new page", func() bool { return s.get("/a").body == "new" })
		})
	}
}

// TestVary_OriginFromAboveThatTheHandlerAnswers: middleware above says that responses
// vary on Origin, and leaves the answer to the handler.
func TestVary_OriginFromAboveThatTheHandlerAnswers(t *testing.T) {
	above := func(c *gin.Context) { c.Header("Vary", "Origin") }
	for name, handler := range map[string]gin.HandlerFunc{
		"in a field": func(c *gin.Context) {
			c.Header("Access-Control-Allow-Origin", c.GetHeader("Origin"))
			c.String(http.StatusOK, "x")
		},
		"in the body": func(c *gin.Context) { c.String(http.StatusOK, c.GetHeader("Origin")) },
	} {
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, handler)
		for _, origin := range []string{"https://one.example", "https://two.example", "", "https://one.example"} {
			r := s.get("/a", "Origin: "+origin)
			if got := r.Header.Get("Access-Control-Allow-Origin"); name == "in a field" && got != origin || name == "in the body" && r.body != origin {
				t.Errorf("%s: %q gets %q %q (%s)", name, origin, got, r.body, r.cacheStatus())
			}
		}
		if !s.get("/a", "Origin: https://two.example").hit() {
			t.Errorf("%s: not stored", name)
		}
	}
}

// TestVary_LinesOfOneFieldAreOneValue: for the key and for a handler that looks at
// the first line.
func TestVary_LinesOfOneFieldAreOneValue(t *testing.T) {
	for _, field := range []string{"X-List", "Accept", "Cookie"} {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Header("Vary", field)
			c.String(http.StatusOK, c.GetHeader(field))
		})
		one, joint := "a=1", "a=1, b=2"
		if field == "Cookie" {
			joint = "a=1; b=2"
		}
		s.get("/a", field+": "+one, field+": b=2")
		if r := s.get("/a", field+": "+joint); r.body != joint {
			t.Errorf("%s in one line is answered %q (%s), want %q", field, r.body, r.cacheStatus(), joint)
		}
		if r := s.get("/a", field+": "+one); r.body != one {
			t.Errorf("the first line alone is answered %q (%s), want %q", r.body, r.cacheStatus(), one)
		}
	}
}

// TestVary_AnotherSpellingOfAListPoisonsNothing: a handler may compare the whole value.
// Only what was made for a list without white space is given to other spellings.
func TestVary_AnotherSpellingOfAListPoisonsNothing(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("Vary", "X-Groups")
		if c.GetHeader("X-Groups") == "a,b" {
			c.String(http.StatusOK, "welcome")
			return
		}
		c.String(http.StatusOK, "nobody knows "+c.GetHeader("X-Groups"))
	})
	for _, attack := range []string{"a ,b", "a,\tb", "a, b", "a,b,"} {
		for range 2 {
			if r := s.get("/a", "X-Groups: "+attack); r.body != "nobody knows "+attack {
				t.Errorf("%q is answered %q (%s)", attack, r.body, r.cacheStatus())
			}
		}
	}
	for range 2 {
		if r := s.get("/a", "X-Groups: a,b"); r.body != "welcome" {
			t.Errorf("the victim gets %q (%s)", r.body, r.cacheStatus())
		}
	}
	if r := s.get("/a", "X-Groups: a  , b"); r.body != "welcome" || !r.hit() {
		t.Errorf("a new spelling is answered %q (%s), want a hit", r.body, r.cacheStatus())
	}
}

// TestVary_AnotherSpellingRefreshesNothing: what a handler says to one spelling is never
// stored for another, not when the stored one is stale either.
func TestVary_AnotherSpellingRefreshesNothing(t *testing.T) {
	inTime(t, func(t *testing.T) {
		opts := minute()
		opts.StaleWhileRevalidate = time.Minute
		s := newSite(t, opts, func(c *gin.Context) {
			c.Header("Vary", "X-Groups")
			c.String(http.StatusOK, c.GetHeader("X-Groups"))
		})
		s.get("/a", "X-Groups: a,b")
		time.Sleep(61 * time.Second)
		for range 2 {
			if r := s.get("/a", "X-Groups: a ,b"); r.body != "a ,b" {
				t.Errorf("another spelling of a stale page is answered %q (%s)", r.body, r.cacheStatus())
			}
			synctest.Wait()
		}
		if r := s.get("/a", "X-Groups: a,b"); r.body != "a,b" {
			t.Errorf("then the page is %q (%s)", r.body, r.cacheStatus())
		}
	})
}

// slowReads is a client whose Get takes its time.
type slowReads struct {
	middleware.Client
	pause time.Duration
}

func (c *slowReads) Get(ctx context.Context, key string) (*memcached.Item, error) {
	time.Sleep(c.pause)
	return c.Client.Get(ctx, key)
}

// TestVary_AnotherSpellingIsFreshWhenItWasFound: a response that ends its life while a
// request with another spelling is on its way to it is not made anew by that one.
func TestVary_AnotherSpellingIsFreshWhenItWasFound(t *testing.T) {
	inTime(t, func(t *testing.T) {
		client := &slowReads{Client: newSite(t, nil, text("")).client}
		s := newSiteWith(t, client, minute(), nil, func(c *gin.Context) {
			c.Header("Vary", "X-Groups")
			c.String(http.StatusOK, c.GetHeader("X-Groups"))
		})
		s.get("/a", "X-Groups: a,b")
		time.Sleep(59 * time.Second)
		client.pause = 400 * time.Millisecond
		if r := s.get("/a", "X-Groups: a ,b"); !r.hit() {
			t.Errorf("another spelling is answered %q (%s)", r.body, r.cacheStatus())
		}
		client.pause = 0
		if r := s.get("/a", "X-Groups: a,b"); r.body != "a,b" {
			t.Errorf("then the page is %q (%s)", r.body, r.cacheStatus())
		}
	})
}

// TestLists_AreJoinedOnAHit: what stands above now, and what was stored when nothing
// stood there.
func TestLists_AreJoinedOnAHit(t *testing.T) {
	for _, test := range []struct{ field, above, below string }{
		{"Vary", "Origin", "X-Other"},
		{"Link", "<a>", "<b>"},
		{"Cache-Control", "no-transform", "max-age=60"},
	} {
		var set bool
		above := func(c *gin.Context) {
			if set {
				c.Header(test.field, test.above)
			}
		}
		s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, func(c *gin.Context) {
			c.Writer.Header().Add(test.field, test.below)
			c.String(http.StatusOK, "x")
		})
		s.get("/a")
		set = true
		r := s.get("/a")
		if got := r.Header[test.field]; !r.hit() || !slices.Equal(got, []string{test.above, test.below}) {
			t.Errorf("%s = %q (%s), want both in a hit", test.field, got, r.cacheStatus())
		}
	}
}

// TestRequestFields_HandlersSeeNoOthers: an allow-list is complete.
func TestRequestFields_HandlersSeeNoOthers(t *testing.T) {
	opts := minute()
	opts.RequestFields = []string{"accept", "X-Known"}
	var seen http.Header
	s := newSite(t, opts, func(c *gin.Context) {
		seen = c.Request.Header.Clone()
		c.Header("Vary", "X-Varied")
		c.String(http.StatusOK, c.GetHeader("X-Varied"))
	})
	s.get("/a", "X-Varied: 1")
	s.get("/a", "Accept: a", "X-Known: b", "X-Unknown: c", "X-Varied: 2", "Cookie: d=e")
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"Accept", "X-Known", "X-Varied"}; !slices.Equal(names, want) {
		t.Errorf("the handler sees %q, want %q", names, want)
	}
	if r := s.get("/a", "X-Varied: 2", "X-Unknown: other"); !r.hit() || r.body != "2" {
		t.Errorf("response = %q (%s), want a hit of its variant", r.body, r.cacheStatus())
	}
}

// TestIgnoreRequestDirectives_ReloadsDoNotReachTheHandler also shows what it costs
// without.
func TestIgnoreRequestDirectives_ReloadsDoNotReachTheHandler(t *testing.T) {
	for _, ignore := range []bool{true, false} {
		opts := minute()
		opts.IgnoreRequestDirectives = ignore
		s := newSite(t, opts, text("x"))
		s.get("/a")
		for _, line := range []string{"Cache-Control: no-cache", "Cache-Control: max-age=0", "Cache-Control: no-store", "Pragma: no-cache"} {
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					if r := s.get("/a", line); r.hit() != ignore {
						t.Errorf("%s with IgnoreRequestDirectives %v: %s", line, ignore, r.cacheStatus())
					}
				})
			}
			wg.Wait()
		}
	}
}

func TestHideTags_KeepsThemFromClients(t *testing.T) {
	for _, hide := range []bool{true, false} {
		opts := minute()
		opts.HideTags = hide
		above := func(c *gin.Context) { setLines(c, "Surrogate-Key: above") }
		s := newSiteAbove(t, memcachedtest.Start(t, nil), opts, above, text("x", "Cache-Tag: below"))
		for _, method := range []string{http.MethodGet, http.MethodGet, http.MethodHead, http.MethodPost} {
			r := s.do(method, "/a")
			if shown := r.Header.Get("Cache-Tag") != "" || r.Header.Get("Surrogate-Key") != ""; shown == hide {
				t.Errorf("%s with HideTags %v: %v (%s)", method, hide, r.Header, r.cacheStatus())
			}
		}
		s.get("/a")
		s.purgeTags("below")
		if s.get("/a").hit() {
			t.Error("hidden tags do not purge")
		}
	}
}
