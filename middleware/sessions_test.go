package middleware_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// marks what package session marks.
func marks(value any) gin.HandlerFunc {
	return func(c *gin.Context) {
		//lint:ignore SA1029 the key that package session uses
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), touchedKey, value)) //nolint
	}
}

// marksGin does so in gin's context.
func marksGin(value any) gin.HandlerFunc {
	return func(c *gin.Context) { c.Set(touchedKey, value) }
}

// TestAbsence_OfSessionsIsNotPrivate, where those who have one bypass the cache, and
// only there.
func TestAbsence_OfSessionsIsNotPrivate(t *testing.T) {
	sid, none := []string{"sid"}, func(*gin.Context) {}
	late := func(c *gin.Context) {
		c.Next()
		c.Set(touchedKey, true)
	}
	for name, tt := range map[string]struct {
		personal     []string
		above, below gin.HandlerFunc
		control      string
		hit          bool
	}{
		"looked above":                  {sid, marks(sid), none, "", true},
		"looked above, gin":             {sid, marksGin(sid), none, "", true},
		"looked below":                  {sid, none, marks(sid), "", true},
		"looked below, gin":             {sid, none, marksGin(sid), "", true},
		"looked and said":               {sid, none, marks(sid), `private, without-session="sid"`, true},
		"said by a site behind":         {sid, none, none, `private, without-session="sid"`, true},
		"not known":                     {nil, marks(sid), none, "", false},
		"not known, below":              {nil, none, marks(sid), "", false},
		"not known, gin":                {nil, none, marksGin(sid), "", false},
		"not known, said":               {nil, none, none, `private, without-session="sid"`, false},
		"another":                       {[]string{"other"}, marks(sid), none, "", false},
		"by the beginning of its name":  {[]string{"si*"}, marks(sid), none, "", true},
		"one of two":                    {sid, marks([]string{"sid", "other"}), none, "", false},
		"one of two, said":              {sid, none, none, `private, without-session="sid other"`, false},
		"none, said":                    {sid, none, none, `private, without-session=""`, false},
		"private for another reason":    {sid, none, marks(sid), "private", false},
		"private in another form":       {sid, none, marks(sid), `without-session="sid", private`, false},
		"looked above, touched below":   {sid, marks(sid), marks(true), "", false},
		"touched below, looked in gin":  {sid, marksGin(sid), marks(true), "", false},
		"looked below, touched in gin":  {sid, marks(sid), marksGin(true), "", false},
		"touched when the page is done": {sid, marks(sid), late, "", false},
		"touched above":                 {sid, marks(true), none, "", false},
	} {
		opts := minute()
		opts.PersonalCookies = tt.personal
		s := newSiteAbove(t, memcachedtest.Start(t, nil), opts, tt.above, tt.below, func(c *gin.Context) {
			if tt.control != "" {
				c.Header("Cache-Control", tt.control)
			}
			c.String(http.StatusOK, "nobody")
		})
		s.get("/a")
		r := s.get("/a")
		if r.hit() != tt.hit || r.body != "nobody" {
			t.Errorf("%s: the second gets %q (%s), want a hit: %t", name, r.body, r.cacheStatus(), tt.hit)
		}
		if got := r.Header.Get("Cache-Control"); got != tt.control {
			t.Errorf("%s: Cache-Control %q, want %q", name, got, tt.control)
		}
		if r := s.get("/a", "Cookie: sid=1"); r.hit() && len(tt.personal) > 0 && tt.personal[0] == "sid" {
			t.Errorf("%s: who has a session gets the page of those who have none (%s)", name, r.cacheStatus())
		}
	}
}

// TestAbsence_IsSaidOnHits, too, where a layer above says it at the first byte because
// the handler has looked: caches in front must know.
func TestAbsence_IsSaidOnHits(t *testing.T) {
	const line = `private, without-session="sid"`
	opts := minute()
	opts.PersonalCookies = []string{"sid"}
	looked := false
	s := newSiteAbove(t, memcachedtest.Start(t, nil), opts, func(c *gin.Context) {
		looked = false
		c.Writer = &atFirstByte{c.Writer, func() {
			if looked {
				c.Header("Cache-Control", line)
			}
		}}
	}, func(c *gin.Context) {
		looked = true
		c.String(http.StatusOK, "nobody")
	})
	for _, hit := range []bool{false, true, true} {
		if r := s.get("/a"); r.hit() != hit || r.Header.Get("Cache-Control") != line {
			t.Errorf("%s with Cache-Control %q, want a hit: %t, with %s", r.cacheStatus(), r.Header.Get("Cache-Control"), hit, line)
		}
	}
}

// atFirstByte calls something before the first byte goes out.
type atFirstByte struct {
	gin.ResponseWriter
	call func()
}

func (w *atFirstByte) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *atFirstByte) Write(p []byte) (int, error) {
	w.call()
	return w.ResponseWriter.Write(p)
}

func (w *atFirstByte) WriteString(p string) (int, error) {
	w.call()
	return w.ResponseWriter.WriteString(p)
}

// TestNeutralCookies_MakeNoVariants of pages that vary on Cookie: others do.
func TestNeutralCookies_MakeNoVariants(t *testing.T) {
	opts := minute()
	opts.NeutralCookies = []string{"consent", "_ga"}
	var seen []string
	s := newSite(t, opts, func(c *gin.Context) {
		seen = append(seen, c.GetHeader("Cookie"))
		c.Header("Vary", "Cookie")
		c.String(http.StatusOK, "x")
	})
	for _, tt := range []struct {
		cookie string
		hit    bool
	}{
		{"Cookie: consent=1", false},
		{"", true},
		{"Cookie: _ga=GA1; consent=2", true},
		{"Cookie:  _ga = GA1 ;", true},
		{"Cookie: theme=dark; _ga=GA1", false},
		{"Cookie: _ga=GA2; theme=dark", true},
		{"Cookie: theme=dark", true},
		{"Cookie: _gat=1", false},
		{"Cookie: consent=1; theme=light", false},
	} {
		var lines []string
		if tt.cookie != "" {
			lines = []string{tt.cookie}
		}
		if r := s.get("/a", lines...); r.hit() != tt.hit {
			t.Errorf("%q: %s, want a hit: %t", tt.cookie, r.cacheStatus(), tt.hit)
		}
	}
	if want := 4; len(seen) != want || seen[1] != "theme=dark; _ga=GA1" {
		t.Errorf("handlers saw %q, want %d requests with their cookies", seen, want)
	}
}

// TestNeutralCookies_AreToldApartAsNetHTTPDoes: a cookie that is none to the handler
// makes no page for those who have one.
func TestNeutralCookies_AreToldApartAsNetHTTPDoes(t *testing.T) {
	opts := minute()
	opts.NeutralCookies = []string{"consent"}
	s := newSite(t, opts, func(c *gin.Context) {
		theme, err := c.Cookie("theme")
		if err != nil {
			theme = "none"
		}
		c.Header("Vary", "Cookie")
		c.String(http.StatusOK, theme)
	})
	for i, other := range []string{
		"theme=dark\u00a0", "\u00a0theme=dark", "theme=dark" + strings.Repeat(";", 3000),
		"theme=dark" + strings.Repeat("; consent=1", 3000),
	} {
		path := "/" + strconv.Itoa(i)
		got := s.get(path, "Cookie: "+other).body
		if r := s.get(path, "Cookie: theme=dark"); r.body != "dark" || got != "none" {
			t.Errorf("after %.20q, which got %q, want none, theme=dark gets %q", other, got, r.body)
		}
	}
}
