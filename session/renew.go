package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/gorilla/sessions"
)

// errForeign says that another store made the session.
var errForeign = errors.New("session: not a session of this store")

// Renew gives the session a new ID and keeps its values. Call it when a user
// logs in, or gains rights in another way, so that an ID that somebody planted
// or saw before is worth nothing; then Save.
//
// The old ID is dead when Renew returns, and requests that still use it cannot
// bring it back. The new one exists once the session is saved. Of two requests
// that renew one session at the same time one succeeds, the other gets
// ErrNotFound. After an error the session cannot be saved any more in this
// request. A session that could not be decoded is deleted and becomes new. Renew
// does not extend the absolute timeout.
//
// With gin-contrib/sessions use the function Renew: that package's Save does
// nothing when only the ID changed.
func (s *Store) Renew(r *http.Request, session *sessions.Session) error {
	st, err := s.stateIn(r, session)
	if err != nil {
		return err
	}
	ctx, done := s.contexts.detached(r.Context())
	defer done()
	if err := st.renew(ctx, session); err != nil {
		st.failed = err // a login must not go on with the old ID
		return err
	}
	return nil
}

// stateIn returns the state of a session that a request is to change.
func (s *Store) stateIn(r *http.Request, session *sessions.Session) (*state, error) {
	if r == nil || session == nil {
		return nil, errNoSession
	}
	st, ok := session.Store().(*state)
	if !ok || st.Store != s {
		return nil, errForeign
	}
	markTouched(r)
	return st, nil
}

func (st *state) renew(ctx context.Context, session *sessions.Session) error {
	if errors.Is(st.failed, ErrDecode) {
		return st.discard(ctx, session)
	}
	if st.failed != nil || !st.stored {
		return st.failed
	}
	if err := st.parseValues(); err != nil {
		return err
	}
	for attempt := range maxAttempts {
		err := st.remove(ctx)
		if err == nil {
			st.Store.forget(st.token.id)
			st.token, st.issued = token{id: newID()}, false
			st.stored, st.renewed = false, true
			session.ID = st.of(st.token.id).public
			return nil
		}
		if !errors.Is(err, memcached.ErrCASConflict) {
			return err
		}
		if err = st.retry(ctx, attempt); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w, %d times over", ErrConflict, maxAttempts)
}

// remove deletes the record if it still has the version that st knows, so that
// what other requests stored is carried over. If it is not, the error is the
// client's ErrCASConflict.
func (st *state) remove(ctx context.Context) error {
	version, err := st.version()
	if err != nil {
		return err
	}
	err = st.client.CompareAndDelete(ctx, st.location(), version)
	switch {
	case err == nil, errors.Is(err, memcached.ErrCASConflict):
		return err
	case errors.Is(err, memcached.ErrCacheMiss):
		return st.dead("it was ended by another request, or expired")
	default:
		err = fault("renewing", err)
		st.log.warn(ctx, "a session could not be renewed", err)
		return err
	}
}

// discard deletes a record that cannot be read.
func (st *state) discard(ctx context.Context, session *sessions.Session) error {
	err := st.client.Delete(ctx, st.location())
	if err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
		return fault("renewing", err)
	}
	st.end(session)
	return nil
}
