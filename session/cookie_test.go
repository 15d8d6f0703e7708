package session_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

func TestCookie_Defaults(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	if got, want := attributes(t, b.set(store, "k", 1)), "Path=/; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("cookie attributes = %q, want %q", got, want)
	}
	b = newBrowser(t)
	b.tls = true
	if got, want := attributes(t, b.set(store, "k", 1)), "Path=/; HttpOnly; Secure; SameSite=Lax"; got != want {
		t.Errorf("cookie attributes over TLS = %q, want %q", got, want)
	}
}

func TestCookie_OptionsAreUsedAsGiven(t *testing.T) {
	tests := []struct {
		options ginsessions.Options
		want    string
	}{
		{ginsessions.Options{}, ""},
		{ginsessions.Options{Domain: "example.test"}, "Domain=example.test"},
		{ginsessions.Options{Path: "/app", Secure: true}, "Path=/app; Secure"},
		{ginsessions.Options{SameSite: http.SameSiteStrictMode}, "SameSite=Strict"},
	}
	for _, tt := range tests {
		_, store := newStore(t, nil)
		store.Options(tt.options)
		b := newBrowser(t)
		b.tls = true // changes nothing once options are given
		if got := attributes(t, b.set(store, "k", 1)); got != tt.want {
			t.Errorf("Options(%+v): cookie attributes = %q, want %q", tt.options, got, tt.want)
		}
	}
}

func TestCookie_OptionsOfOneSession(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	rec := b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Options(ginsessions.Options{Path: "/only", HttpOnly: true})
		if err := s.Save(); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if got, want := attributes(t, rec), "Path=/only; HttpOnly"; got != want {
		t.Errorf("cookie attributes = %q, want %q", got, want)
	}
	b.wantValue(store, "k", 1)
}

func TestCookie_SeveralOfOneName(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", cookieName+"=planted; "+cookieName+"="+b.cookie(cookieName))
	s, err := store.Get(r, cookieName)
	if err != nil || s.Values["k"] != 1 {
		t.Errorf("Get with a planted cookie in front = %v, %v, want the session", s.Values, err)
	}
}

func TestCookie_ForgedOnesAreNotLookedUp(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	real := b.cookie(cookieName)
	raw, err := base64.RawURLEncoding.DecodeString(real)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	foreign := storeOn(t, newClient(t, server), nil, keyOf("another key"))
	other := newBrowser(t)
	other.set(foreign, "k", 2)
	server.ForgetRequests()
	for name, value := range map[string]string{
		"changed":         base64.URLEncoding.EncodeToString(raw),
		"cut":             real[:len(real)/2],
		"empty":           "",
		"garbage":         "garbage",
		"very long":       strings.Repeat("A", 100_000),
		"of another key":  other.cookie(cookieName),
		"an ID in base64": base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
		"with CR and LF":  "a%0d%0ab",
	} {
		forged := newBrowser(t)
		forged.jar[cookieName] = value
		if got := forged.value(store, "k"); got != nil {
			t.Errorf("%s: Get(k) = %v, want nil", name, got)
		}
	}
	if n := server.RequestCount(); n != 0 {
		t.Errorf("forged cookies caused %d requests to memcached, want 0", n)
	}
}

func TestCookie_OfAnotherNameIsNotAccepted(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "admin", Value: b.cookie(cookieName)})
	if s, err := store.Get(r, "admin"); err != nil || !s.IsNew {
		t.Errorf("Get(admin) with another session's cookie: IsNew %t, %v, want a new session", s.IsNew, err)
	}
}

func TestCookie_NotSentAgainWhileItIsRight(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	if got := b.set(store, "k", 2).Header().Values("Set-Cookie"); len(got) != 0 {
		t.Errorf("Set-Cookie after a change of values = %q, want none", got)
	}
	b.wantValue(store, "k", 2)
}

