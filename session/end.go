package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/gorilla/sessions"
)

// logout deletes the session. Should that fail, the browser keeps its cookie:
// it is what the user can try again with.
func (st *state) logout(ctx context.Context, w http.ResponseWriter, session *sessions.Session) error {
	if started(w) {
		return ErrResponseStarted
	}
	if st.stored || st.issued {
		err := st.client.Delete(ctx, st.location())
		if err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
			err = fault("deleting", err)
			st.log.warn(ctx, "a session could not be deleted", err)
			return err
		}
	}
	st.end(session)
	return st.setCookie(w, session.Options)
}

// end forgets the session: from here on it is new.
func (st *state) end(session *sessions.Session) {
	st.Store.forget(st.token.id)
	st.view = view{}
	session.ID = ""
	session.IsNew = true
}

// dead makes the session's end final for this request.
func (st *state) dead(reason string) error {
	st.failed = fmt.Errorf("%w: %s", ErrNotFound, reason)
	st.stored = false
	return st.failed
}
