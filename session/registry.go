package session

import (
	"net/http"

	"github.com/gorilla/sessions"
)

// registered returns the session of a name that gorilla's registry has for the
// request, making and loading it if there is none.
func (s *Store) registered(r *http.Request, name string) (*sessions.Session, error) {
	look(r, name)
	t, registry := touchedOf(r), sessions.GetRegistry(r)
	st := t.state(s, name)
	if st == nil {
		st = &state{Store: s, name: name}
	}
	session, err := registry.Get(st, name) // gives the session st for its store
	if session == nil || session == &st.session {
		t.remember(st)
		return session, err
	}
	if known := firstOf(registry).state(s, name); known != nil { // made through another copy of the request
		return registry.Get(known, name)
	}
	return session, err // made by another kind of store
}

// finderName is the session of gorilla's registry that tells which request the
// registry was made for.
const finderName = "github.com-bmemcached-bmemcached-go-session"

// finder is its store.
type finder struct{}

type finderKey struct{}

func (finder) Get(*http.Request, string) (*sessions.Session, error) { return nil, errNoSession }

// New is called with the request that the registry was made for.
func (finder) New(r *http.Request, _ string) (*sessions.Session, error) {
	return &sessions.Session{Values: map[any]any{finderKey{}: r}}, nil
}

// Save is called by sessions.Save, which saves everything in the registry.
func (finder) Save(*http.Request, http.ResponseWriter, *sessions.Session) error { return nil }

// firstOf returns what is known of the request that the registry was made for,
// with which all its sessions are loaded.
func firstOf(registry *sessions.Registry) *touched {
	found, err := registry.Get(finder{}, finderName)
	if err != nil {
		return new(touched)
	}
	r, ok := found.Values[finderKey{}].(*http.Request)
	if !ok {
		return new(touched)
	}
	return touchedOf(r)
}
