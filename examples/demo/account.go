package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/session"
)

// cookieName is the session's cookie. On a site that is served by TLS it would
// begin with "__Host-".
const cookieName = "lamp-room"

// accounts are the users' passwords. A real site keeps hashes made for passwords.
var accounts = map[string]string{"ada": "lantern", "grace": "lantern"}

// A visitor is what the session of a request says.
type visitor struct {
	User  string
	ID    string // names the session, and is of no use for taking it over
	Lines []cartLine
	Count int // of prints in the cart
	Total int // in euros
	Away  bool
	err   error // why the session cannot be read
}

// visitor reads the session. When it cannot be read, because memcached does not
// answer, the visitor is Away: nobody knows what is in the session, and nothing
// of it is lost.
func (s *site) visitor(c *gin.Context) visitor {
	loaded, err := s.sessions.Get(c.Request, cookieName)
	if err != nil {
		return visitor{Away: true, err: err}
	}
	v := visitor{ID: loaded.ID}
	v.User, _ = loaded.Values["user"].(string)
	v.fillCart(loaded.Values)
	return v
}

// loginPage is what the page of the login shows.
type loginPage struct {
	visitor
	Tried    string         // the user name of a login that was refused
	Sessions []session.Info // of the user
	Current  string         // the handle of this one
}

// showLogin shows the form, or who is logged in and where else.
func (s *site) showLogin(c *gin.Context) {
	page := loginPage{visitor: s.visitor(c)}
	if page.User != "" {
		var err error
		if page.Sessions, err = s.sessions.List(c.Request.Context(), page.User); err != nil {
			s.failSession(c, "Your sessions could not be listed.", err)
			return
		}
		page.Current = session.Handle(c)
	}
	s.render(c, http.StatusOK, "login", "Your account", page)
}

// login checks the password and begins a session of the user, with the cart of
// the visitor.
func (s *site) login(c *gin.Context) {
	user := c.PostForm("user")
	if !correct(user, c.PostForm("password")) {
		s.render(c, http.StatusUnauthorized, "login", "Your account", loginPage{visitor: s.visitor(c), Tried: user})
		return
	}
	// A new ID first: one that somebody planted in the browser is now worth
	// nothing. Then the user, stored together with the binding.
	err := session.Renew(c)
	if err == nil {
		ginsessions.Default(c).Set("user", user)
		err = session.Label(c, browserName(c.Request.UserAgent()))
	}
	if err == nil {
		err = session.Bind(c, user)
	}
	if err != nil {
		s.failSession(c, "You could not be logged in.", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/login")
}

// logout ends the session, on the server too.
func (s *site) logout(c *gin.Context) {
	current := ginsessions.Default(c)
	current.Options(ginsessions.Options{Path: "/", MaxAge: -1, HttpOnly: true})
	if err := current.Save(); err != nil {
		s.failSession(c, "You could not be logged out: you are still logged in.", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/login")
}

// logoutOthers ends all sessions of the user but this one, in whatever browser.
func (s *site) logoutOthers(c *gin.Context) {
	v := s.visitor(c)
	if v.User == "" && v.err == nil {
		c.Redirect(http.StatusSeeOther, "/login")
		return
	}
	err := v.err
	if err == nil {
		err = s.sessions.RevokeOthers(c.Request.Context(), v.User, session.Handle(c))
	}
	if err == nil {
		err = session.Renew(c)
	}
	if err != nil {
		s.failSession(c, "The other browsers could not be logged out.", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/login")
}

// logoutOne ends one session of the user. One that has ended already is no error.
func (s *site) logoutOne(c *gin.Context) {
	v := s.visitor(c)
	if v.User == "" && v.err == nil {
		c.Redirect(http.StatusSeeOther, "/login")
		return
	}
	err := v.err
	if err == nil {
		err = s.sessions.Revoke(c.Request.Context(), v.User, c.PostForm("handle"))
	}
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		s.failSession(c, "That browser could not be logged out.", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/login")
}

// browserName is what a user knows a browser by.
func browserName(userAgent string) string {
	name, system := "A browser", ""
	for _, known := range []string{"Edg", "Firefox", "Chrome", "Safari"} { // the first two name the others
		if strings.Contains(userAgent, known) {
			name = strings.Replace(known, "Edg", "Edge", 1)
			break
		}
	}
	for _, known := range []string{"Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"} {
		if strings.Contains(userAgent, known) {
			system = " on " + known
			break
		}
	}
	return name + system
}

// me tells the script of a page, which is the same for everybody, who looks at
// it.
func (s *site) me(c *gin.Context) {
	v := s.visitor(c)
	c.JSON(http.StatusOK, gin.H{"user": v.User, "cart": v.Count, "away": s.away(v.Away)})
}

// failSession answers that a session could not be stored.
func (s *site) failSession(c *gin.Context, message string, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, session.ErrUnavailable):
		status, message = http.StatusServiceUnavailable, message+" The memcached that holds your session does not answer; try again in a moment."
	case errors.Is(err, session.ErrNotFound):
		status, message = http.StatusConflict, message+" Your session has ended meanwhile."
	}
	s.fail(c, status, message, err)
}

// correct reports whether the password is the user's, in a time that tells
// nothing.
func correct(user, password string) bool {
	want, known := accounts[user]
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && known
}
