package session

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
)

// touchedKey marks requests whose handler touched a session, in the request's
// context and, where there is one, in gin's. It is a plain string, so that the
// response cache of this module knows it without importing this package.
const touchedKey = "github.com/bmemcached/bmemcached-go/session.touched"

// touched is the context of a request whose handler touched a session. It knows
// the sessions that are in gorilla's registry.
type touched struct {
	context.Context
	states []*state
	room   [2]*state // for the first of them
}

type statesKey struct{}

// Value answers for the mark.
func (t *touched) Value(key any) any {
	switch key {
	case touchedKey:
		return true
	case statesKey{}:
		return t
	default:
		return t.Context.Value(key)
	}
}

// markTouched marks r, in place, as gorilla's registry does: callers keep the
// pointer.
func markTouched(r *http.Request) *touched {
	ctx := r.Context()
	tell(ctx)
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
func markGin(c *gin.Context) { c.Set(touchedKey, true) }
