package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/session"
	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
)

// login renews the session, names its user and stores it.
func (b *browser) login(store ginsessions.Store, user string) {
	b.t.Helper()
	b.gin(store, func(c *gin.Context) {
		ginsessions.Default(c).Set("user", user)
		if err := errors.Join(session.Renew(c), session.Bind(c, user)); err != nil {
			b.t.Errorf("login of %s: %v", user, err)
		}
	})
}

// newLogin is a browser that has logged in.
func newLogin(t testing.TB, store ginsessions.Store, user string) *browser {
	t.Helper()
	b := newBrowser(t)
	b.login(store, user)
	return b
}

func TestRevokeAll_EndsAUsersSessionsInEveryProcess(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	here, there := storeOn(t, newClient(t, server), nil, authKey), storeOn(t, newClient(t, server), nil, authKey)
	adas := []*browser{newLogin(t, here, "ada"), newLogin(t, there, "ada"), newLogin(t, there, "ada")}
	bob, visitor := newLogin(t, there, "bob"), newBrowser(t)
	visitor.set(here, "cart", 1)
	for _, b := range adas {
		b.wantValue(there, "user", "ada")
	}
	server.ForgetRequests()
	if err := here.RevokeAll(t.Context(), "ada"); err != nil {
		t.Fatalf("RevokeAll: %v", err)
	}
	if got := operations(server); got != "DELETE" {
		t.Errorf("operations = %q, want one", got)
	}
	for _, b := range adas {
		for _, store := range []*session.Store{here, there} {
			b.wantValue(store, "user", nil)
		}
	}
	bob.wantValue(here, "user", "bob")
	visitor.wantValue(there, "cart", 1)

	again := newLogin(t, there, "ada")
	again.wantValue(here, "user", "ada")
	adas[0].wantValue(here, "user", nil)
}

func TestRevokeAll_OfNobody(t *testing.T) {
	_, store := newStore(t, nil)
	if err := store.RevokeAll(t.Context(), "nobody"); err != nil {
		t.Errorf("RevokeAll of a user without sessions: %v", err)
	}
}

func TestRevokeAll_FailsClosedWhenTheRosterWasEvicted(t *testing.T) {
	server, store := newStore(t, nil)
	b := newLogin(t, store, "ada")
	client := newClient(t, server)
	for _, key := range server.Keys() {
		if strings.Contains(key, "user:") {
			if err := client.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.wantValue(store, "user", nil)
	newLogin(t, store, "ada") // makes a new roster, which is another one
	b.wantValue(store, "user", nil)
}

func TestRevokeAll_FailsClosedWhenTheRosterCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newLogin(t, store, "ada")
		silent(server, "GET", "GETK")
		b.gin(store, func(c *gin.Context) {
			s := ginsessions.Default(c)
			if got := s.Get("user"); got != nil {
				t.Errorf("Get(user) = %v, want nil", got)
			}
			s.Set("k", 1)
			if err := s.Save(); !errors.Is(err, session.ErrUnavailable) {
				t.Errorf("Save: %v, want ErrUnavailable", err)
			}
		})
		server.Intercept(nil)
		b.wantValue(store, "user", "ada")
	})
}

func TestBind_OneRoundTrip(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, store := newStore(t, nil)
		b := newLogin(t, store, "ada")
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 100 * time.Millisecond}
		})
		b.value(store, "user") // makes the connections
		start := time.Now()
		b.wantValue(store, "user", "ada")
		if took := time.Since(start); took != 100*time.Millisecond {
			t.Errorf("loading a bound session took %v, want one round trip, 100ms", took)
		}
	})
}

func TestBind_CookieOlderThanTheBinding(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	older := b.copy()
	b.gin(store, func(c *gin.Context) {
		if err := session.Bind(c, "ada"); err != nil {
			t.Errorf("Bind: %v", err)
		}
	})
	older.wantValue(store, "k", 1)
	if err := store.RevokeAll(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	older.wantValue(store, "k", nil)
	b.wantValue(store, "k", nil)
}

func TestBind_SurvivesRenewAndChanges(t *testing.T) {
	_, store := newStore(t, nil)
	b := newLogin(t, store, "ada")
	b.gin(store, func(c *gin.Context) {
		s := ginsessions.Default(c)
		s.Clear()
		s.Set("k", 1)
		if err := session.Renew(c); err != nil {
			t.Errorf("Renew: %v", err)
		}
	})
	b.wantValue(store, "k", 1)
	if err := store.RevokeAll(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	b.wantValue(store, "k", nil)
}

func TestBind_AfterRevokeAllSparesTheCaller(t *testing.T) {
	_, store := newStore(t, nil)
	mine, other := newLogin(t, store, "ada"), newLogin(t, store, "ada")
	mine.gin(store, func(c *gin.Context) {
		ginsessions.Default(c).Get("user")
		if err := store.RevokeAll(c, "ada"); err != nil {
			t.Errorf("RevokeAll: %v", err)
		}
		if err := session.Bind(c, "ada"); err != nil {
			t.Errorf("Bind: %v", err)
		}
	})
	mine.wantValue(store, "user", "ada")
	other.wantValue(store, "user", nil)
}

func TestBind_OfASessionWithoutValues(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.gin(store, func(c *gin.Context) {
		if err := session.Bind(c, "ada"); err != nil {
			t.Errorf("Bind: %v", err)
		}
	})
	if b.id(store) == "" {
		t.Error("the session was not stored")
	}
}

func TestBind_BeforeRevokeAllInFlightEnds(t *testing.T) {
	_, store := newStore(t, nil)
	b := newBrowser(t)
	b.set(store, "k", 1)
	b.gin(store, func(c *gin.Context) {
		if err := session.Bind(c, "ada"); err != nil {
			t.Errorf("Bind: %v", err)
		}
		if err := store.RevokeAll(c, "ada"); err != nil {
			t.Errorf("RevokeAll: %v", err)
		}
		s := ginsessions.Default(c)
		s.Set("k", 2)
		mustSave(t, s)
	})
	b.wantValue(store, "k", nil)
}

func TestBind_RosterLivesAsLongAsItsSessions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: time.Hour, AbsoluteTimeout: 40 * 24 * time.Hour})
		b := newLogin(t, store, "ada")
		for range 40*24*2 - 1 {
			time.Sleep(30 * time.Minute)
			b.wantValue(store, "user", "ada")
		}
	})
}

