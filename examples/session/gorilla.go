package main

import (
	"fmt"
	"net/http"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
)

// gorillaSite keeps the sessions of gorilla/sessions in memcached, under plain
// net/http.
func gorillaSite(client *memcached.Client, keys ...[]byte) (http.Handler, error) {
	store, err := session.New(client, &session.Options{Prefix: "gorilla:"}, keys...)
	if err != nil {
		return nil, err
	}
	const name = "__Host-session"
	site := http.NewServeMux()

	site.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		current, _ := store.Get(r, name) // empty when memcached does not answer
		flashes := current.Flashes()
		// Save before the body. When it fails, another request may have had the
		// messages: they are not shown.
		if err := current.Save(r, w); err != nil {
			flashes = nil
		}
		fmt.Fprintf(w, "%v %v", current.Values["user"], flashes)
	})

	site.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		user := r.PostFormValue("user")
		current, _ := store.Get(r, name)
		current.Values["user"] = user
		current.AddFlash("Welcome!")
		err := store.Renew(r, current)
		if err == nil {
			err = store.Bind(r, current, user)
		}
		if err == nil {
			err = current.Save(r, w)
		}
		answer(w, r, err)
	})

	site.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		current, _ := store.Get(r, name)
		current.Options.MaxAge = -1
		answer(w, r, current.Save(r, w))
	})

	site.HandleFunc("POST /logout-everywhere", func(w http.ResponseWriter, r *http.Request) {
		current, _ := store.Get(r, name)
		user, _ := current.Values["user"].(string)
		answer(w, r, store.RevokeAll(r.Context(), user))
	})
	return session.Private(site), nil
}

// answer goes back to the first page, or says that memcached did not play along.
func answer(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		http.Error(w, "Please try again in a moment.", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
