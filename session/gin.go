package session

import (
	"errors"

	ginsessions "github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"
)

var (
	errNoGinSession = errors.New("session: the request has no session: is the middleware of gin-contrib/sessions there?")
	errManySessions = errors.New("session: the request has several sessions (SessionsMany): use the methods of the store")
)

// Renew gives gin-contrib's default session a new ID and saves it at once, with
// what has been set so far: see Store.Renew. Gin-contrib's own Save would do
// nothing, because its wrapper has seen no change. A session that is new and
// empty is stored when it is saved with values; its ID is new in any case.
func Renew(c *gin.Context) error {
	session, st, err := defaultSession(c)
	if err != nil {
		return err
	}
	if err := st.Store.Renew(c.Request, session); err != nil {
		return err
	}
	return session.Save(c.Request, c.Writer)
}

// Bind names the user of gin-contrib's default session and saves it at once,
// with what has been set so far: see Store.Bind. After an error nobody is logged
// in: the cookie that Renew has set in this request is taken back.
func Bind(c *gin.Context, user string) error {
	session, st, err := defaultSession(c)
	if err != nil {
		return err
	}
	if err = st.Store.Bind(c.Request, session, user); err == nil {
		err = session.Save(c.Request, c.Writer)
	}
	if err != nil {
		st.failed = err
		st.withdraw(c.Request.Context(), c.Writer)
	}
	return err
}

// Label says what List shows of gin-contrib's default session. Call it before
// Bind, which stores it: see Store.Label.
func Label(c *gin.Context, label string) error {
	session, st, err := defaultSession(c)
	if err != nil {
		return err
	}
	return st.Store.Label(c.Request, session, label)
}

// wrapper is what gin-contrib's sessions have besides its Session interface.
type wrapper interface {
	Session() *sessions.Session
	Written() bool
}

func defaultSession(c *gin.Context) (*sessions.Session, *state, error) {
	value, ok := c.Get(ginsessions.DefaultKey)
	if !ok {
		return nil, nil, errNoGinSession
	}
	if _, many := value.(map[string]ginsessions.Session); many {
		return nil, nil, errManySessions
	}
	wrapped, ok := value.(wrapper)
	if !ok {
		return nil, nil, errForeign
	}
	session := wrapped.Session()
	st, ok := session.Store().(*state)
	if !ok {
		return nil, nil, errForeign
	}
	markGin(c, true)
	return session, st, nil
}
