package session

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

// Remember gives one session a lifetime of its own, in place of the store's
// timeouts: it ends that long after now, active or not, and its cookie outlives
// the browser's window; then Save. It is for "remember me" at a login, after
// Renew. The lifetime is a second to 400 days; Remember with another one, or
// options that the application sets on the session later, replace it.
//
// With gin-contrib/sessions use the function Remember: that package's Save does
// nothing when only the lifetime changed.
func (s *Store) Remember(r *http.Request, session *sessions.Session, life time.Duration) error {
	if err := checkRemembered(life); err != nil {
		return err
	}
	st, err := s.stateIn(r, session)
	if err != nil {
		return err
	}
	if st.failed != nil {
		return st.failed
	}
	st.remember = life
	return nil
}

// Remember gives gin-contrib's default session a lifetime of its own and saves
// it at once, with what has been set so far: see Store.Remember.
func Remember(c *gin.Context, life time.Duration) error {
	session, st, err := defaultSession(c)
	if err != nil {
		return err
	}
	if err := st.Store.Remember(c.Request, session, life); err != nil {
		return err
	}
	return session.Save(c.Request, c.Writer)
}
