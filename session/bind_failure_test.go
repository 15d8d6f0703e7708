package session_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// TestBind_ThatFailsLogsNobodyIn: Renew has stored the session and set its cookie
// when Bind fails. RevokeAll could not end it.
func TestBind_ThatFailsLogsNobodyIn(t *testing.T) {
	roster := func(r memcachedtest.Request) bool { return strings.Contains(r.Key, "user:") }
	for name, fails := range map[string]func(memcachedtest.Request) bool{
		"roster is not read":    func(r memcachedtest.Request) bool { return roster(r) && r.Op == "GET" },
		"roster is not written": func(r memcachedtest.Request) bool { return roster(r) && r.Op == "ADD" },
		"record is not written": func(r memcachedtest.Request) bool { return !roster(r) && r.Op == "SET" && r.CAS != 0 },
	} {
		for _, autosave := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				server, store := newStore(t, nil)
				b := newBrowser(t)
				send := b.gin
				if autosave {
					send = b.autosave
				}
				rec := send(store, func(c *gin.Context) {
					ginsessions.Default(c).Set("user", "ada")
					if err := session.Renew(c); err != nil {
						t.Errorf("Renew = %v", err)
					}
					server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
						if fails(r) {
							a.Status = memcached.StatusOutOfMemory
						}
						return a
					})
					if err := session.Bind(c, "ada"); err == nil {
						t.Error("Bind = nil, want an error")
					}
					ginsessions.Default(c).Set("again", true)
					if err := ginsessions.Default(c).Save(); err == nil {
						t.Error("Save after Bind has failed = nil, want an error")
					}
					c.AbortWithStatus(http.StatusServiceUnavailable)
				})
				server.Intercept(nil)
				if set := rec.Result().Header["Set-Cookie"]; len(set) > 0 {
					t.Errorf("Set-Cookie = %q, want none", set)
				}
				if err := store.RevokeAll(t.Context(), "ada"); err != nil {
					t.Fatal(err)
				}
				b.wantValue(store, "user", nil)
				b.login(store, "ada")
				b.wantValue(store, "user", "ada")
			})
		}
	}
}

// TestBind_ThatFailsKeepsOtherCookies: only the session's own cookie is taken back.
func TestBind_ThatFailsKeepsOtherCookies(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	rec := b.gin(store, func(c *gin.Context) {
		c.SetCookie("theme", "dark", 0, "/", "", false, false)
		ginsessions.Default(c).Set("user", "ada")
		err := errors.Join(session.Renew(c), session.Bind(c, ""))
		if err == nil {
			t.Error("Bind of nobody = nil, want an error")
		}
	})
	if set := rec.Result().Cookies(); len(set) != 1 || set[0].Name != "theme" {
		t.Errorf("cookies = %v, want theme alone", set)
	}
	b.wantValue(store, "user", nil)
}

// TestBind_ThatFailsAfterTheCookie: the cookie has gone out already, so that the
// session has to end.
func TestBind_ThatFailsAfterTheCookie(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.gin(store, func(c *gin.Context) {
		ginsessions.Default(c).Set("user", "ada")
		if err := session.Renew(c); err != nil {
			t.Errorf("Renew = %v", err)
		}
		c.Writer.WriteHeaderNow()
		if err := session.Bind(c, "ada"); !errors.Is(err, session.ErrResponseStarted) {
			t.Errorf("Bind = %v, want ErrResponseStarted", err)
		}
	})
	if b.cookie(cookieName) == "" {
		t.Error("the response has no cookie, want that of Renew")
	}
	b.wantValue(store, "user", nil)
}
