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
func (st *state) logout(ctx context.Context, r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if started(w) {
		return ErrResponseStarted
	}
	found, err := st.endOwn(ctx)
	if err == nil {
		err = st.endAll(ctx, r)
	}
	if err == nil && st.record != nil && st.record.from != (id{}) {
		err = st.endID(ctx, st.record.from)
	}
	if err == nil {
		err = st.strikeOwn(ctx, found)
	}
	if err != nil {
		err = fault("deleting", err)
		st.log.warn(ctx, "a session could not be deleted", err)
		return err
	}
	st.end(session)
	return st.setCookie(w, session.Options)
}

// strikeOwn takes the session out of its user's roster, which matters if no record was
// found. If it could not be loaded, the cookie tells where it stands.
func (st *state) strikeOwn(ctx context.Context, found bool) (err error) {
	switch {
	case st.record != nil && st.record.user != "":
		err = st.strike(ctx, st.sealed, st.userTag(), st.record.handle)
	case st.record == nil && st.token.user != (tag{}):
		err = st.strike(ctx, st.pair, st.token.user, st.token.handle)
	}
	if found {
		return nil
	}
	return err
}

// endOwn deletes the record, in one operation if it is as it was read. It reports
// whether there was one: if not, the session may have been renewed, and only its user's
// roster leads to it.
func (st *state) endOwn(ctx context.Context) (found bool, err error) {
	if !st.stored && !st.issued {
		return false, nil
	}
	if version, err := st.version(); err == nil && st.forward == nil {
		err = st.client.CompareAndDelete(ctx, st.location(), version)
		if !errors.Is(err, memcached.ErrCASConflict) {
			return err == nil, unlessMissing(err)
		}
	}
	return st.endRecord(ctx, st.token.id, st.location())
}

// endAll ends the sessions of all cookies of the session's name that the request
// carries, and what renewals made of them. One that is left alive would be the
// next request's session.
func (st *state) endAll(ctx context.Context, r *http.Request) error {
	for t, pair := range st.tokens(r) {
		if t.id == st.token.id { // see endOwn
			continue
		}
		found, err := st.endRecord(ctx, t.id, st.of(t.id).location)
		if err != nil {
			return err
		}
		if t.user == (tag{}) {
			continue
		}
		if err := st.strike(ctx, pair, t.user, t.handle); err != nil && !found {
			return err
		}
	}
	return nil
}

// endOthers ends the sessions of other cookies of the same name that are alive:
// the browser might send one of them before the cookie of a login.
func (st *state) endOthers(ctx context.Context, r *http.Request) error {
	for t := range st.tokens(r) {
		if t.id == st.token.id || t.id == st.arrived {
			continue
		}
		item, err := st.client.Get(ctx, st.of(t.id).location)
		if err == nil && st.forwardIn(t.id, item) == nil {
			err = st.deleteVersion(ctx, item)
		}
		if err = unlessMissing(err); err != nil && !errors.Is(err, memcached.ErrCASConflict) { // then it is in use
			return err
		}
	}
	return nil
}

func unlessMissing(err error) error {
	if errors.Is(err, memcached.ErrCacheMiss) {
		return nil
	}
	return err
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
