package session

import (
	"context"
	"errors"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/gorilla/sessions"
)

// load reads the session that the cookie names, rolling its idle timeout. A
// session that is not there, expired or was revoked leaves session new: its ID
// is never taken up again.
func (st *state) load(ctx context.Context, session *sessions.Session) error {
	readRoster := st.startRoster(ctx, st.token.user)
	idle := st.opts.IdleTimeout
	if st.token.idle != 0 {
		idle = time.Duration(st.token.idle) * time.Second
	}
	item, err := st.client.GetAndTouch(ctx, st.location(), idle)
	users, rosterErr := readRoster()
	if errors.Is(err, memcached.ErrCacheMiss) {
		st.end(session)
		return nil
	}
	if err != nil {
		err = fault("loading", err)
		st.log.warn(ctx, "sessions cannot be loaded", err)
		return err
	}
	if err := st.openItem(item); errors.Is(err, errRenewed) {
		if left := time.Until(st.forward.until); idle < left {
			_, _ = st.client.GetAndTouch(ctx, st.location(), left+margin)
		}
		st.end(session)
		return nil
	} else if err != nil {
		st.log.warn(ctx, "a stored session cannot be read", err)
		return err
	}
	if !time.Now().Before(st.Store.end(st.record)) {
		_ = st.client.Delete(ctx, st.location()) // unusable either way
		st.end(session)
		return nil
	}
	if tag := st.userTag(); tag != st.token.user { // the cookie is older than the binding
		users, rosterErr = st.startRoster(ctx, tag)()
	}
	if own := st.idle(st.record); own != idle { // the cookie is older than the record, or the options are newer
		_, _ = st.client.GetAndTouch(ctx, st.location(), own)
	}
	return st.fill(ctx, session, users, rosterErr)
}

// userTag is the tag whose roster the record stands in.
func (st *state) userTag() tag {
	if st.record.user == "" {
		return tag{}
	}
	return st.pairs[st.sealed].tagOf(st.record.user)
}

// fill puts what was loaded into the session, unless its user's sessions were
// revoked.
func (st *state) fill(ctx context.Context, session *sessions.Session, users *memcached.Item, rosterErr error) error {
	if rosterErr != nil {
		st.log.warn(ctx, "sessions cannot be loaded", rosterErr)
		return rosterErr
	}
	if st.record.user != "" && !st.checkRoster(ctx, users) {
		st.end(session)
		return nil
	}
	err := st.record.each(func(k, v string) error { return decodeInto(session.Values, k, v, st.opts.Codec) })
	if err != nil {
		clear(session.Values)
		st.log.warn(ctx, "a stored session cannot be read", err)
		return err
	}
	session.ID = st.of(st.token.id).public
	session.IsNew = false
	return nil
}

// openItem opens the record that was read for st.token, and notes its version.
// The error is errRenewed if a forward stands in its place.
func (st *state) openItem(item *memcached.Item) error {
	st.stored, st.cas, st.stale, st.forward = true, item.CAS, false, nil
	plain, pair, err := st.open(st.token.id, item.Value)
	if err != nil {
		return err
	}
	if item.Value[0] == forwardVersion {
		if st.forward, err = decodeForward(plain); err == nil {
			err = errRenewed
		}
		return err
	}
	st.sealed = pair
	return st.decode(string(plain))
}

// open opens what is stored for an ID, in the memory of sealed. It returns the
// number of the key pair that sealed it.
func (s *Store) open(i id, sealed []byte) (plain []byte, pair int, err error) {
	key, err := sealedUnder(sealed)
	if err != nil {
		return nil, 0, err
	}
	for n := range s.pairs {
		if s.pairs[n].id == key {
			plain, err = s.of(i).sealer(s.pairs, n).open(sealed)
			return plain, n, err
		}
	}
	return nil, 0, undecodable("sealed under a key that this store does not have")
}

// decode decodes what was sealed.
func (st *state) decode(plain string) (err error) {
	st.record = nil
	if st.loaded, err = decodeRecord(plain); err == nil {
		st.record = &st.loaded
	}
	return err
}

// location is the key of the record in memcached.
func (st *state) location() string { return st.of(st.token.id).location }

// version returns the version that the item must still have for st's changes
// to apply. After a write of its own st does not know it: that is a conflict
// like others, ErrCASConflict, which reloading settles.
func (st *state) version() (uint64, error) {
	switch {
	case st.stale:
		return 0, memcached.ErrCASConflict
	case st.cas == 0:
		return 0, errNoCAS
	default:
		return st.cas, nil
	}
}

// reload reads the record again, after another request wrote it. If it is gone,
// the session has ended for good: ErrNotFound.
func (st *state) reload(ctx context.Context) error {
	item, err := st.client.Get(ctx, st.location())
	if errors.Is(err, memcached.ErrCacheMiss) {
		return st.dead("it was ended by another request, or expired")
	}
	if err != nil {
		return fault("loading again", err)
	}
	if err = st.openItem(item); err == nil {
		err = st.record.parse()
	}
	if errors.Is(err, errRenewed) {
		return st.dead("it was renewed by another request")
	}
	if err != nil {
		st.failed = err // st.cas is now of a record that must not be overwritten
		return err
	}
	return nil
}
