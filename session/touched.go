package session

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
)

// touchedKey marks requests whose handler touched a session, in the request's
// context and, where there is one, in gin's: with true, or, where it has only looked
// for sessions of which the request has no cookie, with their names, as []string. It is
// a plain string, so that the response cache of this module knows it without importing
// this package.
const touchedKey = "github.com/bmemcached/bmemcached-go/session.touched"

// touched is the context of a request whose handler touched a session. It knows
// the sessions that are in gorilla's registry.
type touched struct {
	context.Context
	mark   mark
	states []*state
	room   [2]*state // for the first of them
}

type statesKey struct{}

// Value answers for the mark.
func (t *touched) Value(key any) any {
	switch key {
	case touchedKey:
		return t.mark.value(t.Context)
	case statesKey{}:
		return t
	default:
		return t.Context.Value(key)
	}
}

// markTouched marks r as one whose handler touched a session.
func markTouched(r *http.Request) {
	tell(r.Context())
	touchedOf(r).mark.touch()
}

// look marks r as one whose handler looked for the session of a name. It reports
// whether r has no cookie of that name, so that there is none to be found.
func look(r *http.Request, name string) (none bool) {
	none = true
	cookieValues(r.Header, name, func(string) bool { none = false; return false })
	if none {
		watchOf(r.Context()).look(name)
		touchedOf(r).mark.look(name)
	} else {
		markTouched(r)
	}
	return none
}

// touchedOf returns what is known of r. It goes into r in place, as gorilla's registry
// does: callers keep the pointer.
func touchedOf(r *http.Request) *touched {
	ctx := r.Context()
	if t, ok := ctx.Value(statesKey{}).(*touched); ok {
		return t
	}
	t := &touched{Context: ctx}
	t.states = t.room[:0]
	*r = *r.WithContext(t)
	return t
}

// state returns the state of a session, nil if there is none yet.
func (t *touched) state(s *Store, name string) *state {
	for _, st := range t.states {
		if st.Store == s && st.name == name {
			return st
		}
	}
	return nil
}

// remember takes note of a state, in place of one of the same session.
func (t *touched) remember(st *state) {
	for i, old := range t.states {
		if old.Store == st.Store && old.name == st.name {
			t.states[i] = st
			return
		}
	}
	t.states = append(t.states, st)
}

// markGin marks a gin context.
func markGin(c *gin.Context, value any) {
	old, _ := c.Get(touchedKey)
	c.Set(touchedKey, both(value, old))
}
