package session_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gin-gonic/gin"
)

// Behind Private, whoever has a session of scs gets pages of his own, which no
// cache may keep; a visitor without one gets those of the response cache.
func TestPrivate_SCS(t *testing.T) {
	client := connect(t, start(t, 1)...)
	manager := newManager(t, client)
	cache, err := middleware.New(client, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	e := gin.New()
	e.Use(cache.Handler())
	e.GET("/get", func(c *gin.Context) {
		c.Header("Expires", "Fri, 01 Jan 2100 00:00:00 GMT")
		c.String(http.StatusOK, manager.GetString(c.Request.Context(), "k"))
	})
	e.GET("/set", func(c *gin.Context) { manager.Put(c.Request.Context(), "k", c.Query("v")) })
	site := serve(t, session.Private(manager.LoadAndSave(e)))

	ada, bob := newPerson(t, site), newPerson(t, site)
	for name, p := range map[string]*person{"ada": ada, "bob": bob} {
		header := p.header("/set?v=" + name)
		if got, want := header.Values("Cache-Control"), []string{"private", `no-cache="Set-Cookie"`}; !slices.Equal(got, want) {
			t.Errorf("Cache-Control of a login = %q, want %q", got, want)
		}
	}
	for range 2 {
		for name, p := range map[string]*person{"ada": ada, "bob": bob, "": newPerson(t, site)} {
			p.want("/get", name)
			if got := p.header("/get").Get("Cache-Control"); (got == "private") != (name != "") {
				t.Errorf("%q: Cache-Control = %q", name, got)
			}
		}
	}
}

// Iterate says that it cannot, instead of a panic.
func TestSCS_Iterate(t *testing.T) {
	manager := newManager(t, connect(t, start(t, 1)...))
	err := manager.Iterate(t.Context(), func(context.Context) error { return fmt.Errorf("called") })
	if err == nil || err.Error() == "called" {
		t.Errorf("Iterate: %v, want an error of the store", err)
	}
}

// header returns the header of a page's response.
func (p *person) header(path string) http.Header {
	p.t.Helper()
	res, err := p.client.Get(p.base + path)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.Header
}
