package session_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

func TestOperations(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	tests := []struct {
		name    string
		handler gin.HandlerFunc
		want    string // the operations that memcached sees
		cookies int
	}{
		{"new session, not touched", func(*gin.Context) {}, "", 0},
		{"new session, read", func(c *gin.Context) { ginsessions.Default(c).Get("k") }, "", 0},
		{"new session, saved empty", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Delete("k")
			mustSave(t, s)
		}, "", 0},
		{"created", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", "v")
			mustSave(t, s)
		}, "ADD", 1},
		{"not touched", func(*gin.Context) {}, "", 0},
		{"read", func(c *gin.Context) { ginsessions.Default(c).Get("k") }, "GAT", 0},
		{"read twice", func(c *gin.Context) {
			ginsessions.Default(c).Get("k")
			ginsessions.Default(c).Get("l")
		}, "GAT", 0},
		{"read and saved", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Get("k")
			mustSave(t, s)
		}, "GAT", 0},
		{"set to an equal value", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", "v")
			mustSave(t, s)
		}, "GAT", 0},
		{"absent key deleted", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Delete("nothing")
			mustSave(t, s)
		}, "GAT", 0},
		{"flashes read, none there", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Flashes()
			mustSave(t, s)
		}, "GAT", 0},
		{"changed", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", "w")
			mustSave(t, s)
		}, "GAT SET+CAS", 0},
		{"changed twice", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("k", 1)
			mustSave(t, s)
			s.Set("k", 2)
			mustSave(t, s)
			mustSave(t, s)
		}, "GAT SET+CAS GET SET+CAS", 0},
		{"options changed, saved twice", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Options(ginsessions.Options{Path: "/", HttpOnly: true})
			mustSave(t, s)
			s.Delete("nothing")
			mustSave(t, s)
		}, "GAT SET+CAS", 1},
		{"bound, saved twice", func(c *gin.Context) {
			if err := session.Bind(c, "ada"); err != nil {
				t.Errorf("Bind: %v", err)
			}
			s := ginsessions.Default(c)
			s.Delete("nothing")
			mustSave(t, s)
		}, "GAT GAT ADD SET+CAS", 1},
		{"bound, read", func(c *gin.Context) { ginsessions.Default(c).Get("k") }, "GAT GET", 0},
		{"renewed", func(c *gin.Context) {
			if err := session.Renew(c); err != nil {
				t.Errorf("Renew: %v", err)
			}
		}, "GAT GET DELETE+CAS ADD", 1},
		{"deleted", func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Options(ginsessions.Options{Path: "/", MaxAge: -1})
			mustSave(t, s)
		}, "GAT GET DELETE", 1},
	}
	for _, tt := range tests {
		server.ForgetRequests()
		rec := b.gin(store, tt.handler)
		if got := operations(server); got != tt.want {
			t.Errorf("%s: operations = %q, want %q", tt.name, got, tt.want)
		}
		if got := len(rec.Header().Values("Set-Cookie")); got != tt.cookies {
			t.Errorf("%s: %d Set-Cookie fields, want %d", tt.name, got, tt.cookies)
		}
	}
}

func mustSave(t testing.TB, s ginsessions.Session) {
	t.Helper()
	if err := s.Save(); err != nil {
		t.Errorf("Save: %v", err)
	}
}

// operations lists what a server was asked since its record was begun. A GET
// beside a GAT, both at once, comes behind it.
func operations(server *memcachedtest.Server) string {
	var ops []string
	for _, r := range server.Requests() {
		if r.Op == "NOOP" { // greets a new connection
			continue
		}
		op := strings.Replace(r.Op, "GATK", "GAT", 1)
		if r.CAS != 0 {
			op += "+CAS"
		}
		ops = append(ops, op)
	}
	if len(ops) > 1 && ops[0] == "GET" && ops[1] == "GAT" {
		ops[0], ops[1] = ops[1], ops[0]
	}
	return strings.Join(ops, " ")
}

func TestNeverAnUnconditionalWrite(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	for n := range 5 {
		b.set(store, "k", n)
	}
	b.gin(store, func(c *gin.Context) {
		if err := errors.Join(session.Renew(c), session.Bind(c, "ada")); err != nil {
			t.Error(err)
		}
	})
	for _, r := range server.Requests() {
		if strings.HasPrefix(r.Op, "SET") && r.CAS == 0 {
			t.Errorf("a %s without CAS was sent", r.Op)
		}
	}
}

