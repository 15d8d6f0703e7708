package session_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

func TestMaxAge_ZeroIsABrowserSessionWithAFiniteLife(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	if got := attributes(t, b.set(store, "k", 1)); strings.Contains(got, "Max-Age") || strings.Contains(got, "Expires") {
		t.Errorf("cookie attributes = %q, want no Max-Age and no Expires", got)
	}
	for _, key := range server.Keys() {
		if item, _ := server.Item(key); item.TTL <= 0 || item.TTL > 20*time.Minute {
			t.Errorf("time to live = %v, want up to 20 min", item.TTL)
		}
	}
}

func TestMaxAge_Long(t *testing.T) {
	for name, maxAge := range map[string]int{
		"30 days":             30 * 86400,
		"30 days and 1 s":     30*86400 + 1,
		"365 days":            365 * 86400,
		"68 years":            math.MaxInt32,
		"as long as int goes": math.MaxInt, // on 64 bits more than a Duration holds
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, store := newStore(t, &session.Options{IdleTimeout: 400 * 24 * time.Hour, AbsoluteTimeout: 500 * 24 * time.Hour})
				store.Options(ginsessions.Options{Path: "/", MaxAge: maxAge})
				b := newBrowser(t)
				b.set(store, "k", 1)
				life := min(time.Duration(maxAge), 400*86400) * time.Second
				time.Sleep(life - 2*time.Second)
				b.wantValue(store, "k", 1)
				if life < 400*24*time.Hour {
					time.Sleep(2 * time.Second)
					b.wantValue(store, "k", nil)
				}
			})
		})
	}
}

func TestMaxAge_BeginsAnewWithEveryWrite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		store.Options(ginsessions.Options{Path: "/", MaxAge: 60})
		b := newBrowser(t)
		for n := range 5 {
			if got := attributes(t, b.set(store, "k", n)); !strings.Contains(got, "Max-Age=60") {
				t.Errorf("cookie attributes = %q, want Max-Age=60", got)
			}
			time.Sleep(50 * time.Second)
			b.wantValue(store, "k", n)
		}
		time.Sleep(10 * time.Second)
		b.wantValue(store, "k", nil)
	})
}

func TestMaxAge_CanBeTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		b := newBrowser(t)
		for _, maxAge := range []int{60, 0} {
			b.gin(store, func(c *gin.Context) {
				s := ginsessions.Default(c)
				s.Set("k", 1)
				s.Options(ginsessions.Options{Path: "/app", MaxAge: maxAge})
				mustSave(t, s)
			})
		}
		time.Sleep(2 * time.Minute)
		b.wantValue(store, "k", 1)
	})
}

func TestMaxAge_KeptWhenTheCookieIsMadeAnew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		b := newBrowser(t)
		b.gin(store, func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Options(ginsessions.Options{Path: "/", HttpOnly: true, MaxAge: 3600})
			s.Set("k", 1)
			if err := s.Save(); err != nil {
				t.Errorf("Save: %v", err)
			}
		})
		time.Sleep(10 * time.Minute)
		rec := b.gin(store, func(c *gin.Context) {
			if err := session.Renew(c); err != nil {
				t.Errorf("Renew: %v", err)
			}
		})
		if got := attributes(t, rec); !strings.Contains(got, "Max-Age=3000;") {
			t.Errorf("cookie attributes = %q, want Max-Age=3000", got)
		}
	})
}

func TestMaxAge_NegativeDeletes(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	thief := b.copy()
	if err := b.logout(store); err != nil {
		t.Fatalf("logout: %v", err)
	}
	if keys := server.Keys(); len(keys) != 0 {
		t.Errorf("memcached still holds %d items", len(keys))
	}
	if b.cookie(cookieName) != "" {
		t.Error("the browser still has the cookie")
	}
	thief.wantValue(store, "k", nil)
}

func TestMaxAge_NegativeWithoutASession(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	if err := b.logout(store); err != nil {
		t.Errorf("logout of nobody: %v", err)
	}
	if n := server.RequestCount(); n != 0 {
		t.Errorf("logout of nobody caused %d requests to memcached, want 0", n)
	}
}

func TestMaxAge_NegativeThenAgain(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	old := b.copy()
	b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		options := *s.Options
		s.Options.MaxAge = -1
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
		s.Options = &options
		clear(s.Values)
		s.Values["fresh"] = true
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save of a new session after the logout: %v", err)
		}
	})
	b.wantValue(store, "fresh", true)
	b.wantValue(store, "k", nil)
	old.wantValue(store, "fresh", nil)
}
