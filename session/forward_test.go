package session_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

// A logout that answered has ended the session, whatever renewal ran beside it:
// both begin with one cookie, and the logout comes between any two steps of the
// renewal, or when it is done.
func TestLogout_BesideRenew(t *testing.T) {
	_, store := newStore(t, nil)
	for _, bound := range []bool{false, true} {
		for step, name := range []string{"before Renew", "before Save", "after Save", "in a request that came late"} {
			b := newBrowser(t)
			b.set(store, "k", 1)
			if bound {
				b = newLogin(t, store, "ada")
			}
			late := b.copy()
			logout := func(at int) {
				if at == step {
					if err := late.logout(store); err != nil {
						t.Errorf("logout: %v", err)
					}
				}
			}
			var failed error
			b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				logout(0)
				failed = store.Renew(r, s)
				logout(1)
				failed = errors.Join(failed, s.Save(r, w))
				logout(2)
			})
			logout(3)
			if (step < 2) != errors.Is(failed, session.ErrNotFound) {
				t.Errorf("logout %s: Renew and Save: %v", name, failed)
			}
			b.wantValue(store, "k", nil)
			b.wantValue(store, "user", nil)
		}
	}
}

// What a renewal led to is ended through several of them, and by a later logout
// when the first one failed on the way.
func TestLogout_AfterSeveralRenewals(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	first := b.copy()
	for range 3 {
		b.gin(store, func(c *gin.Context) {
			if err := session.Renew(c); err != nil {
				t.Errorf("Renew: %v", err)
			}
		})
	}
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Close: r.Op == "DELETE", Skip: r.Op == "DELETE"}
	})
	if err := first.copy().logout(store); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("logout without an answer: %v, want ErrUnavailable", err)
	}
	server.Intercept(nil)
	if err := first.logout(store); err != nil {
		t.Errorf("logout: %v", err)
	}
	b.wantValue(store, "k", nil)
}

// renewAndEvict renews the session of a browser and has memcached evict what that
// leaves, and all else but the rosters and the new record. It returns the browser with
// the old cookie.
func renewAndEvict(t *testing.T, server *memcachedtest.Server, store *session.Store, b *browser) *browser {
	t.Helper()
	late, before := b.copy(), server.Keys()
	b.gin(store, func(c *gin.Context) {
		if err := session.Renew(c); err != nil {
			t.Errorf("Renew: %v", err)
		}
	})
	for _, key := range before {
		if !strings.Contains(key, "user:") {
			if err := newClient(t, server).Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	return late
}

// Once memcached has evicted what a renewal left, the user's roster still leads from
// the old cookie to the new session, if the user was bound before.
func TestLogout_AfterTheForwardWasEvicted(t *testing.T) {
	for name, load := range map[string]bool{"a request that came late": false, "one that had loaded the session": true} {
		server, store := newStore(t, nil)
		b := newLogin(t, store, "ada")
		var other *browser // logs in when all other records have been evicted
		if load {
			b.copy().gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
				renewAndEvict(t, server, store, b)
				s.Options.MaxAge = -1
				if err := s.Save(r, w); err != nil {
					t.Errorf("logout: %v", err)
				}
			})
			other = newLogin(t, store, "ada")
		} else {
			late := renewAndEvict(t, server, store, b)
			other = newLogin(t, store, "ada")
			if err := late.logout(store); err != nil {
				t.Errorf("logout: %v", err)
			}
		}
		b.wantValue(store, "user", nil)
		if got := other.value(store, "user"); got != "ada" {
			t.Errorf("%s ended another session of the user", name)
		}
	}
}

// So it does when the ten minutes are over, whatever was renewed since.
func TestLogout_OfABoundSessionWithAnOldCookie(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: time.Hour})
		b := newLogin(t, store, "ada")
		old := b.copy()
		for range 3 {
			b.login(store, "ada")
			time.Sleep(15 * time.Minute)
		}
		b.wantValue(store, "user", "ada")
		if err := old.logout(store); err != nil {
			t.Errorf("logout: %v", err)
		}
		b.wantValue(store, "user", nil)
	})
}

