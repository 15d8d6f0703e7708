package session_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

const touchedKey = "github.com/bmemcached/bmemcached-go/session.touched"

// withoutSession says that the request has no cookie of the session that was looked for.
const withoutSession = `private, without-session="` + cookieName + `"`

func TestPrivate(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	read := func(c *gin.Context) { ginsessions.Default(c).Get("k") }
	tests := map[string]struct {
		handler gin.HandlerFunc
		want    string
	}{
		"not touched":      {func(c *gin.Context) { c.String(http.StatusOK, "x") }, ""},
		"read":             {func(c *gin.Context) { read(c); c.String(http.StatusOK, "x") }, "private"},
		"own field":        {func(c *gin.Context) { read(c); c.Header("Cache-Control", "no-store"); c.String(http.StatusOK, "x") }, "no-store"},
		"own field before": {func(c *gin.Context) { c.Header("Cache-Control", "max-age=5"); read(c); c.String(http.StatusOK, "x") }, "max-age=5"},
		"ID":               {func(c *gin.Context) { ginsessions.Default(c).ID() }, "private"},
		"by gorilla": {func(c *gin.Context) {
			if _, err := store.Get(c.Request, cookieName); err != nil {
				t.Error(err)
			}
		}, "private"},
	}
	for name, tt := range tests {
		rec := b.autosave(store, tt.handler)
		if got := rec.Header().Get("Cache-Control"); got != tt.want {
			t.Errorf("%s: Cache-Control = %q, want %q", name, got, tt.want)
		}
	}
}

func TestPrivate_RequestReplacedByAMiddlewareInBetween(t *testing.T) {
	_, store := newStore(t, nil)
	for name, e := range map[string]*gin.Engine{"behind": gin.New(), "before": gin.New()} {
		if name == "before" {
			e.Use(session.Autosave(), replaceRequest)
		}
		e.Use(ginsessions.Sessions(cookieName, store), replaceRequest)
		if name == "behind" {
			e.Use(session.Autosave(), replaceRequest)
		}
		e.GET("/", func(c *gin.Context) { ginsessions.Default(c).Get("k") })
		if got := newBrowser(t).send(e).Header().Get("Cache-Control"); got != withoutSession {
			t.Errorf("%s: Cache-Control = %q, want %s", name, got, withoutSession)
		}
	}
}

func TestPrivate_WithoutAutosave(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	if got := b.set(store, "k", 1).Header().Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control of a response that saved = %q, want private", got)
	}
	rec := b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if got := rec.Header().Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control of a response that saved no change = %q, want private", got)
	}
	rec = b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		w.Header().Set("Cache-Control", "max-age=5")
		s.Values["k"] = 2
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if got := rec.Header().Get("Cache-Control"); got != "max-age=5" {
		t.Errorf("Cache-Control = %q, want the handler's", got)
	}
}

// A response cache recognises requests that touched a session by this mark,
// without importing the package, and those that only looked for one that is not there.
func TestTouched_IsMarked(t *testing.T) {
	_, store := newStore(t, nil)
	other := storeOn(t, newClient(t, memcachedtest.Start(t, nil)), nil, authKey)
	none := []string{cookieName}
	read := func(c *gin.Context) { ginsessions.Default(c).Get("k") }
	readOther := func(c *gin.Context) {
		if _, err := other.Get(c.Request, "other"); err != nil {
			t.Errorf("Get: %v", err)
		}
	}
	tests := map[string]struct {
		cookies int
		handler gin.HandlerFunc
		want    any
	}{
		"not touched":             {1, func(*gin.Context) {}, nil},
		"read":                    {1, read, true},
		"read, ended":             {2, read, true},
		"read, none":              {0, read, none},
		"read two, none":          {0, func(c *gin.Context) { read(c); readOther(c) }, []string{cookieName, "other"}},
		"read two, one":           {1, func(c *gin.Context) { readOther(c); read(c) }, true},
		"saved, none":             {0, func(c *gin.Context) { ginsessions.Default(c).Set("k", 1); _ = ginsessions.Default(c).Save() }, true},
		"read, then saved, none":  {0, func(c *gin.Context) { read(c); ginsessions.Default(c).Set("k", 1); _ = ginsessions.Default(c).Save() }, true},
		"renewed, none":           {0, func(c *gin.Context) { _ = session.Renew(c) }, true},
		"saved nothing, gorilla":  {0, func(c *gin.Context) { s, _ := store.Get(c.Request, cookieName); _ = s.Save(c.Request, c.Writer) }, true},
		"read, another, gorilla":  {1, readOther, []string{"other"}},
		"read, no name, gorilla":  {0, func(c *gin.Context) { _, _ = store.Get(c.Request, "no name") }, []string{"no name"}},
		"new by hand, not stored": {0, func(c *gin.Context) { _, _ = store.New(c.Request, cookieName) }, none},
	}
	for name, tt := range tests {
		for _, auto := range []bool{false, true} {
			var inGin, inRequest any
			e := gin.New()
			e.Use(func(c *gin.Context) {
				c.Next()
				inGin, _ = c.Get(touchedKey)
				inRequest = c.Request.Context().Value(touchedKey)
			}, ginsessions.Sessions(cookieName, store))
			if auto {
				e.Use(session.Autosave())
			}
			e.GET("/", tt.handler)
			b := newBrowser(t)
			if tt.cookies > 0 {
				b.set(store, "k", 1)
			}
			if tt.cookies > 1 {
				b.jar[cookieName] = "of another time"
			}
			b.send(e)
			if !reflect.DeepEqual(inRequest, tt.want) {
				t.Errorf("%s, Autosave %t: the request is marked %v, want %v", name, auto, inRequest, tt.want)
			}
			if auto && !reflect.DeepEqual(inGin, tt.want) {
				t.Errorf("%s: gin's context is marked %v, want %v", name, inGin, tt.want)
			}
		}
	}
}

func TestTouched_BySavingWithAnotherRequest(t *testing.T) {
	_, store := newStore(t, nil)
	newBrowser(t).send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		later := r.WithContext(r.Context())
		s, err := store.Get(r, cookieName)
		if err != nil {
			t.Errorf("Get: %v", err)
		}
		if err := s.Save(later, w); err != nil {
			t.Errorf("Save: %v", err)
		}
		if later.Context().Value(touchedKey) != true {
			t.Error("the request that saved is not marked")
		}
	}))
}