func TestBind_RosterIsKeptForLaterSessions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{IdleTimeout: 2 * time.Hour, AbsoluteTimeout: 2 * time.Hour})
		newLogin(t, store, "ada")
		time.Sleep(90 * time.Minute)
		later := newLogin(t, store, "ada")
		time.Sleep(110 * time.Minute)
		later.wantValue(store, "user", "ada")
	})
}

func TestBind_TwoFirstLoginsAtOnce(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := &raced{Client: newClient(t, server)}
	store := storeOn(t, client, nil, authKey)
	b, other := newBrowser(t), newBrowser(t)
	b.set(store, "k", 1)
	b.gin(store, func(c *gin.Context) {
		ginsessions.Default(c).Set("user", "ada")
		client.before = func() { other.login(store, "ada") } // before the roster is made
		if err := session.Bind(c, "ada"); err != nil {
			t.Errorf("Bind: %v", err)
		}
	})
	b.wantValue(store, "user", "ada")
	other.wantValue(store, "user", "ada")
}

func TestUserNames_DoNotAppearInKeys(t *testing.T) {
	server, store := newStore(t, nil)
	for _, user := range []string{"ada.lovelace", "ada lovelace\r\n", strings.Repeat("ada lovelace", 100), "ädä lövelace"} {
		newLogin(t, store, user).wantValue(store, "user", user)
	}
	for _, key := range server.Keys() {
		if strings.Contains(key, "lovelace") || strings.Contains(key, "lövelace") || len(key) > 60 {
			t.Errorf("the key %q contains a user", key)
		}
	}
}

func TestKeyRotation_OfBoundSessions(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	before := storeOn(t, client, nil, keyOf("old"))
	during := storeOn(t, client, nil, keyOf("new"), nil, keyOf("old"))
	after := storeOn(t, client, nil, keyOf("new"))

	moved, revokedBefore, revokedAfter := newLogin(t, before, "ada"), newLogin(t, before, "bob"), newLogin(t, before, "eve")
	for _, b := range []*browser{moved, revokedAfter} {
		b.set(during, "k", 1)
		b.wantValue(after, "k", 1)
	}
	if err := during.RevokeAll(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	revokedBefore.wantValue(during, "user", nil)
	revokedBefore.set(during, "k", 1)
	revokedBefore.wantValue(after, "user", nil)
	if err := after.RevokeAll(t.Context(), "eve"); err != nil {
		t.Fatal(err)
	}
	revokedAfter.wantValue(after, "k", nil)
	moved.wantValue(after, "user", "ada")
}

func TestKeyRotation_RevokeAllCatchesAMoveInFlight(t *testing.T) {
	for _, order := range [][][]byte{{keyOf("new"), nil, keyOf("old")}, {keyOf("old"), nil, keyOf("new")}} {
		server := memcachedtest.Start(t, nil)
		client := newClient(t, server)
		before := storeOn(t, client, nil, keyOf("old"))
		during := storeOn(t, client, nil, keyOf("new"), nil, keyOf("old"))
		move := func(b *browser) {
			b.gin(during, func(c *gin.Context) {
				s := ginsessions.Default(c)
				s.Set("k", 1)
				_ = s.Save() // refused or not
			})
		}
		// The move happens within the revocation, between any two of its steps.
		for step := range 4 {
			b := newLogin(t, before, "ada")
			deletes := 0
			revoking := storeOn(t, hooked{client, func() {
				if deletes++; deletes == step {
					move(b)
				}
			}}, nil, order...)
			if err := revoking.RevokeAll(t.Context(), "ada"); err != nil {
				t.Fatal(err)
			}
			b.wantValue(during, "user", nil)
		}
		// The revocation happens within the move, between any two of its steps.
		for step := range 5 {
			b := newLogin(t, before, "ada")
			operations := 0
			moving := storeOn(t, hooked{client, func() {
				if operations++; operations == step {
					if err := storeOn(t, client, nil, order...).RevokeAll(t.Context(), "ada"); err != nil {
						t.Error(err)
					}
				}
			}}, nil, keyOf("new"), nil, keyOf("old"))
			b.gin(moving, func(c *gin.Context) {
				s := ginsessions.Default(c)
				s.Set("k", 1)
				_ = s.Save() // refused or not
			})
			if operations < step {
				t.Fatalf("the move has %d steps, want %d at least", operations, step)
			}
			if step > 0 {
				b.wantValue(during, "user", nil)
			}
		}
	}
}

// hooked calls a function before operations that matter to revocation.
type hooked struct {
	session.Client
	before func()
}

func (h hooked) Delete(ctx context.Context, key string) error {
	h.before()
	return h.Client.Delete(ctx, key)
}

func (h hooked) Get(ctx context.Context, key string) (*memcached.Item, error) {
	h.before()
	return h.Client.Get(ctx, key)
}

func (h hooked) Add(ctx context.Context, item *memcached.Item) error {
	h.before()
	return h.Client.Add(ctx, item)
}

func (h hooked) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	h.before()
	return h.Client.CompareAndSwap(ctx, item)
}
