package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/memstore"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/csrf"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
)

// visitors ask for the same page one after the other, without cookies at first.
func visitors(t *testing.T, url string) {
	t.Helper()
	pages := map[string]bool{}
	for range 3 {
		first := ask(t, url+"/page")
		if pages[first.body] {
			t.Errorf("a visitor gets another's page %q (%s)", first.body, first.header.Get("Cache-Status"))
		}
		pages[first.body] = true
		line := first.header.Get("Set-Cookie")
		if line == "" {
			t.Fatalf("no Set-Cookie with %q (%s)", first.body, first.header.Get("Cache-Status"))
		}
		cookie, _, _ := strings.Cut(line, ";")
		if again := ask(t, url+"/own", "Cookie: "+cookie); again.body == "" {
			t.Errorf("with his cookie a visitor gets %d %q", again.status, again.body)
		}
	}
}

// TestComposition_SessionsOfMemory: gin-contrib's sessions above the cache.
func TestComposition_SessionsOfMemory(t *testing.T) {
	cache, _ := newCache(t)
	n := 0
	visitors(t, serve(t, ginSite(cache, []gin.HandlerFunc{sessions.Sessions("sid", memstore.NewStore(secret))}, func(c *gin.Context) {
		s := sessions.Default(c)
		if strings.HasSuffix(c.Request.URL.Path, "own") {
			if s.Get("visitor") != nil {
				c.Header("Cache-Control", "private")
				c.String(http.StatusOK, "visitor %v", s.Get("visitor"))
			}
			return
		}
		n++
		s.Set("visitor", n)
		_ = s.Save()
		c.String(http.StatusOK, "visitor %d", n)
	})))
}

// scsOf returns sessions of scs, stored by this module.
func scsOf(t *testing.T, client *memcached.Client) *scs.SessionManager {
	t.Helper()
	store, err := session.NewSCS(client, nil, secret)
	if err != nil {
		t.Fatal(err)
	}
	manager := scs.New()
	manager.Store = store
	return manager
}

// scsPage counts visitors in their sessions.
func scsPage(manager *scs.SessionManager) http.Handler {
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "own") {
			if visitor := manager.GetInt(r.Context(), "visitor"); visitor > 0 {
				w.Header().Set("Cache-Control", "private")
				fmt.Fprintf(w, "visitor %d", visitor)
			}
			return
		}
		n++
		manager.Put(r.Context(), "visitor", n)
		fmt.Fprintf(w, "visitor %d", n)
	})
}

// TestComposition_SCSAround sets the cookie when it sees the first byte.
func TestComposition_SCSAround(t *testing.T) {
	t.Run("gin", func(t *testing.T) {
		cache, client := newCache(t)
		manager := scsOf(t, client)
		visitors(t, serve(t, manager.LoadAndSave(ginSite(cache, nil, gin.WrapH(scsPage(manager))))))
	})
	t.Run("net/http", func(t *testing.T) {
		cache, client := newCache(t)
		manager := scsOf(t, client)
		visitors(t, serve(t, httpSite(cache, manager.LoadAndSave, scsPage(manager))))
	})
}

// TestComposition_CSRFAround sets the cookie before the cache is asked.
func TestComposition_CSRFAround(t *testing.T) {
	protect := csrf.Protect(secret, csrf.Secure(false))
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, csrf.Token(r)) })
	t.Run("gin", func(t *testing.T) {
		cache, _ := newCache(t)
		visitors(t, serve(t, protect(ginSite(cache, nil, gin.WrapH(page)))))
	})
	t.Run("net/http", func(t *testing.T) {
		cache, _ := newCache(t)
		visitors(t, serve(t, httpSite(cache, protect, page)))
	})
}