// The limit of it, which the documentation names: nothing leads to a session whose old
// cookie was nobody's.
func TestLogout_AfterTheForwardOfNobodysSessionWasEvicted(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "cart", 1)
	late := renewAndEvict(t, server, store, b)
	if err := late.logout(store); err != nil {
		t.Errorf("logout: %v", err)
	}
	b.wantValue(store, "cart", 1)
}

// A logout that neither finds the record nor reaches the roster has ended nothing, and
// says so.
func TestLogout_ThatReachesNeitherRecordNorRoster(t *testing.T) {
	server, store := newStore(t, nil)
	b := newLogin(t, store, "ada")
	late := renewAndEvict(t, server, store, b)
	roster := rosterOn(t, server).Key
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Key == roster {
			return memcachedtest.Action{Status: memcached.StatusTemporaryFailure}
		}
		return memcachedtest.Action{}
	})
	if err := late.copy().logout(store); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("logout: %v, want ErrUnavailable", err)
	}
	server.Intercept(nil)
	if err := late.logout(store); err != nil {
		t.Errorf("logout: %v", err)
	}
	b.wantValue(store, "user", nil)
}

// A login that is clicked twice is a login, whichever answer the browser keeps.
func TestRenew_DoubleClickedLogin(t *testing.T) {
	_, store := newStore(t, nil)
	for range 20 {
		b := newBrowser(t)
		b.set(store, "cart", 3)
		clicks := []*browser{b.copy(), b.copy()}
		var loaded, done sync.WaitGroup
		loaded.Add(len(clicks))
		for _, click := range clicks {
			done.Go(func() {
				rec := click.autosave(store, func(c *gin.Context) {
					ginsessions.Default(c).Get("cart")
					loaded.Done()
					loaded.Wait()
					err := session.Renew(c)
					if err == nil {
						ginsessions.Default(c).Set("user", "ada")
						err = session.Bind(c, "ada")
					}
					if err != nil {
						c.String(http.StatusServiceUnavailable, "%v", err)
						return
					}
					c.Status(http.StatusOK)
				})
				if rec.Code != http.StatusOK {
					t.Errorf("login: %d %s, want 200", rec.Code, rec.Body)
				}
			})
		}
		done.Wait()
		for _, click := range clicks {
			click.wantValue(store, "user", "ada")
			click.wantValue(store, "cart", 3)
		}
		b.wantValue(store, "cart", nil)
		if err := clicks[0].logout(store); err != nil {
			t.Errorf("logout: %v", err)
		}
		clicks[1].wantValue(store, "user", nil) // it was one login
	}
}

// What another request stored before the first renewal is in the second one's
// session, too.
func TestRenew_SecondOneLosesNothing(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	second := b.copy()
	second.gin(store, func(c *gin.Context) {
		ginsessions.Default(c).Set("mine", true)
		b.set(store, "theirs", true)
		b.gin(store, func(c *gin.Context) {
			if err := session.Renew(c); err != nil {
				t.Errorf("first Renew: %v", err)
			}
		})
		if err := session.Renew(c); err != nil {
			t.Errorf("second Renew: %v", err)
		}
	})
	for _, key := range []string{"mine", "theirs"} {
		second.wantValue(store, key, true)
	}
	b.wantValue(store, "mine", nil)
}

// The way from the old ID to the new session stays for its ten minutes where
// sessions idle for less, although a request that came late has loaded the old ID.
func TestLogout_FindsTheWayWithAShortIdleTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: time.Minute})
		b := newLogin(t, store, "ada")
		late := b.copy()
		b.login(store, "ada")
		late.wantValue(store, "user", nil)
		for range 9 {
			time.Sleep(50 * time.Second)
			b.wantValue(store, "user", "ada")
		}
		if err := late.logout(store); err != nil {
			t.Fatal(err)
		}
		b.wantValue(store, "user", nil)
	})
}
