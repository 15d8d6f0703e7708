package session_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"slices"
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

// Somebody plants a session of their own before the login, and keeps trying
// with every cookie that they have seen.
func TestAttack_Fixation(t *testing.T) {
	_, store := newStore(t, nil)
	mallory := newBrowser(t)
	mallory.set(store, "cart", 1)
	ada := mallory.copy()
	ada.login(store, "ada")
	seen := []*browser{mallory, ada.copy()}
	ada.login(store, "ada")
	ada.wantValue(store, "user", "ada")
	for i, thief := range seen {
		if thief.value(store, "user") != nil {
			t.Errorf("cookie %d from before the login is logged in", i)
		}
		thief.set(store, "user", "mallory") // makes a session of its own
	}
	ada.wantValue(store, "user", "ada")
}

func TestAttack_Replay(t *testing.T) {
	ends := map[string]func(b *browser, store *session.Store) error{
		"logout": func(b *browser, store *session.Store) error { return b.logout(store) },
		"login":  func(b *browser, store *session.Store) error { b.login(store, "ada"); return nil },
		"revocation": func(b *browser, store *session.Store) error {
			return store.RevokeAll(b.t.Context(), "ada")
		},
		"timeout": func(*browser, *session.Store) error { time.Sleep(20 * time.Minute); return nil },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, store := newStore(t, nil)
				b := newLogin(t, store, "ada")
				stolen := b.copy()
				if err := end(b, store); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					stolen.copy().wantValue(store, "user", nil)
					thief := stolen.copy()
					thief.set(store, "fresh", true)
					if thief.cookie(cookieName) == stolen.cookie(cookieName) {
						t.Error("the old ID was taken up again")
					}
				}
				stolen.wantValue(store, "fresh", nil)
			})
		})
	}
}

// Whoever can write to memcached puts records in each other's place: a session
// in that of another one, of a roster, of a session of another store; a roster
// in that of another user.
func TestAttack_SwappedRecords(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	store, foreign := storeOn(t, client, nil, authKey), storeOn(t, client, nil, keyOf("another key"))
	browsers := map[string]*browser{"ada": newLogin(t, store, "ada"), "bob": newLogin(t, store, "bob")}
	newLogin(t, foreign, "ada")
	stored := map[string][]byte{}
	for _, key := range server.Keys() {
		item, _ := server.Item(key)
		stored[key] = bytes.Clone(item.Value)
	}
	keys := slices.Sorted(maps.Keys(stored))
	if len(keys) != 6 {
		t.Fatalf("the server holds %q, want three sessions and three rosters", keys)
	}
	for _, to := range keys {
		for _, from := range keys {
			server.SetItem(&memcached.Item{Key: to, Value: bytes.Clone(stored[from])})
			for user, b := range browsers {
				b.gorilla(store, func(_ http.ResponseWriter, _ *http.Request, s *sessions.Session, err error) {
					got := s.Values["user"]
					switch {
					case from == to && (got != user || err != nil):
						t.Errorf("%s's session = %v, %v", user, s.Values, err)
					case got != nil && got != user:
						t.Errorf("%s's session is %v's, with %q in the place of %q", user, got, from, to)
					case got == nil && err != nil && !errors.Is(err, session.ErrDecode):
						t.Errorf("%s's session: %v, want ErrDecode", user, err)
					}
				})
			}
			server.SetItem(&memcached.Item{Key: to, Value: bytes.Clone(stored[to])})
		}
	}
	for user, b := range browsers {
		b.wantValue(store, "user", user)
	}
}

// Two applications on one memcached, with one prefix and keys of their own.
func TestAttack_TwoStoresOnOneServer(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	shop, forum := storeOn(t, client, nil, authKey), storeOn(t, client, nil, keyOf("another key"))
	b, other := newLogin(t, shop, "ada"), newLogin(t, forum, "ada")
	b.wantValue(forum, "user", nil)
	other.wantValue(shop, "user", nil)
	if err := forum.RevokeAll(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	b.wantValue(shop, "user", "ada")
	other.wantValue(forum, "user", nil)
	both := b.copy() // of which only one cookie is sent under the name
	both.set(forum, "user", "eve")
	both.wantValue(shop, "user", nil)
	b.wantValue(shop, "user", "ada")
}

func TestAttack_CookiesOfTwoNamesSwapped(t *testing.T) {
	for name, keys := range map[string][][]byte{"signed": {authKey}, "encrypted": {authKey, blockKey}} {
		t.Run(name, func(t *testing.T) {
			store := storeOn(t, newClient(t, memcachedtest.Start(t, nil)), nil, keys...)
			e := gin.New()
			e.Use(ginsessions.SessionsMany([]string{"user", "admin"}, store))
			e.GET("/", func(c *gin.Context) {
				for _, name := range []string{"user", "admin"} {
					s := ginsessions.DefaultMany(c, name)
					if got := s.Get("name"); got != nil && got != name {
						t.Errorf("session %s is that of %v", name, got)
					}
					s.Set("name", name)
					mustSave(t, s)
				}
			})
			b := newBrowser(t)
			b.send(e)
			swapped := b.copy()
			swapped.jar["user"], swapped.jar["admin"] = b.jar["admin"], b.jar["user"]
			swapped.send(e)
			b.send(e)
		})
	}
}

// Every cookie that is a bit, a byte or a letter away from a good one.
func TestAttack_CookiesNearAGoodOne(t *testing.T) {
	server, store := newStore(t, nil)
	b := newLogin(t, store, "ada")
	good := b.cookie(cookieName)
	near := []string{good + "A", "A" + good, good + good, strings.ToUpper(good), strings.ToLower(good), good + "=", " " + good[1:]}
	for i := range good {
		near = append(near, good[:i], good[i+1:], good[:i]+"_"+good[i+1:], good[:i]+"A"+good[i:])
	}
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		changed := bytes.Clone(raw)
		changed[bit/8] ^= 1 << (bit % 8)
		near = append(near, base64.RawURLEncoding.EncodeToString(changed))
	}
	server.ForgetRequests()
	for _, value := range near {
		if value == good {
			continue
		}
		forged := newBrowser(t)
		forged.jar[cookieName] = value
		if forged.value(store, "user") != nil {
			t.Errorf("%q is as good as %q", value, good)
		}
	}
	if n := server.RequestCount(); n != 0 {
		t.Errorf("forged cookies caused %d requests to memcached, want 0", n)
	}
	b.wantValue(store, "user", "ada")
}

