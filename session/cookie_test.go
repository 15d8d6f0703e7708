package session_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

// attributes returns what follows the value in the only Set-Cookie field.
func attributes(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	fields := rec.Header().Values("Set-Cookie")
	if len(fields) != 1 {
		t.Fatalf("Set-Cookie = %q, want one field", fields)
	}
	_, after, _ := strings.Cut(fields[0], "; ")
	return after
}

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
	foreign := session.New(newClient(t, server), nil, []byte("another key"))
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
		"more than 292 years": 1 << 34,
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
		t.Errorf("memcached still holds %d entries", len(keys))
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

func TestKeyRotation(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	oldKey, newKey := []byte("the old key"), []byte("the new key")
	before := session.New(client, nil, oldKey, blockKey)
	during := session.New(client, nil, newKey, nil, oldKey, blockKey)
	after := session.New(client, nil, newKey)

	b := newBrowser(t)
	b.set(before, "k", 1)
	id := b.id(before)
	oldCookie := b.copy()

	b.wantValue(during, "k", 1)
	rec := b.set(during, "k", 2)
	if len(rec.Header().Values("Set-Cookie")) != 1 {
		t.Error("the cookie was not re-issued")
	}
	if got := b.id(after); got != id {
		t.Errorf("ID after the rotation = %q, want %q", got, id)
	}
	b.wantValue(after, "k", 2)

	server.ForgetRequests()
	oldCookie.wantValue(after, "k", nil)
	if n := server.RequestCount(); n != 0 {
		t.Errorf("a cookie of a removed key caused %d requests to memcached, want 0", n)
	}
}

// Pairs may differ in the encryption key alone.
func TestKeyRotation_OfTheEncryptionKey(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	other := []byte("another encryption key, 32 bytes")
	for name, before := range map[string][]byte{"encrypted": blockKey, "signed only": nil} {
		for _, after := range [][]byte{other, nil} {
			b := newBrowser(t)
			b.set(session.New(client, nil, authKey, before), "k", 1)
			during := session.New(client, nil, authKey, after, authKey, before)
			b.wantValue(during, "k", 1)
			b.set(during, "k", 2)
			b.wantValue(session.New(client, nil, authKey, after), "k", 2)
			if t.Failed() {
				t.Fatalf("%s before, %d bytes of encryption key after", name, len(after))
			}
		}
	}
}

func TestKeyRotation_SaveWithoutAChangeReissues(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	before := session.New(client, nil, []byte("old"))
	during := session.New(client, nil, []byte("new"), nil, []byte("old"))
	after := session.New(client, nil, []byte("new"))
	b := newBrowser(t)
	b.set(before, "k", 1)
	b.gorilla(during, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	b.wantValue(after, "k", 1)
}

func TestKeyRotation_ReissuesOnce(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	b := newBrowser(t)
	b.set(session.New(client, nil, []byte("old")), "k", 1)
	server.ForgetRequests()
	b.gorilla(session.New(client, nil, []byte("new"), nil, []byte("old")), func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		for range 3 {
			if err := s.Save(r, w); err != nil {
				t.Errorf("Save: %v", err)
			}
		}
	})
	if got, want := operations(server), "GAT SET+CAS"; got != want {
		t.Errorf("operations = %q, want %q", got, want)
	}
}

func TestKeyRotation_EntryLeftUnderTheOldKey(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	before := session.New(client, nil, []byte("old"), nil, []byte("new")) // a process not yet told of the rotation
	during := session.New(client, nil, []byte("new"), nil, []byte("old"))
	after := session.New(client, nil, []byte("new"))
	b := newBrowser(t)
	b.set(during, "k", 1)
	b.copy().set(before, "k", 2) // seals it under the old key again
	b.gorilla(after, func(_ http.ResponseWriter, _ *http.Request, s *sessions.Session, err error) {
		if !errors.Is(err, session.ErrDecode) || len(s.Values) != 0 {
			t.Errorf("Get of an entry under a removed key = %v, %v, want ErrDecode", s.Values, err)
		}
	})
	b.gorilla(during, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	b.wantValue(after, "k", 2)
}

func TestBadKeys(t *testing.T) {
	client := newClient(t, memcachedtest.Start(t, nil))
	for name, store := range map[string]*session.Store{
		"no keys":      session.New(client, nil),
		"no client":    session.New(nil, nil, authKey),
		"short block":  session.New(client, nil, authKey, []byte("short")),
		"empty second": session.New(client, nil, authKey, nil, nil),
	} {
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		s, err := store.Get(r, cookieName)
		if err == nil || s == nil {
			t.Errorf("%s: Get = %v, %v, want a session and an error", name, s, err)
			continue
		}
		s.Values["k"] = 1
		if err := s.Save(r, w); err == nil || len(w.Header().Values("Set-Cookie")) > 0 {
			t.Errorf("%s: Save = %v with cookies %q, want an error and none", name, err, w.Header().Values("Set-Cookie"))
		}
		for what, err := range map[string]error{
			"Renew":     store.Renew(r, s),
			"Bind":      store.Bind(r, s, "ada"),
			"RevokeAll": store.RevokeAll(t.Context(), "ada"),
		} {
			if err == nil {
				t.Errorf("%s: %s = nil, want an error", name, what)
			}
		}
	}
}

func TestNilArguments(t *testing.T) {
	_, store := newStore(t, nil)
	r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	s, _ := store.Get(r, cookieName)
	if s, err := store.Get(nil, cookieName); s == nil || err == nil {
		t.Errorf("Get(nil) = %v, %v, want a session and an error", s, err)
	}
	if s, err := store.New(nil, cookieName); s == nil || err == nil {
		t.Errorf("New(nil) = %v, %v, want a session and an error", s, err)
	}
	if s, err := store.Get(r, "bad name"); s == nil || err == nil {
		t.Errorf("Get(bad name) = %v, %v, want a session and an error", s, err)
	}
	for what, err := range map[string]error{
		"Save(nil, w, s)": store.Save(nil, w, s),
		"Save(r, nil, s)": store.Save(r, nil, s),
		"Save(r, w, nil)": store.Save(r, w, nil),
		"s.Save(nil, w)":  s.Save(nil, w),
		"s.Save(r, nil)":  s.Save(r, nil),
		"Renew(r, nil)":   store.Renew(r, nil),
		"Bind(nil, s, u)": store.Bind(nil, s, "u"),
		`Bind(r, s, "")`:  store.Bind(r, s, ""),
		"RevokeAll of ''": store.RevokeAll(t.Context(), ""),
	} {
		if err == nil {
			t.Errorf("%s = nil, want an error", what)
		}
	}
	s.Options = nil
	if err := s.Save(r, w); err == nil {
		t.Error("Save without Options = nil, want an error")
	}
}
