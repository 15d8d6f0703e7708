package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

// silent makes a server leave operations unanswered, all if none is named.
func silent(server *memcachedtest.Server, ops ...string) {
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		for _, op := range ops {
			if r.Op == op {
				return memcachedtest.Action{Skip: true}
			}
		}
		return memcachedtest.Action{Skip: len(ops) == 0}
	})
}

func TestFailedRead_NothingIsOverwritten(t *testing.T) {
	failures := map[string]memcachedtest.Action{
		"timeout":           {Skip: true},
		"connection closed": {Close: true, Skip: true},
		"out of memory":     {Status: memcached.StatusOutOfMemory},
		"temporary failure": {Status: memcached.StatusTemporaryFailure},
	}
	for name, action := range failures {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				server, store := newStore(t, nil)
				b := newBrowser(t)
				b.set(store, "k", 1)
				cookie := b.cookie(cookieName)
				server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return action })
				rec := b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error) {
					if !errors.Is(err, session.ErrUnavailable) {
						t.Errorf("Get: %v, want ErrUnavailable", err)
					}
					server.Intercept(nil) // memcached is back, but what it holds is not known
					server.ForgetRequests()
					s.Values["k"] = 2
					for range 2 {
						if err := s.Save(r, w); !errors.Is(err, session.ErrUnavailable) {
							t.Errorf("Save: %v, want ErrUnavailable", err)
						}
					}
					for what, err := range map[string]error{"Renew": store.Renew(r, s), "Bind": store.Bind(r, s, "ada")} {
						if !errors.Is(err, session.ErrUnavailable) {
							t.Errorf("%s: %v, want ErrUnavailable", what, err)
						}
					}
				})
				if got := operations(server); got != "" {
					t.Errorf("operations after the failed read = %q, want none", got)
				}
				if got := rec.Header().Values("Set-Cookie"); len(got) != 0 || b.cookie(cookieName) != cookie {
					t.Errorf("Set-Cookie = %q, want none", got)
				}
				time.Sleep(2 * time.Second) // the client tries again
				b.wantValue(store, "k", 1)
			})
		})
	}
}

func TestFailedRead_LogoutStillDeletes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newBrowser(t)
		b.set(store, "k", 1)
		silent(server, "GAT", "GATK")
		if err := b.logout(store); err != nil {
			t.Errorf("logout: %v", err)
		}
		if keys := server.Keys(); len(keys) != 0 {
			t.Errorf("memcached still holds %d items", len(keys))
		}
	})
}

func TestFailedLogout_KeepsTheCookieToTryAgainWith(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newBrowser(t)
		b.set(store, "k", 1)
		silent(server, "DELETE")
		if err := b.logout(store); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("logout: %v, want ErrUnavailable", err)
		}
		server.Intercept(nil)
		if err := b.logout(store); err != nil {
			t.Errorf("second logout: %v", err)
		}
		if keys := server.Keys(); len(keys) != 0 {
			t.Errorf("memcached still holds %d items", len(keys))
		}
	})
}

func TestMemcachedDown_PagesRenderAndLoginsFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		server.Close()
		visitor := newBrowser(t)
		rec := visitor.autosave(store, func(c *gin.Context) { c.String(http.StatusOK, "page") })
		if rec.Code != http.StatusOK || rec.Body.String() != "page" {
			t.Errorf("a page without a session = %d %q, want it rendered", rec.Code, rec.Body)
		}
		rec = visitor.gin(store, func(c *gin.Context) { c.String(http.StatusOK, fmt.Sprint(ginsessions.Default(c).Get("user"))) })
		if rec.Code != http.StatusOK {
			t.Errorf("a page that reads the session = %d, want 200", rec.Code)
		}
		login := func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("user", "ada")
			if err := s.Save(); err != nil {
				c.String(http.StatusServiceUnavailable, "no login")
				return
			}
			c.String(http.StatusOK, "welcome")
		}
		if rec = visitor.gin(store, login); rec.Code != http.StatusServiceUnavailable {
			t.Errorf("login = %d, want 503", rec.Code)
		}
		rec = visitor.autosave(store, func(c *gin.Context) {
			ginsessions.Default(c).Set("user", "ada")
			c.Redirect(http.StatusSeeOther, "/")
		})
		if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Location") != "" {
			t.Errorf("login with Autosave = %d to %q, want 503", rec.Code, rec.Header().Get("Location"))
		}
		if visitor.cookie(cookieName) != "" {
			t.Error("a failed login set a cookie")
		}
	})
}

func TestUncertainWrite_IsNotRepeatedBlindly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newBrowser(t)
		b.set(store, "k", 1)
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Mute: r.CAS != 0} // carried out, not answered
		})
		b.gin(store, func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", 2)
			if err := s.Save(); !errors.Is(err, session.ErrUnavailable) {
				t.Errorf("Save: %v, want ErrUnavailable", err)
			}
			server.Intercept(nil)
			s.Set("l", 3)
			mustSave(t, s)
		})
		b.wantValue(store, "k", 2)
		b.wantValue(store, "l", 3)
	})
}

func TestUncertainCreate_TakesAnotherID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newBrowser(t)
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Mute: r.Op == "ADD"}
		})
		b.gin(store, func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", 1)
			if err := s.Save(); !errors.Is(err, session.ErrUnavailable) {
				t.Errorf("Save: %v, want ErrUnavailable", err)
			}
			server.Intercept(nil)
			mustSave(t, s)
		})
		b.wantValue(store, "k", 1)
	})
}

func TestErrors_SayNothingSecret(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newBrowser(t)
		b.set(store, "k", 1)
		secrets := append(server.Keys(), b.cookie(cookieName), b.id(store))
		silent(server)
		b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error) {
			s.Options.MaxAge = -1
			for _, err := range []error{err, s.Save(r, w), store.RevokeAll(r.Context(), "ada")} {
				for _, secret := range append(secrets, "ada") {
					if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
						t.Errorf("the error %q contains %q", err, secret)
					}
				}
			}
		})
	})
}
