package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/gorilla/sessions"
)

// maxAttempts bounds how often a save is tried when other requests get ahead of
// it. Each time one of them has succeeded, so n parallel requests need n.
const maxAttempts = 64

// Save is Store.Save for the session that st belongs to.
func (st *state) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if r == nil || w == nil || session == nil || session.Options == nil {
		return errNoSession
	}
	markTouched(r)
	markPrivate(w, true)
	ctx, done := st.contexts.detached(r.Context())
	defer done()
	if session.Options.MaxAge < 0 {
		return st.logout(ctx, r, w, session)
	}
	if st.failed != nil {
		return st.failed
	}
	if err := st.parseValues(); err != nil {
		return err
	}
	ours, err := encodeValues(session.Values, st.opts.Codec)
	if err != nil {
		return err
	}
	st.before = place{}
	err = st.save(ctx, w, session, ours)
	if err != nil && !errors.Is(err, ErrUnavailable) { // else it may be stored
		st.takeBack(ctx)
	}
	if err == nil && st.sent != "" {
		st.warnOfPlainHTTP(r, session.Options.Secure)
	}
	return err
}

func (st *state) save(ctx context.Context, w http.ResponseWriter, session *sessions.Session, ours values) error {
	if !st.stored {
		if len(ours) == 0 && !st.renewed && !st.bound && st.remember == 0 {
			return nil
		}
		return st.create(ctx, w, session, ours)
	}
	for attempt := range maxAttempts {
		next, err := st.next(ctx, session, ours)
		if next == nil || err != nil {
			return err
		}
		if started(w) {
			return ErrResponseStarted
		}
		err = st.swap(ctx, next)
		if err == nil {
			return st.written(w, session, next, ours)
		}
		if !errors.Is(err, memcached.ErrCASConflict) {
			return err
		}
		if err = st.retry(ctx, attempt); err != nil {
			return err
		}
	}
	err := fmt.Errorf("%w, %d times over", ErrConflict, maxAttempts)
	st.log.warn(ctx, "a session could not be saved", err)
	return err
}

// next returns what a save of an existing session has to write, nil if nothing.
func (st *state) next(ctx context.Context, session *sessions.Session, ours values) (*draft, error) {
	merged, changed, conflicts, err := merge(st.seen, ours, st.record.values, st.opts.Codec)
	if err != nil {
		st.dropTaken(conflicts)
		return nil, err
	}
	reissue := !st.issued || st.pair != 0 || st.sealed != 0 || *session.Options != st.given || st.rolls(session) || st.token.idle != st.idleOf(st.record)
	if !changed && !reissue && !st.bound && st.remember == 0 {
		st.seen = ours
		return nil, nil
	}
	if st.over() { // unless another request has given it a longer life
		if err := st.reload(ctx); err != nil {
			return nil, err
		}
		if st.over() {
			return nil, st.dead("it expired")
		}
		return st.next(ctx, session, ours)
	}
	return st.draft(ctx, session, merged)
}

// dropTaken removes lists that another request has emptied from what this one
// has seen, so that saving again stores the other changes.
func (st *state) dropTaken(conflicts []string) {
	if len(conflicts) == 0 {
		return
	}
	st.seen = maps.Clone(st.seen)
	for _, k := range conflicts {
		delete(st.seen, k)
	}
}

// retry gets ready for another attempt after a conflict.
func (st *state) retry(ctx context.Context, attempt int) error {
	if err := pause(ctx, attempt); err != nil {
		return err
	}
	return st.reload(ctx)
}

// create stores a session that memcached does not hold: a new one, or one that
// Renew took away.
func (st *state) create(ctx context.Context, w http.ResponseWriter, session *sessions.Session, ours values) error {
	if started(w) {
		return ErrResponseStarted
	}
	if st.over() || st.renewed && !time.Now().Before(st.expiry) {
		return st.dead("it expired")
	}
	merged := ours
	if st.record != nil {
		var conflicts []string
		var err error
		if merged, _, conflicts, err = merge(st.seen, ours, st.record.values, st.opts.Codec); err != nil {
			st.dropTaken(conflicts)
			return err
		}
	}
	if st.token.id == (id{}) {
		st.token.id = newID()
	}
	next, err := st.draft(ctx, session, merged)
	if err != nil {
		return err
	}
	item, err := st.item(next)
	if err != nil {
		return err
	}
	err = st.client.Add(ctx, item)
	if st.renewed && errors.Is(err, memcached.ErrNotStored) {
		return st.resume(ctx, w, session, ours)
	}
	if err != nil {
		if !st.renewed { // the record may be there for all we know: the next attempt takes another ID
			st.token.id = id{}
		}
		err = fault("creating", err)
		st.log.warn(ctx, "a session could not be saved", err)
		return err
	}
	st.stored, st.renewed, st.stale = true, false, true
	return st.written(w, session, next, ours)
}

// resume goes on with a renewed session whose record is there already: an earlier
// attempt stored it, and its answer was lost, or a logout has forbidden it.
func (st *state) resume(ctx context.Context, w http.ResponseWriter, session *sessions.Session, ours values) error {
	if err := st.reload(ctx); err != nil {
		return err
	}
	st.renewed, st.seen = false, st.record.values
	return st.save(ctx, w, session, ours)
}

// swap replaces the record if it still has the version that st knows. If it
// does not, the error is the client's ErrCASConflict.
func (st *state) swap(ctx context.Context, next *draft) error {
	version, err := st.version()
	if err != nil {
		return err
	}
	item, err := st.item(next)
	if err != nil {
		return err
	}
	item.CAS = version
	switch err := st.client.CompareAndSwap(ctx, item); {
	case err == nil:
		st.stale = true
		return nil
	case errors.Is(err, memcached.ErrCASConflict):
		return err
	case errors.Is(err, memcached.ErrCacheMiss):
		return st.dead("it was ended by another request, or expired")
	default:
		err = fault("saving", err)
		st.log.warn(ctx, "a session could not be saved", err)
		return err
	}
}

// item is next, sealed for st.token.
func (st *state) item(next *draft) (*memcached.Item, error) {
	sealed := st.of(st.token.id).sealer(st.pairs, 0).seal(next.encode())
	if len(sealed) > st.opts.MaxSize {
		return nil, fmt.Errorf("session: %w: %d bytes, and Options.MaxSize is %d", ErrTooLarge, len(sealed), st.opts.MaxSize)
	}
	idle := st.idle(&next.record)
	ttl := lifetime(idle, st.Store.end(&next.record))
	if ttl <= 0 {
		return nil, st.dead("it expired")
	}
	return &memcached.Item{Key: st.location(), Value: sealed, TTL: min(ttl+margin, max(idle, time.Millisecond))}, nil
}

// written takes note of what is stored now and sets the cookie if it has to be.
func (st *state) written(w http.ResponseWriter, session *sessions.Session, next *draft, ours values) error {
	st.record, st.seen, st.sealed, st.bound, st.remember = &next.record, ours, 0, false, 0
	session.ID = st.of(st.token.id).public
	session.IsNew = false
	if !next.send {
		return nil
	}
	st.token.user, st.token.handle, st.token.idle, st.pair, st.issued, st.given = next.tag, next.handle, next.idle, 0, true, *session.Options
	return st.setCookie(w, &next.options)
}

// pause waits a moment after the first few conflicts, a random one so that
// requests do not stay in step.
func pause(ctx context.Context, attempt int) error {
	if attempt < 3 {
		return nil
	}
	timer := time.NewTimer(rand.N(min(time.Duration(attempt), 10) * time.Millisecond))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fault("saving", ctx.Err())
	}
}
