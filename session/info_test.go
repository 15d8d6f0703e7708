package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// loginWith is login with a label.
func loginWith(t *testing.T, store *session.Store, user, label string) *browser {
	t.Helper()
	b := newBrowser(t)
	b.gin(store, func(c *gin.Context) {
		ginsessions.Default(c).Set("user", user)
		if err := errors.Join(session.Renew(c), session.Label(c, label), session.Bind(c, user)); err != nil {
			t.Errorf("login of %s: %v", user, err)
		}
	})
	return b
}

// handle returns the handle of the browser's session.
func (b *browser) handle(store *session.Store) (h string) {
	b.gin(store, func(c *gin.Context) { h = session.Handle(c) })
	return h
}

func labels(t *testing.T, store *session.Store, user string) (labels []string) {
	t.Helper()
	infos, err := store.List(t.Context(), user)
	if err != nil {
		t.Errorf("List(%s): %v", user, err)
	}
	for _, info := range infos {
		labels = append(labels, info.Label)
	}
	slices.Sort(labels)
	return labels
}

func TestASVS_7_5_2_UsersSeeAndEndTheirSessions(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	store := storeOn(t, newClient(t, server), nil, authKey)
	there := storeOn(t, newClient(t, server), nil, authKey) // another process
	phone, laptop := loginWith(t, store, "ada", "phone"), loginWith(t, store, "ada", "laptop")
	third, bob := loginWith(t, store, "ada", "library"), loginWith(t, store, "bob", "")

	if got, want := labels(t, there, "ada"), []string{"laptop", "library", "phone"}; !slices.Equal(got, want) {
		t.Errorf("ada's sessions are %q, want %q", got, want)
	}
	if err := there.Revoke(t.Context(), "ada", phone.handle(store)); err != nil {
		t.Errorf("Revoke: %v", err)
	}
	phone.wantValue(store, "user", nil)
	laptop.wantValue(store, "user", "ada")
	if err := there.RevokeOthers(t.Context(), "ada", laptop.handle(store)); err != nil {
		t.Errorf("RevokeOthers: %v", err)
	}
	third.wantValue(store, "user", nil)
	laptop.wantValue(store, "user", "ada")
	bob.wantValue(store, "user", "bob")
	if got := labels(t, there, "ada"); !slices.Equal(got, []string{"laptop"}) {
		t.Errorf("ada's sessions are %q, want the laptop", got)
	}
}

func TestList_SaysWhenMadeAndUsed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, nil)
		made := time.Now()
		old := loginWith(t, store, "ada", "old")
		time.Sleep(2 * time.Minute)
		loginWith(t, store, "ada", "later")
		time.Sleep(5 * time.Minute)
		old.wantValue(store, "user", "ada")
		infos, err := store.List(t.Context(), "ada")
		if err != nil || len(infos) != 2 {
			t.Fatalf("List = %v, %v, want two", infos, err)
		}
		for i, want := range []session.Info{
			{Label: "old", Created: made, LastUsed: made.Add(7 * time.Minute)},
			{Label: "later", Created: made.Add(2 * time.Minute), LastUsed: made.Add(2 * time.Minute)},
		} {
			got := infos[i]
			if got.Label != want.Label || !got.Created.Equal(want.Created) || !got.LastUsed.Equal(want.LastUsed) {
				t.Errorf("session %d = %+v, want %+v", i, got, want)
			}
		}
		if infos[0].Handle != old.handle(store) || infos[0].Handle == "" || infos[0].Handle == old.id(store) {
			t.Errorf("Handle = %q, want that of the session, which is not its ID", infos[0].Handle)
		}
		time.Sleep(10 * time.Minute)
		old.wantValue(store, "user", "ada")
		time.Sleep(11 * time.Minute)
		if got := labels(t, store, "ada"); !slices.Equal(got, []string{"old"}) {
			t.Errorf("after the idle timeout of one: %q, want the other", got)
		}
		time.Sleep(12 * time.Hour)
		if got := labels(t, store, "ada"); len(got) != 0 {
			t.Errorf("after the absolute timeout: %q, want none", got)
		}
	})
}

// What a session becomes is one session in the list, and none once it ended.
func TestList_FollowsASession(t *testing.T) {
	_, store := newStore(t, nil)
	b := loginWith(t, store, "ada", "phone")
	handle := b.handle(store)
	b.gin(store, func(c *gin.Context) {
		if err := errors.Join(session.Renew(c), session.Bind(c, "ada")); err != nil {
			t.Error(err)
		}
	})
	if got := b.handle(store); got != handle {
		t.Errorf("the handle changed from %q to %q", handle, got)
	}
	if got := labels(t, store, "ada"); !slices.Equal(got, []string{"phone"}) {
		t.Errorf("after Renew and Bind: %q, want the phone", got)
	}
	b.gin(store, func(c *gin.Context) { // another user, in the same browser
		if err := errors.Join(session.Renew(c), session.Label(c, "as bob"), session.Bind(c, "bob")); err != nil {
			t.Error(err)
		}
	})
	if got := labels(t, store, "ada"); len(got) != 0 {
		t.Errorf("ada's after a login of bob: %q, want none", got)
	}
	if got := labels(t, store, "bob"); !slices.Equal(got, []string{"as bob"}) {
		t.Errorf("bob's: %q, want his", got)
	}
	if err := b.logout(store); err != nil {
		t.Fatal(err)
	}
	if got := labels(t, store, "bob"); len(got) != 0 {
		t.Errorf("after the logout: %q, want none", got)
	}
	if got := newBrowser(t).handle(store); got != "" {
		t.Errorf("a stranger's handle = %q, want none", got)
	}
}

