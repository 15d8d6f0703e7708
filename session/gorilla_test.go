package session_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
)

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