func TestUnknownIDs_AreNeverAdopted(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	id, cookie := b.id(store), b.cookie(cookieName)
	for _, key := range server.Keys() { // evicted
		if err := newClient(t, server).Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, err error) {
		if err != nil || !s.IsNew || s.ID != "" || len(s.Values) != 0 {
			t.Errorf("Get of an evicted session = %+v, %v, want a new one and no error", s, err)
		}
		s.Values["k"] = 2
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if b.id(store) == id || b.cookie(cookieName) == cookie {
		t.Error("the new session has the old one's ID")
	}
}

func TestIDs_AreUniqueAndOf256Bits(t *testing.T) {
	_, store := newStore(t, nil)
	seen := map[string]bool{}
	for range 1000 {
		b := newBrowser(t)
		b.set(store, "k", 1)
		id := b.id(store)
		if raw, err := base64.RawURLEncoding.DecodeString(id); err != nil || len(raw) != 32 {
			t.Fatalf("ID %q has %d bytes, %v, want 32", id, len(raw), err)
		}
		if seen[id] || seen[b.cookie(cookieName)] {
			t.Fatal("two sessions have one ID")
		}
		seen[id], seen[b.cookie(cookieName)] = true, true
	}
}

func TestDump_GivesNothingAway(t *testing.T) {
	for name, keys := range map[string][][]byte{"signed": {authKey}, "encrypted": {authKey, blockKey}} {
		t.Run(name, func(t *testing.T) {
			server := memcachedtest.Start(t, nil)
			store := session.New(newClient(t, server), nil, keys...)
			b := newBrowser(t)
			b.gin(store, func(c *gin.Context) {
				s := ginsessions.Default(c)
				s.Set("e-mail address", "ada@example.test")
				s.Set("card number", int64(4111111111111111))
				if err := session.Bind(c, "ada@example.test"); err != nil {
					t.Errorf("Bind: %v", err)
				}
			})
			secrets := [][]byte{[]byte("ada@ex"), []byte("example.test"), []byte("e-mail address"), []byte("card number"), authKey, blockKey}
			secrets = append(secrets, fragments(t, b.cookie(cookieName), b.id(store))...)
			for _, key := range server.Keys() {
				item, _ := server.Item(key)
				for _, secret := range secrets {
					if bytes.Contains([]byte(key), secret) || bytes.Contains(item.Value, secret) {
						t.Errorf("memcached holds %q", secret)
					}
				}
				for _, forged := range []string{key, string(item.Value), strings.TrimPrefix(key, "session:"), base64.URLEncoding.EncodeToString(item.Value)} {
					thief := newBrowser(t)
					thief.jar[cookieName] = strings.Map(cookieOctet, forged)
					thief.wantValue(store, "e-mail address", nil)
				}
			}
		})
	}
}

// fragments are what of a cookie and of an ID would give them away.
func fragments(t *testing.T, cookie, id string) [][]byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		t.Fatal(err)
	}
	public, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{[]byte(cookie), []byte(id), raw, public, public[:16], raw[1:17], raw[17:33], raw[1:33]}
}