// A session that the list lost is over: nobody has one that cannot be seen.
func TestList_FailsClosedWhenEvicted(t *testing.T) {
	server, store := newStore(t, nil)
	b := loginWith(t, store, "ada", "phone")
	handle := b.handle(store)
	for _, key := range server.Keys() {
		if strings.Contains(key, "user:") {
			server.SetItem(&memcached.Item{Key: key, TTL: -time.Second})
		}
	}
	b.wantValue(store, "user", nil)
	later := loginWith(t, store, "ada", "laptop")
	b.wantValue(store, "user", nil)
	later.wantValue(store, "user", "ada")
	if got := labels(t, store, "ada"); !slices.Equal(got, []string{"laptop"}) {
		t.Errorf("List = %q, want the laptop", got)
	}
	for name, err := range map[string]error{
		"Revoke":            store.Revoke(t.Context(), "ada", handle),
		"Revoke of garbage": store.Revoke(t.Context(), "ada", "garbage"),
		"RevokeOthers":      store.RevokeOthers(t.Context(), "ada", handle),
		"Revoke of bob's":   store.Revoke(t.Context(), "bob", later.handle(store)),
	} {
		if !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
	later.wantValue(store, "user", "ada")
	if _, err := store.List(t.Context(), ""); err == nil {
		t.Error("List of no user = nil, want an error")
	}
}

// A dump of the list leads nobody to a session, nor says whose it is.
func TestList_HoldsNothingInClear(t *testing.T) {
	server, store := newStore(t, nil)
	b := loginWith(t, store, "ada@example.test", "Firefox on Linux")
	for _, key := range server.Keys() {
		item, _ := server.Item(key)
		for _, secret := range []string{"ada", "Firefox", b.handle(store), b.id(store), b.cookie(cookieName)} {
			if strings.Contains(key+string(item.Value), secret) {
				t.Errorf("an item holds %q", secret)
			}
		}
	}
}

func TestBind_EndsTheOldestBeyondMaxSessions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, store := newStore(t, &session.Options{MaxSessions: 3})
		var all []*browser
		for n := range 5 {
			all = append(all, loginWith(t, store, "ada", fmt.Sprint(n)))
			time.Sleep(time.Second)
		}
		for n, b := range all {
			if alive := b.value(store, "user") == "ada"; alive != (n >= 2) {
				t.Errorf("session %d is alive: %t", n, alive)
			}
		}
	})
}

func TestBind_ManyAtOnceAreAllListed(t *testing.T) {
	_, store := newStore(t, nil)
	var logins sync.WaitGroup
	for n := range 20 {
		logins.Go(func() { loginWith(t, store, "ada", fmt.Sprint(n)) })
	}
	logins.Wait()
	if got := len(labels(t, store, "ada")); got != 20 {
		t.Errorf("%d sessions are listed, want 20", got)
	}
}

func TestKeyRotation_ListsAndRevokesUnderEveryKey(t *testing.T) {
	server := memcachedtest.Start(t, nil)
	client := newClient(t, server)
	before := storeOn(t, client, nil, keyOf("old"))
	during := storeOn(t, client, nil, keyOf("new"), nil, keyOf("old"))
	after := storeOn(t, client, nil, keyOf("new"))
	moved, left, fresh := loginWith(t, before, "ada", "moved"), loginWith(t, before, "ada", "left"), loginWith(t, during, "ada", "fresh")
	moved.set(during, "k", 1)
	if got, want := labels(t, during, "ada"), []string{"fresh", "left", "moved"}; !slices.Equal(got, want) {
		t.Errorf("List = %q, want %q", got, want)
	}
	if got, want := labels(t, after, "ada"), []string{"fresh", "moved"}; !slices.Equal(got, want) {
		t.Errorf("List with the new key = %q, want %q", got, want)
	}
	if err := during.Revoke(t.Context(), "ada", moved.handle(during)); err != nil {
		t.Errorf("Revoke: %v", err)
	}
	moved.wantValue(during, "k", nil)
	left.wantValue(during, "user", "ada")
	if err := during.RevokeOthers(t.Context(), "ada", fresh.handle(during)); err != nil {
		t.Errorf("RevokeOthers: %v", err)
	}
	left.wantValue(during, "user", nil)
	fresh.wantValue(after, "user", "ada")
}

// A session that is revoked while a request of it runs stays revoked, whatever
// the request does but logging in again.
func TestRevoke_DuringARequest(t *testing.T) {
	_, store := newStore(t, nil)
	for name, act := range map[string]func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error{
		"save": func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
			s.Values["k"] = 1
			return s.Save(r, w)
		},
		"renew": func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
			return errors.Join(store.Renew(r, s), s.Save(r, w))
		},
		"remember": func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
			return errors.Join(store.Remember(r, s, time.Hour), s.Save(r, w))
		},
	} {
		b := newLogin(t, store, "ada")
		b.gorilla(store, func(w http.ResponseWriter, r *http.Request, s *sessions.Session, _ error) {
			if err := store.Revoke(t.Context(), "ada", store.Handle(s)); err != nil {
				t.Errorf("Revoke: %v", err)
			}
			_ = act(w, r, s) // refused or not
		})
		if got := b.value(store, "user"); got != nil {
			t.Errorf("%s: user = %v after Revoke, want none", name, got)
		}
	}
}