// Headers as large as servers take, full of cookies.
func TestAttack_ManyAndLargeCookies(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	good := cookieName + "=" + b.cookie(cookieName)
	forged := cookieName + "=" + strings.Repeat("A", len(b.cookie(cookieName)))
	for name, header := range map[string]string{
		"many forged":  strings.Repeat(forged+"; ", 5000) + good,
		"one of 1 MB":  cookieName + "=" + strings.Repeat("A", 1<<20) + "; " + good,
		"of all names": strings.Repeat("x=1;", 100_000) + good,
		"separators":   strings.Repeat(";= ", 100_000) + ";" + good,
	} {
		server.ForgetRequests()
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Cookie", header)
		s, err := store.Get(r, cookieName)
		if err != nil || s.Values["k"] != 1 {
			t.Errorf("%s: Get = %v, %v, want the session", name, s.Values, err)
		}
		if n := server.RequestCount(); n != 1 {
			t.Errorf("%s: %d requests to memcached, want 1", name, n)
		}
	}
}

func TestAttack_UserNames(t *testing.T) {
	_, store := newStore(t, nil)
	// Composed and decomposed, of other scripts that look alike, with what ends
	// strings or lines elsewhere: all of them are different users.
	users := []string{
		"ada", "Ada", "ada ", "ada\x00", "ada\r\nset x 0 0 1", "\u0430d\u0430", "ad\u00e0", "ada\u0300", "\xff\xfe", "0", strings.Repeat("a", 100_000),
	}
	browsers := make([]*browser, len(users))
	for i, user := range users {
		browsers[i] = newLogin(t, store, user)
	}
	for i, user := range users {
		if err := store.RevokeAll(t.Context(), user); err != nil {
			t.Fatalf("RevokeAll(%.20q): %v", user, err)
		}
		browsers[i].wantValue(store, "user", nil)
		if i+1 < len(users) && browsers[i+1].value(store, "user") != users[i+1] {
			t.Errorf("RevokeAll(%.20q) ended the session of %.20q", user, users[i+1])
		}
	}
}

// Renewing often leaves one session, one cookie and the values.
func TestAttack_RenewedTwice(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	seen := map[string]bool{}
	for _, steps := range []string{"RRS", "RSRS", "RSRRS", "SRSRS"} {
		seen[b.cookie(cookieName)] = true
		before := b.copy()
		rec := b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			for _, step := range steps {
				var err error
				if step == 'R' {
					err = store.Renew(r, s)
				} else {
					err = s.Save(r, w)
				}
				if err != nil {
					t.Errorf("%s: %v", steps, err)
				}
			}
		})
		if n := len(rec.Header().Values("Set-Cookie")); n != 1 {
			t.Errorf("%s: %d Set-Cookie fields, want 1", steps, n)
		}
		if seen[b.cookie(cookieName)] {
			t.Errorf("%s: the cookie was there before", steps)
		}
		before.wantValue(store, "k", nil)
		b.wantValue(store, "k", 1)
		if n := len(records(server)); n != 1 {
			t.Errorf("%s: the server holds %d sessions, want 1", steps, n)
		}
	}
}

// restart restarts a server, and returns when the client has a connection again: what it
// writes to one that has ended fails, and may or may not have been done.
func restart(t *testing.T, server *memcachedtest.Server, client *memcached.Client) {
	t.Helper()
	server.Stop()
	if err := server.Restart(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for client.Ping(ctx) != nil {
		if ctx.Err() != nil {
			t.Error("the client does not come back to a server that was restarted")
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// A server that lost everything between load and save, or between requests,
// does not get sessions back from those that remember them.
func TestAttack_ServerLosesEverything(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	// With one connection: no other is being made, or left over, when the server ends.
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{Timeout: 10 * time.Second, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	store := storeOn(t, client, nil, authKey)
	b := newLogin(t, store, "ada")
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("k", s.Get("user"))
		restart(t, server, client)
		if err := s.Save(); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Save after the server lost everything: %v, want ErrNotFound", err)
		}
		if err := session.Renew(c); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Renew after the server lost everything: %v, want ErrNotFound", err)
		}
	})
	if n := len(server.Keys()); n != 0 {
		t.Errorf("the server holds %d items, want 0", n)
	}
	b.wantValue(store, "user", nil)
	old := b.copy()
	b.login(store, "ada")
	b.wantValue(store, "user", "ada")
	old.wantValue(store, "user", nil)
}