func cookieOctet(r rune) rune {
	if r <= ' ' || r >= 0x7f || strings.ContainsRune(`";,\`, r) {
		return 'x'
	}
	return r
}

func TestSizes(t *testing.T) {
	server, store := newStore(t, &session.Options{MaxSize: 110_000})
	b := newBrowser(t)
	for _, size := range []int{1, 10, 100, 1000, 10_000, 100_000} {
		b.set(store, "data", strings.Repeat("x", size))
		if got, _ := b.value(store, "data").(string); len(got) != size {
			t.Errorf("%d bytes came back as %d", size, len(got))
		}
	}
	server.ForgetRequests()
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("data", strings.Repeat("x", 110_000))
		if err := s.Save(); !errors.Is(err, session.ErrTooLarge) || !errors.Is(err, memcached.ErrTooLarge) {
			t.Errorf("Save above MaxSize: %v, want ErrTooLarge", err)
		}
	})
	if got := operations(server); got != "GAT" {
		t.Errorf("operations = %q, want nothing but the load", got)
	}
	if got, _ := b.value(store, "data").(string); len(got) != 100_000 {
		t.Errorf("the previous session has %d bytes, want 100,000", len(got))
	}
}

func TestSizes_AboveTheServersLimit(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "data", strings.Repeat("x", 1_040_000))
	for _, size := range []int{1 << 20, 4 << 20} {
		b.gin(store, func(c *gin.Context) {
			s := ginsessions.Default(c)
			s.Set("data", strings.Repeat("y", size))
			if err := s.Save(); !errors.Is(err, session.ErrTooLarge) {
				t.Errorf("Save of %d bytes: %v, want ErrTooLarge", size, err)
			}
		})
	}
	if got, _ := b.value(store, "data").(string); len(got) != 1_040_000 {
		t.Errorf("the previous session has %d bytes, want 1,040,000", len(got))
	}
}

func TestParallelRequests_LoseNothing(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "start", true)
	const n = 20
	var wg sync.WaitGroup
	loaded := make(chan struct{})
	var ready sync.WaitGroup
	ready.Add(n)
	for i := range n {
		wg.Go(func() {
			b.gin(store, func(c *gin.Context) {
				s := ginsessions.Default(c)
				s.Set(fmt.Sprint("key", i), i)
				ready.Done()
				<-loaded // all have loaded before any saves
				mustSave(t, s)
			})
		})
	}
	ready.Wait()
	close(loaded)
	wg.Wait()
	for i := range n {
		b.wantValue(store, fmt.Sprint("key", i), i)
	}
}

func TestConflict_IsGivenUpInTheEnd(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.CAS != 0 {
			return memcachedtest.Action{Status: 0x02} // key exists
		}
		return memcachedtest.Action{}
	})
	server.ForgetRequests()
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("k", 2)
		if err := s.Save(); !errors.Is(err, session.ErrConflict) {
			t.Errorf("Save: %v, want ErrConflict", err)
		}
		if err := session.Renew(c); !errors.Is(err, session.ErrConflict) {
			t.Errorf("Renew: %v, want ErrConflict", err)
		}
	})
	if n := server.RequestCount(); n > 300 {
		t.Errorf("%d requests, want a few at most", n)
	}
	server.Intercept(nil)
	b.wantValue(store, "k", 1)
}

func TestServerWithoutVersions(t *testing.T) {
	server := memcachedtest.Start(t, &memcachedtest.Options{DisableCAS: true})
	store := session.New(newClient(t, server), nil, authKey)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Set("k", 2)
		if err := s.Save(); err == nil || !strings.Contains(err.Error(), "-C") {
			t.Errorf("Save on a server without versions: %v, want an error that says why", err)
		}
	})
	b.wantValue(store, "k", 1)
}

func TestGorilla_SaveAll(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"a", "b"} {
			s, err := store.Get(r, name)
			if err != nil {
				t.Errorf("Get(%s): %v", name, err)
			}
			s.Values["name"] = name
		}
		if again, _ := store.Get(r, "a"); again.Values["name"] != "a" {
			t.Error("Get gives another session at its second call")
		}
		if err := sessions.Save(r, w); err != nil {
			t.Errorf("sessions.Save: %v", err)
		}
	}))
	b.send(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"a", "b"} {
			if s, err := store.Get(r, name); err != nil || s.Values["name"] != name || s.IsNew {
				t.Errorf("Get(%s) = %v, %v, want its own value", name, s.Values, err)
			}
		}
	}))
}

func TestGorilla_CopiedRequests(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first := r.WithContext(r.Context())
		sessions.GetRegistry(r)
		inner := r.WithContext(r.Context())
		s, err := store.Get(inner, cookieName)
		if err != nil {
			t.Errorf("Get: %v", err)
		}
		if again, _ := store.Get(r, cookieName); again != s {
			t.Error("the request and its copy have different sessions")
		}
		s.Values["k"] = 2
		if err := s.Save(first, w); err != nil { // whichever request it is saved with
			t.Errorf("Save: %v", err)
		}
	}))
	b.wantValue(store, "k", 2)
}

func TestGorilla_SiblingCopiesOfARequest(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	server.ForgetRequests()
	b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions.GetRegistry(r)
		one, two := r.WithContext(r.Context()), r.WithContext(r.Context())
		s, err := store.Get(one, cookieName)
		if err != nil {
			t.Errorf("Get: %v", err)
		}
		s.Values["k"] = 2
		for range 2 {
			for _, copied := range []*http.Request{two, one, r} {
				if again, err := store.Get(copied, cookieName); again != s || err != nil {
					t.Errorf("Get with a copy of the request = %v, %v, want the same session", again, err)
				}
			}
		}
		if err := sessions.Save(two, w); err != nil {
			t.Errorf("sessions.Save: %v", err)
		}
		s.Values["k"] = 3
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	}))
	if got, want := operations(server), "GAT SET+CAS GET SET+CAS"; got != want {
		t.Errorf("operations = %q, want %q", got, want)
	}
	b.wantValue(store, "k", 3)
}

func TestGorilla_NewBesideGet(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made, err1 := store.New(r, cookieName)
		made.Values["made"] = true
		got, err2 := store.Get(r, cookieName)
		got.Values["got"] = true
		if made == got {
			t.Error("New and Get give the same session")
		}
		if err := errors.Join(err1, err2, made.Save(r, w), got.Save(r, w)); err != nil {
			t.Error(err)
		}
	}))
	for _, key := range []string{"made", "got"} {
		b.wantValue(store, key, true)
	}
}

func TestGorilla_NameThatAnotherStoreHas(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		foreign, err := sessions.NewCookieStore(authKey).Get(r, cookieName)
		if err != nil {
			t.Error(err)
		}
		foreign.Values["k"] = 1
		s, err := store.Get(r, cookieName)
		if err != nil || s != foreign {
			t.Errorf("Get = %v, %v, want what the registry has", s, err)
		}
		if err := s.Save(r, w); err != nil {
			t.Errorf("Save: %v", err)
		}
	}))
	b.wantValue(store, "k", 1)
}

func TestGorilla_TwoStoresInOneRequest(t *testing.T) {
	_, one := newStore(t, nil)
	_, two := newStore(t, nil)
	b := newBrowser(t)
	for range 2 {
		b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name, store := range map[string]*session.Store{"one": one, "two": two} {
				for range 2 {
					s, err := store.Get(r, name)
					if err != nil {
						t.Errorf("Get(%s): %v", name, err)
					}
					n, _ := s.Values["n"].(int)
					s.Values["n"] = n + 1
				}
			}
			if err := sessions.Save(r, w); err != nil {
				t.Errorf("sessions.Save: %v", err)
			}
		}))
	}
	b.send(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for name, store := range map[string]*session.Store{"one": one, "two": two} {
			if s, err := store.Get(r, name); err != nil || s.Values["n"] != 4 {
				t.Errorf("Get(%s) = %v, %v, want n 4", name, s.Values, err)
			}
		}
	}))
}

func TestGorilla_New(t *testing.T) {
	server, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	server.ForgetRequests()
	b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one, err1 := store.New(r, cookieName)
		two, err2 := store.New(r, cookieName)
		if err1 != nil || err2 != nil || one == two || one.Values["k"] != 1 || two.Values["k"] != 1 {
			t.Errorf("New = %v, %v and %v, %v, want two sessions", one, err1, two, err2)
		}
		one.Values["one"], two.Values["two"] = 1, 2
		if err := errors.Join(one.Save(r, w), two.Save(r, w)); err != nil {
			t.Errorf("Save: %v", err)
		}
	}))
	if got := server.RequestCount("GAT", "GATK"); got != 2 {
		t.Errorf("%d loads, want 2", got)
	}
	b.wantValue(store, "one", 1)
	b.wantValue(store, "two", 2)
}

func TestGorilla_SessionMadeByHand(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := sessions.NewSession(store, cookieName)
		s.Options.Path = "/"
		s.Values["k"] = "by hand"
		if err := store.Save(r, w, s); err != nil {
			t.Errorf("Save: %v", err)
		}
		if err := store.Renew(r, s); err == nil {
			t.Error("Renew of a session that was not loaded = nil, want an error")
		}
	}))
	b.wantValue(store, "k", "by hand")
}

func TestGorilla_SavedThroughAnotherStore(t *testing.T) {
	from, store := newStore(t, nil)
	to, other := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
		if err := other.Save(r, w, s); err != nil {
			t.Errorf("Save: %v", err)
		}
	})
	if len(from.Keys()) != 1 || len(to.Keys()) != 1 {
		t.Errorf("the stores hold %d and %d sessions, want 1 each", len(from.Keys()), len(to.Keys()))
	}
	b.wantValue(other, "k", 1)
}

func TestChangesInsideAValueAreSeen(t *testing.T) {
	for name, codec := range map[string]session.Codec{"gob": nil, "JSON": session.JSON{}} {
		_, store := newStore(t, &session.Options{Codec: codec})
		b := newBrowser(t)
		b.set(store, "cart", map[string]any{"apples": 1})
		b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			s.Values["cart"].(map[string]any)["apples"] = 2
			if err := s.Save(r, w); err != nil {
				t.Errorf("%s: Save: %v", name, err)
			}
		})
		if cart, _ := b.value(store, "cart").(map[string]any); cart["apples"] != 2 {
			t.Errorf("%s: cart = %v, want 2 apples", name, cart)
		}
	}
}