func TestCookie_OneFieldPerResponse(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	rec := b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		for n := range 3 {
			s.Values["n"] = n
			if err := s.Save(r, w); err != nil {
				t.Errorf("Save: %v", err)
			}
			if err := store.Renew(r, s); err != nil {
				t.Errorf("Renew: %v", err)
			}
		}
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if got := rec.Header().Values("Set-Cookie"); len(got) != 2 || !strings.HasPrefix(got[0], "theme=") {
		t.Errorf("Set-Cookie = %q, want the theme and one session", got)
	}
	b.wantValue(store, "n", 2)
}

// A cookie whose Path or Domain has changed stays in the browser beside the new
// one, and is sent first when it is older: the session is that of the first one
// that is alive.
func TestCookie_AnEndedOneInFront(t *testing.T) {
	_, store := newStore(t, nil)
	old, b := newLogin(t, store, "ada"), newLogin(t, store, "ada")
	left := old.cookie(cookieName)
	if err := old.logout(store); err != nil {
		t.Fatal(err)
	}
	for name, cookies := range map[string][]string{
		"in front": {left, b.cookie(cookieName)},
		"behind":   {b.cookie(cookieName), left},
		"all over": {left, "planted", left, b.cookie(cookieName), left},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", cookieName+"="+strings.Join(cookies, "; "+cookieName+"="))
		if s, err := store.Get(r, cookieName); err != nil || s.IsNew || s.Values["user"] != "ada" {
			t.Errorf("an ended cookie %s: Get = %v, %v, want ada's session", name, s.Values, err)
		}
	}
}

// A login beside an old session that is alive counts at the next request, and a
// logout does not bring the old one back.
func TestCookie_SeveralAlive(t *testing.T) {
	_, store := newStore(t, nil)
	old, b := newBrowser(t), newBrowser(t)
	old.set(store, "cart", "of an old path")
	b.set(store, "cart", "of the new path")
	both := func(f func(w http.ResponseWriter, r *http.Request, s *sessions.Session)) {
		b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Cookie", cookieName+"="+old.cookie(cookieName)+"; "+cookieName+"="+b.cookie(cookieName))
			s, err := store.Get(r, cookieName)
			if err != nil {
				t.Errorf("Get: %v", err)
			}
			f(w, r, s)
		}))
	}
	third := newBrowser(t)
	third.set(store, "cart", "of a domain")
	both(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
		r.Header.Add("Cookie", cookieName+"="+third.cookie(cookieName))
		s.Values["user"] = "ada"
		if err := errors.Join(store.Renew(r, s), store.Bind(r, s, "ada"), s.Save(r, w)); err != nil {
			t.Errorf("login: %v", err)
		}
	})
	both(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
		if s.Values["user"] != "ada" {
			t.Errorf("after the login the session is %v, want ada's", s.Values)
		}
	})
	third.wantValue(store, "cart", nil)
	other := newLogin(t, store, "ada")
	both(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
		r.Header.Add("Cookie", cookieName+"="+other.cookie(cookieName))
		s.Options.MaxAge = -1
		if err := s.Save(r, w); err != nil {
			t.Errorf("logout: %v", err)
		}
	})
	other.wantValue(store, "user", nil)
}

// What a request can make the store look up is bounded.
func TestCookie_ManyOfOneName(t *testing.T) {
	server, store := newStore(t, nil)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for range 100 {
		b := newBrowser(t)
		b.set(store, "k", 1)
		r.AddCookie(&http.Cookie{Name: cookieName, Value: b.cookie(cookieName)})
	}
	for _, key := range server.Keys() { // evicted
		server.SetItem(&memcached.Item{Key: key, TTL: -time.Second})
	}
	server.ForgetRequests()
	if s, err := store.Get(r, cookieName); err != nil || !s.IsNew {
		t.Errorf("Get = %v, %v, want a new session", s.Values, err)
	}
	if n := server.RequestCount(); n == 0 || n > 8 {
		t.Errorf("100 cookies caused %d requests to memcached, want 8 at most", n)
	}
}
