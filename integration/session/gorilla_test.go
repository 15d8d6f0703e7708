package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/bmemcached/bmemcached-go/session"
	"github.com/gorilla/sessions"
)

// gorillaSite is a site on gorilla/sessions and net/http alone.
func gorillaSite(store *session.Store) http.Handler {
	site := http.NewServeMux()
	page := func(path string, handle func(r *http.Request, s *sessions.Session) (string, error)) {
		site.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s, err := store.Get(r, cookieName)
			text := ""
			if err == nil {
				text, err = handle(r, s)
			}
			if err = errors.Join(err, sessions.Save(r, w)); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, text)
		})
	}
	page("/who", func(_ *http.Request, s *sessions.Session) (string, error) {
		return fmt.Sprint(s.Values["user"], " ", s.Values["cart"], " ", s.IsNew), nil
	})
	page("/cart", func(_ *http.Request, s *sessions.Session) (string, error) {
		n, _ := s.Values["cart"].(int)
		s.Values["cart"] = n + 1
		return "", nil
	})
	page("/login", func(r *http.Request, s *sessions.Session) (string, error) {
		s.Values["user"] = r.FormValue("user")
		s.AddFlash("Welcome!")
		return "", errors.Join(store.Renew(r, s), store.Bind(r, s, r.FormValue("user")))
	})
	page("/flashes", func(_ *http.Request, s *sessions.Session) (string, error) { return fmt.Sprint(s.Flashes()), nil })
	page("/remember", func(_ *http.Request, s *sessions.Session) (string, error) {
		s.Options.MaxAge = 30*24*3600 + 1
		return "", nil
	})
	page("/revoke", func(r *http.Request, _ *sessions.Session) (string, error) {
		return "", store.RevokeAll(r.Context(), r.FormValue("user"))
	})
	page("/logout", func(_ *http.Request, s *sessions.Session) (string, error) {
		s.Options.MaxAge = -1
		return "", nil
	})
	return site
}

func TestGorilla_UnderNetHTTP(t *testing.T) {
	client := connect(t, start(t, 1)...)
	for name, keys := range map[string][][]byte{"signed": {authKey}, "encrypted": {authKey, authKey}} {
		t.Run(name, func(t *testing.T) {
			site := serve(t, gorillaSite(newStore(t, client, nil, keys...)))
			p := newPerson(t, site)
			p.want("/who", "<nil> <nil> true")
			p.want("/cart", "")
			p.want("/cart", "")
			p.want("/who", "<nil> 2 false")

			planted := p.thief()
			p.want("/login?user=ada", "")
			p.want("/who", "ada 2 false")
			planted.want("/who", "<nil> <nil> true")
			p.want("/flashes", "[Welcome!]")
			p.want("/flashes", "[]")

			p.want("/remember", "")
			p.want("/who", "ada 2 false")
			thief, phone, other := p.thief(), newPerson(t, site), newPerson(t, site)
			phone.want("/login?user=ada", "")
			other.want("/login?user=bob", "")
			phone.want("/revoke?user=ada", "")
			p.want("/who", "<nil> <nil> true")
			thief.want("/who", "<nil> <nil> true")
			phone.want("/who", "<nil> <nil> true")
			other.want("/who", "bob <nil> false")

			thief = other.thief()
			other.want("/logout", "")
			if other.cookie(cookieName) != "" {
				t.Error("the browser keeps the cookie after the logout")
			}
			other.want("/who", "<nil> <nil> true")
			thief.want("/who", "<nil> <nil> true")
		})
	}
}
