package composition_test

import (
	"fmt"
	"net/http"

	"github.com/alexedwards/scs/v2"
	"github.com/gin-contrib/sessions"
	"github.com/gorilla/csrf"
	gorillasessions "github.com/gorilla/sessions"
	"github.com/justinas/nosurf"

	"github.com/bmemcached/bmemcached-go/session"
)

// visitorPages answer visitors differently.
var visitorPages = []page{
	{name: "by language", serve: func(v *view) {
		v.w.Header().Add("Vary", "Accept-Language")
		v.string(http.StatusOK, v.r.Header.Get("Accept-Language")+v.text())
	}},
	{name: "by origin", serve: func(v *view) {
		v.w.Header().Add("Vary", "Origin")
		v.string(http.StatusOK, v.r.Header.Get("Origin")+v.text())
	}},
	{name: "by a cookie, which Vary says", serve: func(v *view) {
		v.w.Header().Add("Vary", "Cookie")
		v.string(http.StatusOK, v.who()+v.text())
	}},
	{name: "by a cookie, private", serve: func(v *view) {
		v.set("Cache-Control: private, max-age=60")
		v.string(http.StatusOK, v.who()+v.text())
	}},
	{name: "by Authorization", serve: func(v *view) {
		user, _, _ := v.r.BasicAuth()
		v.string(http.StatusOK, user+v.text())
	}},
	{name: "sets a cookie", serve: func(v *view) {
		http.SetCookie(v.w, &http.Cookie{Name: "mine", Value: v.who()})
		v.string(http.StatusOK, v.text())
	}},
	{name: "sets a cookie and sends nothing", serve: func(v *view) {
		http.SetCookie(v.w, &http.Cookie{Name: "mine", Value: v.who()})
		v.w.WriteHeader(http.StatusNoContent)
	}},
	{name: "sets a cookie after the first byte", serve: func(v *view) {
		v.write(v.text())
		http.SetCookie(v.w, &http.Cookie{Name: "mine", Value: v.who()})
	}},
	{name: "sets a cookie for those who have none", serve: func(v *view) {
		v.w.Header().Add("Vary", "Cookie")
		if _, err := v.r.Cookie("mine"); err != nil {
			http.SetCookie(v.w, &http.Cookie{Name: "mine", Value: v.who()})
		}
		v.string(http.StatusOK, v.text())
	}},
	{name: "counts visits in the session", session: true, serve: func(v *view) {
		v.string(http.StatusOK, fmt.Sprintf("visit %d of %s", v.visit(), v.key()))
	}},
	{name: "counts visits in the session, without a body", session: true, serve: func(v *view) {
		v.visit()
		v.w.WriteHeader(http.StatusNoContent)
	}},
	{name: "shows the session, private", session: true, serve: func(v *view) {
		v.set("Cache-Control: private")
		v.string(http.StatusOK, fmt.Sprintf("%d visits, %s", v.visits(), v.text()))
	}},
	{name: "shows the session of our store", session: true, serve: func(v *view) {
		visits := 0
		if v.gin != nil && v.gin.GetBool(ourSessionsKey) || v.isOurGorilla() {
			visits = v.visits()
		}
		v.string(http.StatusOK, fmt.Sprintf("%d visits, %s", visits, v.text()))
	}},
	{name: "says what a layer saw in the session", looks: true, serve: func(v *view) {
		v.string(http.StatusOK, fmt.Sprintf("%v visits, %s", v.r.Context().Value(lookedKey{}), v.text()))
	}},
	{name: "a form with a token against CSRF", session: true, serve: func(v *view) {
		v.string(http.StatusOK, "tokens: "+csrf.Token(v.r)+" "+nosurf.Token(v.r)+" for "+v.key())
	}},
}

// who is the cookie that each visitor has from the beginning.
func (v *view) who() string {
	cookie, err := v.r.Cookie("user")
	if err != nil {
		return "nobody"
	}
	return cookie.Value
}

// manager returns the sessions of scs, if the site has them.
func (v *view) manager() *scs.SessionManager {
	manager, _ := v.r.Context().Value(managerKey{}).(*scs.SessionManager)
	return manager
}

// visits reads how often the visitor has been here.
func (v *view) visits() int {
	if v.gin != nil {
		if s, ok := v.gin.Get(sessions.DefaultKey); ok {
			n, _ := s.(sessions.Session).Get("visits").(int)
			return n
		}
	}
	if manager := v.manager(); manager != nil {
		return manager.GetInt(v.r.Context(), "visits")
	}
	if s := v.gorilla(); s != nil {
		n, _ := s.Values["visits"].(int)
		return n
	}
	return 0
}

// gorilla returns the visitor's session of gorilla/sessions, if the site has them.
func (v *view) gorilla() *gorillasessions.Session {
	store, ok := v.r.Context().Value(gorillaKey{}).(gorillasessions.Store)
	if !ok {
		return nil
	}
	s, _ := store.Get(v.r, gorillaName)
	return s
}

// isOurGorilla reports whether the visitor's session is that of gorilla/sessions with our
// store.
func (v *view) isOurGorilla() bool {
	if v.gin != nil {
		if _, ok := v.gin.Get(sessions.DefaultKey); ok {
			return false
		}
	}
	_, ours := v.r.Context().Value(gorillaKey{}).(*session.Store)
	return ours && v.manager() == nil
}

// visit counts one more.
func (v *view) visit() int {
	if v.gin != nil {
		if s, ok := v.gin.Get(sessions.DefaultKey); ok {
			n := v.visits() + 1
			s.(sessions.Session).Set("visits", n)
			s.(sessions.Session).Set("visitor", v.who()) // or two cookies of one second are the same
			if err := s.(sessions.Session).Save(); err != nil {
				_ = v.gin.Error(err)
			}
			return n
		}
	}
	if manager := v.manager(); manager != nil {
		n := v.visits() + 1
		manager.Put(v.r.Context(), "visits", n)
		return n
	}
	if s := v.gorilla(); s != nil {
		n := v.visits() + 1
		s.Values["visits"], s.Values["visitor"] = n, v.who()
		_ = s.Save(v.r, v.w)
		return n
	}
	return 0
}
