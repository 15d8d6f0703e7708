package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

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
// bring it back. The new one exists once the session is saved, for which there are
// ten minutes. The sessions of
// other cookies of the same name that the request carries end.
//
// Of two requests that renew one session at the same time one succeeds, the other
// gets ErrNotFound. If the session is not bound to a user, both succeed and each
// has a session of its own with the values and flash messages of the old one, so
// that a login that is clicked twice is a login. A logout with the old ID, or with
// one of the new ones, ends all of them, for ten minutes, or until memcached evicts
// what Renew leaves under the old ID for that. If the session was bound to a user, a
// logout with the old ID ends it at any time, by the user's roster.
//
// After an error the session cannot be saved any more in this request. A session
// that could not be decoded is deleted and becomes new. Renew does not extend the
// absolute timeout.
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
	if err := st.renew(ctx, r, session); err != nil {
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

func (st *state) renew(ctx context.Context, r *http.Request, session *sessions.Session) error {
	if errors.Is(st.failed, ErrDecode) {
		return st.discard(ctx, session)
	}
	if st.failed != nil || !st.stored {
		return st.failed
	}
	if err := st.parseValues(); err != nil {
		return err
	}
	if err := st.endOthers(ctx, r); err != nil {
		return fault("renewing", err)
	}
	fresh := newID()
	for attempt := range maxAttempts {
		err := st.moveTo(ctx, fresh)
		if err == nil {
			if err := st.takeOver(); err != nil {
				return err
			}
			if st.over() {
				return st.dead("it expired")
			}
			st.rememberOrigin()
			st.Store.forget(st.token.id)
			st.token, st.issued = token{id: fresh}, false
			st.stored, st.renewed, st.forward = false, true, nil
			st.expiry = time.Now().Add(forwardFor)
			session.ID = st.of(st.token.id).public
			return nil
		}
		if !errors.Is(err, memcached.ErrCASConflict) {
			return err
		}
		if err = st.retry(ctx, attempt); err != nil && !st.mayFork() {
			return err
		}
		st.failed = nil
	}
	return fmt.Errorf("%w, %d times over", ErrConflict, maxAttempts)
}

// mayFork reports whether another request's renewal of the session leaves room
// for this one. It does not if the session is a user's: then one of the two may
// be a thief's.
func (st *state) mayFork() bool {
	return st.forward != nil && len(st.forward.to) > 0 && len(st.forward.to) < maxForks &&
		time.Now().Before(st.forward.until) && st.record != nil && st.record.user == ""
}

// rememberOrigin notes where a session that is nobody's came from: a logout ends
// what another renewal of it made at the same time, too.
func (st *state) rememberOrigin() {
	r := *st.record
	if r.from = st.token.id; r.user != "" {
		r.from = id{}
	}
	st.record = &r
}

// takeOver takes what another renewal found, when this one came second: other
// requests may have stored it since this one read the session.
func (st *state) takeOver() error {
	if st.forward == nil || st.forward.record == "" {
		return nil
	}
	if err := st.decode(st.forward.record); err != nil {
		return err
	}
	return st.record.parse()
}

// moveTo puts a forward in the record's place if it still has the version that
// st knows, so that what other requests stored is carried over. If it does not,
// the error is the client's ErrCASConflict.
func (st *state) moveTo(ctx context.Context, fresh id) error {
	version, err := st.version()
	if err != nil {
		return err
	}
	f := forward{to: []id{fresh}}
	switch {
	case st.forward != nil:
		f.to, f.record = append(f.to, st.forward.to...), st.forward.record
	case st.record.user == "":
		f.record = string(st.record.encode())
	}
	item := st.forwardItem(st.token.id, f)
	item.CAS = version
	switch err = st.client.CompareAndSwap(ctx, item); {
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
