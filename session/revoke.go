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

// Bind names the session's user, so that RevokeAll(user) ends it and List(user)
// lists it; then Save. Call it at login, after Renew. The name can be anything
// that identifies the user permanently. It is stored sealed and never part of a
// key.
//
// A user has up to Options.MaxSessions sessions: one more ends the one that was
// used longest ago.
//
// After an error the session cannot be saved any more in this request: it would be
// one that RevokeAll does not end.
//
// With gin-contrib/sessions use the function Bind: that package's Save does
// nothing when only the binding changed.
func (s *Store) Bind(r *http.Request, session *sessions.Session, user string) error {
	st, err := s.stateIn(r, session)
	if err != nil {
		return err
	}
	if st.failed != nil {
		return st.failed
	}
	ctx, done := s.contexts.detached(r.Context())
	defer done()
	if err := st.bind(ctx, user); err != nil {
		st.failed = err
		s.log.warn(ctx, "a session could not be bound", err)
		return err
	}
	return nil
}

// Label says what List shows of a session, the browser's name for instance, cut to
// 120 bytes. Call it before Bind. It fails for a session that is not of this
// store.
func (s *Store) Label(r *http.Request, session *sessions.Session, label string) error {
	st, err := s.stateIn(r, session)
	if err != nil {
		return err
	}
	st.label = asLabel(label)
	return nil
}

func (st *state) bind(ctx context.Context, user string) error {
	if user == "" {
		return errNoUser
	}
	e := place{created: time.Now(), used: time.Now(), label: st.label}
	r := &record{created: now()}
	if st.record != nil {
		r = st.record
	}
	e.created, e.idle, e.end = r.created, st.idle(r), st.absoluteEnd(r)
	if r.user == user || st.bound && st.user == user {
		e.handle = st.place.handle
	}
	err := st.changeRoster(ctx, 0, st.pairs[0].tagOf(user), func(l roster) (roster, error) {
		old := l.find(e.handle)
		if old == nil { // revoked meanwhile, or new
			e.handle = newHandle()
			return l.with(e, st.opts.MaxSessions), nil
		}
		if e.label == "" {
			e.label = old.label
		}
		if e.label == old.label {
			e = *old
			return nil, errUnchanged
		}
		return l.with(e, st.opts.MaxSessions), nil
	})
	if err != nil {
		return err
	}
	if r.user != "" && r.user != user {
		_ = st.strike(ctx, st.sealed, st.userTag(), r.handle)
	}
	st.bound, st.user, st.place = true, user, e
	return nil
}

// RevokeAll ends every session that was bound to the user: each is gone at its
// next request, in every process that shares memcached and keys with this one.
// To end the sessions of all users, change the store's keys.
//
// The session of the current request ends with the others; RevokeOthers keeps
// it. To keep it here, read it before RevokeAll, then Renew and Bind it. With
// gin-contrib/sessions read a value of it: that package loads the session at the
// first one. Without Bind the session is gone at the next request, saved or not.
// A session that was not read before RevokeAll is empty and new.
//
// It is one operation, two for each key pair while there are several. It honours
// ctx's deadline, not its cancellation, so that a browser that leaves does not
// stop it halfway. After an error some sessions may live: call it again.
func (s *Store) RevokeAll(ctx context.Context, user string) error {
	return s.everyRoster(ctx, user, func(ctx context.Context, pair int) error {
		err := s.client.Delete(ctx, s.rosterKey(s.pairs[pair].tagOf(user)))
		return unlessMissing(err)
	})
}

// Revoke ends one session of the user, by the handle that List gave: it is gone
// at its next request, in every process. ErrNotFound says that the user has no
// such session, or not any more. Like RevokeAll it honours ctx's deadline, not
// its cancellation.
func (s *Store) Revoke(ctx context.Context, user, handle string) error {
	h, found := parseHandle(handle), false
	err := s.everyRoster(ctx, user, func(ctx context.Context, pair int) error {
		return s.changeRoster(ctx, pair, s.pairs[pair].tagOf(user), func(l roster) (roster, error) {
			if l.find(h) == nil {
				return nil, errUnchanged
			}
			found = true
			return l.without(h), nil
		})
	})
	if err == nil && !found {
		return errNoHandle
	}
	return err
}

// RevokeOthers ends all sessions of the user but one, that of the current request
// for instance: see Handle. ErrNotFound says that the user has no such session;
// then none was ended. Like RevokeAll it honours ctx's deadline, not its
// cancellation. After a change of the password Renew the session, too.
func (s *Store) RevokeOthers(ctx context.Context, user, handle string) error {
	infos, err := s.List(ctx, user)
	if err != nil {
		return err
	}
	known := false
	for _, info := range infos {
		known = known || info.Handle == handle
	}
	if !known {
		return errNoHandle
	}
	h := parseHandle(handle)
	return s.everyRoster(ctx, user, func(ctx context.Context, pair int) error {
		return s.changeRoster(ctx, pair, s.pairs[pair].tagOf(user), func(l roster) (roster, error) {
			e := l.find(h)
			switch {
			case e == nil:
				return nil, nil
			case len(l) == 1:
				return nil, errUnchanged
			}
			return roster{*e}, nil
		})
	})
}

var errNoHandle = fmt.Errorf("%w: the user has no session of this handle", ErrNotFound)

// everyRoster does something to the user's roster under every key pair. A request
// that moves a session to another key meanwhile (see rebind) has put it into the
// new roster before it checks the old one: the second round finds it there.
func (s *Store) everyRoster(ctx context.Context, user string, do func(ctx context.Context, pair int) error) error {
	if user == "" {
		return errNoUser
	}
	ctx, done := s.contexts.detached(ctx)
	defer done()
	for range min(2, len(s.pairs)) {
		for pair := range s.pairs {
			if err := do(ctx, pair); err != nil {
				if !errors.Is(err, ErrConflict) && !errors.Is(err, memcached.ErrUnavailable) {
					err = fault("revoking", err)
				}
				s.log.warn(ctx, "sessions could not be revoked", err)
				return err
			}
		}
	}
	return nil
}
