package session_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/tester"
	"github.com/gin-gonic/gin"
)

// published are the functions of the test package that gin-contrib/sessions
// publishes for stores.
var published = map[string]func(t *testing.T, newStore func(*testing.T) ginsessions.Store){
	"GetSet":    func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.GetSet(t, n) },
	"DeleteKey": func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.DeleteKey(t, n) },
	"Flashes":   func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.Flashes(t, n) },
	"Clear":     func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.Clear(t, n) },
	"Options":   func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.Options(t, n) },
	"Many":      func(t *testing.T, n func(*testing.T) ginsessions.Store) { tester.Many(t, n) },
}

func TestPublishedTester(t *testing.T) {
	stores := map[string]func(*testing.T) ginsessions.Store{
		"signed":    func(t *testing.T) ginsessions.Store { return store(t, nil, authKey) },
		"encrypted": func(t *testing.T) ginsessions.Store { return store(t, nil, authKey, blockKey) },
		"JSON": func(t *testing.T) ginsessions.Store {
			return store(t, &session.Options{Codec: session.JSON{}}, authKey)
		},
		"a day": func(t *testing.T) ginsessions.Store {
			s := store(t, nil, authKey)
			s.Options(ginsessions.Options{Path: "/", MaxAge: 86400, HttpOnly: true})
			return s
		},
	}
	for storeName, newStore := range stores {
		for name, run := range published {
			t.Run(storeName+"/"+name, func(t *testing.T) { run(t, newStore) })
		}
	}
}

func store(t *testing.T, opts *session.Options, keys ...[]byte) *session.Store {
	return storeOn(t, newClient(t, memcachedtest.Start(t, nil)), opts, keys...)
}

// The published functions copy the cookies of the last response only. Here the
// same steps run in a client with a cookie jar, against a cookie of a day.
func TestPublishedSteps_WithACookieJar(t *testing.T) {
	for _, maxAge := range []int{0, 86400} {
		s := store(t, nil, authKey)
		s.Options(ginsessions.Options{Path: "/", MaxAge: maxAge, HttpOnly: true})
		t.Run(fmt.Sprint("MaxAge ", maxAge), func(t *testing.T) {
			for name, steps := range publishedSteps {
				t.Run(name, func(t *testing.T) {
					url, client := jarSite(t, s, steps)
					for n := range steps {
						res, err := client.Get(fmt.Sprint(url, "/", n))
						if err != nil {
							t.Fatal(err)
						}
						_ = res.Body.Close()
					}
				})
			}
		})
	}
}

// publishedSteps are the handlers of the published functions, by request.
var publishedSteps = map[string][]func(t *testing.T, c *gin.Context, s ginsessions.Session){
	"GetSet": {
		func(_ *testing.T, _ *gin.Context, s ginsessions.Session) { s.Set("key", "ok") },
		func(t *testing.T, _ *gin.Context, s ginsessions.Session) { wantKey(t, s, "key", "ok") },
	},
	"DeleteKey": {
		func(_ *testing.T, _ *gin.Context, s ginsessions.Session) { s.Set("key", "ok"); s.Set("other", "ok") },
		func(t *testing.T, _ *gin.Context, s ginsessions.Session) { wantKey(t, s, "key", "ok"); s.Delete("key") },
		func(t *testing.T, _ *gin.Context, s ginsessions.Session) {
			wantKey(t, s, "key", nil)
			wantKey(t, s, "other", "ok")
		},
	},
	"Flashes": {
		func(_ *testing.T, _ *gin.Context, s ginsessions.Session) { s.AddFlash("ok") },
		func(t *testing.T, _ *gin.Context, s ginsessions.Session) { wantFlashes(t, s, 1) },
		func(t *testing.T, _ *gin.Context, s ginsessions.Session) { wantFlashes(t, s, 0) },
	},
	"Clear": {
		func(_ *testing.T, _ *gin.Context, s ginsessions.Session) { s.Set("key", "val"); s.Set("foo", "bar") },
		func(t *testing.T, _ *gin.Context, s ginsessions.Session) { wantKey(t, s, "foo", "bar"); s.Clear() },
		func(t *testing.T, _ *gin.Context, s ginsessions.Session) {
			wantKey(t, s, "key", nil)
			wantKey(t, s, "foo", nil)
		},
	},
	"Options": {
		func(_ *testing.T, _ *gin.Context, s ginsessions.Session) { s.Set("key", "ok") },
		func(t *testing.T, _ *gin.Context, s ginsessions.Session) {
			wantKey(t, s, "key", "ok")
			s.Options(ginsessions.Options{Path: "/", MaxAge: -1})
		},
		func(t *testing.T, _ *gin.Context, s ginsessions.Session) { wantKey(t, s, "key", nil) },
	},
	"Many": {
		func(_ *testing.T, c *gin.Context, _ ginsessions.Session) {
			ginsessions.DefaultMany(c, "b").Set("foo", "bar")
		},
		func(t *testing.T, c *gin.Context, s ginsessions.Session) {
			wantKey(t, ginsessions.DefaultMany(c, "b"), "foo", "bar")
			wantKey(t, s, "foo", nil)
		},
	},
}

func wantKey(t *testing.T, s ginsessions.Session, key, want any) {
	t.Helper()
	if got := s.Get(key); got != want {
		t.Errorf("Get(%v) = %v, want %v", key, got, want)
	}
}

func wantFlashes(t *testing.T, s ginsessions.Session, want int) {
	t.Helper()
	if got := s.Flashes(); len(got) != want {
		t.Errorf("Flashes() = %v, want %d", got, want)
	}
}

// jarSite serves the steps under /0, /1 and so on to a client with a jar.
func jarSite(t *testing.T, store ginsessions.Store, steps []func(*testing.T, *gin.Context, ginsessions.Session)) (string, *http.Client) {
	t.Helper()
	e := gin.New()
	e.Use(ginsessions.SessionsMany([]string{"a", "b"}, store))
	for n, step := range steps {
		e.GET(fmt.Sprint("/", n), func(c *gin.Context) {
			step(t, c, ginsessions.DefaultMany(c, "a"))
			mustSave(t, ginsessions.DefaultMany(c, "a"))
			mustSave(t, ginsessions.DefaultMany(c, "b"))
			c.String(http.StatusOK, "ok")
		})
	}
	site := httptest.NewServer(e)
	t.Cleanup(site.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return site.URL, &http.Client{Jar: jar}
}
