package session_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

func TestRenew_NewIDAndDataKept(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "cart", 3)
	planted, id := b.copy(), b.id(store)
	b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		if err := store.Renew(r, s); err != nil {
			t.Fatalf("Renew: %v", err)
		}
		if len(records(server)) != 0 {
			t.Error("the old record is alive after Renew")
		}
		if s.ID == id || s.ID == "" {
			t.Error("the ID did not change")
		}
		s.Values["user"] = "ada"
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	b.wantValue(store, "cart", 3)
	b.wantValue(store, "user", "ada")
	if b.id(store) == id {
		t.Error("the session still has its old ID")
	}
	planted.wantValue(store, "cart", nil)
	planted.wantValue(store, "user", nil)
}

func TestRenew_OldIDDiesFirst(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	server.ForgetRequests()
	b.gin(store, func(c *gin.Context) {
		if err := session.Renew(c); err != nil {
			t.Errorf("Renew: %v", err)
		}
	})
	if got, want := operations(server), "GAT SET+CAS ADD"; got != want {
		t.Errorf("operations = %q, want %q", got, want)
	}
}

func TestRenew_RequestInFlightCannotRecreateTheOldID(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	inFlight := b.copy()
	inFlight.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("k", 2)
		b.gin(store, func(c *gin.Context) {
			if err := session.Renew(c); err != nil {
				t.Errorf("Renew: %v", err)
			}
		})
		for range 2 {
			if err := s.Save(); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("Save: %v, want ErrNotFound", err)
			}
		}
	})
	if got := records(server); len(got) != 1 {
		t.Errorf("memcached holds %d sessions, want 1", len(got))
	}
	inFlight.wantValue(store, "k", nil)
	b.wantValue(store, "k", 1)
}

func TestRenew_CarriesOverWhatOthersStored(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("mine", true)
		b.copy().set(store, "theirs", true)
		if err := session.Renew(c); err != nil {
			t.Errorf("Renew: %v", err)
		}
	})
	for _, key := range []string{"mine", "theirs"} {
		b.wantValue(store, key, true)
	}
}

func TestRenew_OfTwoOnlyOneSurvives(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gin(store, func(c *gin.Context) {
		if err := session.Bind(c, "ada"); err != nil {
			t.Errorf("Bind: %v", err)
		}
	})
	loser := b.copy()
	loser.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Get("k")
		b.gin(store, func(c *gin.Context) {
			if err := session.Renew(c); err != nil {
				t.Errorf("first Renew: %v", err)
			}
		})
		if err := session.Renew(c); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("second Renew: %v, want ErrNotFound", err)
		}
		s.Set("user", "mallory")
		if err := s.Save(); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Save after the second Renew: %v, want ErrNotFound", err)
		}
	})
	if got := records(server); len(got) != 1 {
		t.Errorf("memcached holds %d sessions, want 1", len(got))
	}
	loser.wantValue(store, "user", nil)
	b.wantValue(store, "k", 1)
}

func TestRenew_FailureForbidsSavingUnderTheOldID(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Get("k")
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Close: r.Op == "SET", Skip: r.Op == "SET"}
		})
		if err := session.Renew(c); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Renew: %v, want ErrUnavailable", err)
		}
		server.Intercept(nil)
		s.Set("user", "ada")
		if err := s.Save(); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Save: %v, want ErrUnavailable", err)
		}
	})
	b.wantValue(store, "user", nil)
	b.wantValue(store, "k", 1)
}

func TestRenew_FailedCreateCanBeTriedAgain(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	old := b.copy()
	b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Mute: r.Op == "ADD", Close: r.Op == "ADD"}
		})
		if err := store.Renew(r, s); err != nil {
			t.Errorf("Renew: %v", err)
		}
		if err := s.Save(r, w); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Save: %v, want ErrUnavailable", err)
		}
		if w.Header().Get("Set-Cookie") != "" {
			t.Error("a failed login set a cookie")
		}
		server.Intercept(nil)
		if err := s.Save(r, w); err != nil {
			t.Errorf("second Save: %v", err)
		}
	})
	b.wantValue(store, "k", 1)
	old.wantValue(store, "k", nil)
}

func TestRenew_OfASessionWithoutValues(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	before := b.cookie(cookieName)
	b.gin(store, func(c *gin.Context) {
		ginsessions.Default(c).Clear()
		if err := session.Renew(c); err != nil {
			t.Errorf("Renew: %v", err)
		}
	})
	if after := b.cookie(cookieName); after == before || b.id(store) == "" {
		t.Error("the session is gone, or has its old ID")
	}
}

func TestRenew_OfANewSession(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.gin(store, func(c *gin.Context) {
		if err := session.Renew(c); err != nil {
			t.Errorf("Renew: %v", err)
		}
		if n := server.RequestCount(); n != 0 {
			t.Errorf("%d requests for an empty session, want 0", n)
		}
		s := ginsessions.Default(c)
		s.Set("user", "ada")
		mustSave(t, s)
	})
	b.wantValue(store, "user", "ada")
}

func TestGinSave_SeesNoChangeAfterStoreRenew(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		inner := s.(interface{ Session() *sessions.Session }).Session()
		if err := store.Renew(c.Request, inner); err != nil {
			t.Errorf("Renew: %v", err)
		}
		mustSave(t, s) // does nothing: this is why the function Renew saves at once
		if got := c.Writer.Header().Get("Set-Cookie"); got != "" {
			t.Errorf("Set-Cookie = %q; gin-contrib's Save has changed, and the documentation with it", got)
		}
	})
	b.wantValue(store, "k", nil)
}

func TestGinFunctions_WithoutASession(t *testing.T) {
	_, store := newStore(t, nil)
	handlers := map[string]*gin.Engine{"no middleware": gin.New(), "many": gin.New(), "another store": gin.New()}
	handlers["many"].Use(ginsessions.SessionsMany([]string{"a", "b"}, store))
	handlers["another store"].Use(ginsessions.Sessions("s", foreignStore{sessions.NewCookieStore(authKey)}))
	for name, e := range handlers {
		e.GET("/", func(c *gin.Context) {
			if session.Renew(c) == nil || session.Bind(c, "ada") == nil {
				t.Errorf("%s: Renew or Bind = nil, want an error", name)
			}
		})
		newBrowser(t).send(e)
	}
}

type foreignStore struct{ *sessions.CookieStore }

func (foreignStore) Options(ginsessions.Options) {}

func TestLogout_WinsAgainstARequestInFlight(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	inFlight := b.copy()
	inFlight.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("k", 2)
		if err := b.logout(store); err != nil {
			t.Errorf("logout: %v", err)
		}
		if err := s.Save(); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Save: %v, want ErrNotFound", err)
		}
		if err := session.Renew(c); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Renew: %v, want ErrNotFound", err)
		}
		if c.Writer.Header().Get("Set-Cookie") != "" {
			t.Error("a request that lost against a logout set a cookie")
		}
	})
	if keys := server.Keys(); len(keys) != 0 {
		t.Errorf("memcached holds %d items, want none", len(keys))
	}
}
