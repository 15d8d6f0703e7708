package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/session"
)

// scsSite keeps the sessions of scs in memcached. Scs draws the tokens, keeps
// the timeouts and has no RevokeAll.
func scsSite(client *memcached.Client, keys ...[]byte) (http.Handler, error) {
	store, err := session.NewSCS(client, &session.Options{Prefix: "scs:"}, keys...)
	if err != nil {
		return nil, err
	}
	manager := scs.New()
	manager.Store = store
	manager.Lifetime = 12 * time.Hour
	manager.IdleTimeout = 20 * time.Minute
	manager.Cookie.Name = "__Host-session"
	manager.Cookie.Secure = true
	site := http.NewServeMux()

	site.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		flash, user := manager.PopString(r.Context(), "flash"), manager.GetString(r.Context(), "user")
		if user == "" {
			user = "<nil>"
		}
		fmt.Fprintf(w, "%v [%v]", user, flash)
	})

	site.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		err := manager.RenewToken(r.Context())
		manager.Put(r.Context(), "user", r.PostFormValue("user"))
		manager.Put(r.Context(), "flash", "Welcome!")
		answer(w, r, err)
	})

	site.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, manager.Destroy(r.Context()))
	})
	return session.Private(manager.LoadAndSave(site)), nil
}
