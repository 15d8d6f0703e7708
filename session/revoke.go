package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/gorilla/sessions"
)

// A user's sessions are bound to the user's epoch: random bytes in memcached
// under a key made of the user's tag. A session is good only while the epoch
// that it was bound to is there, so deleting it ends all of them, and losing it
// does, too. The next Bind draws another one.

// Bind names the session's user, so that RevokeAll(user) ends it; then Save.
// Call it at login, after Renew. The name can be anything that identifies the
// user permanently. It is stored sealed and never part of a key.
//
// With gin-contrib/sessions use the function Bind: that package's Save does
// nothing when only the binding changed.
func (s *Store) Bind(r *http.Request, session *sessions.Session, user string) error {
	st, err := s.stateIn(r, session)
	if err != nil {
		return err
	}
	if user == "" {
		return errNoUser
	}
	if st.failed != nil {
		return st.failed
	}
	ctx, done := s.contexts.detached(r.Context())
	defer done()
	current, err := s.bindEpoch(ctx, s.pairs[0].tagOf(user))
	if err != nil {
		s.log.warn(ctx, "a session could not be bound", err)
		return err
	}
	st.bound, st.user, st.epoch = true, user, current
	return nil
}

// RevokeAll ends every session that was bound to the user: each is gone at its
// next request, in every process that shares memcached and keys with this one.
// To end the sessions of all users, change the store's keys.
//
// The session of the current request ends with the others. To keep it, read it
// before RevokeAll, then Renew and Bind it. With gin-contrib/sessions read a
// value of it: that package loads the session at the first one. Without Bind the
// session is gone at the next request, saved or not. A session that was not read
// before RevokeAll is empty and new.
//
// It is one operation, two for each key pair while there are several. It honours
// ctx's deadline, not its cancellation, so that a browser that leaves does not
// stop it halfway. After an error some sessions may live: call it again.
func (s *Store) RevokeAll(ctx context.Context, user string) error {
	if user == "" {
		return errNoUser
	}
	ctx, done := s.contexts.detached(ctx)
	defer done()
	// A request that moves a session to another key meanwhile (see rebind) has
	// read its new epoch before it checked the old one: the second round deletes
	// that new epoch.
	rounds := min(2, len(s.pairs))
	for range rounds {
		for i := range s.pairs {
			err := s.client.Delete(ctx, s.epochKey(s.pairs[i].tagOf(user)))
			if err != nil && !errors.Is(err, memcached.ErrCacheMiss) {
				err = fault("revoking", err)
				s.log.warn(ctx, "sessions could not be revoked", err)
				return err
			}
		}
	}
	return nil
}

func (s *Store) epochKey(t tag) string {
	return s.opts.Prefix + "user:" + base64.RawURLEncoding.EncodeToString(t[:])
}

// startEpoch begins to read the epoch of a tag; the function that it returns
// waits for it. In this way loading reads record and epoch in one round trip.
func (s *Store) startEpoch(ctx context.Context, t tag) func() (epoch, error) {
	if t == (tag{}) {
		return func() (epoch, error) { return epoch{}, nil }
	}
	type answer struct {
		epoch epoch
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		e, err := s.readEpoch(ctx, t)
		answers <- answer{e, err}
	}()
	return func() (epoch, error) {
		a := <-answers
		return a.epoch, a.err
	}
}

// readEpoch returns the epoch of a tag, all zero if there is none.
func (s *Store) readEpoch(ctx context.Context, t tag) (epoch, error) {
	item, err := s.client.Get(ctx, s.epochKey(t))
	return asEpoch(item, err)
}

func asEpoch(item *memcached.Item, err error) (epoch, error) {
	if errors.Is(err, memcached.ErrCacheMiss) {
		return epoch{}, nil
	}
	if err != nil {
		return epoch{}, fault("loading the user's epoch", err)
	}
	if len(item.Value) != len(epoch{}) {
		return epoch{}, nil
	}
	return epoch(item.Value), nil
}

// maxEpochAttempts bounds how often a new epoch is tried: another request may
// make one, or remove it, in between.
const maxEpochAttempts = 4

// bindEpoch returns the epoch of a tag, making one if there is none, and keeps
// it for as long as a session bound to it can live.
func (s *Store) bindEpoch(ctx context.Context, t tag) (epoch, error) {
	ttl := max(s.opts.AbsoluteTimeout, maxRemembered) + time.Minute
	for range maxEpochAttempts {
		current, err := asEpoch(s.client.GetAndTouch(ctx, s.epochKey(t), ttl))
		if err != nil || current != (epoch{}) {
			return current, err
		}
		_, _ = rand.Read(current[:])
		err = s.client.Add(ctx, &memcached.Item{Key: s.epochKey(t), Value: current[:], TTL: ttl})
		if err == nil {
			return current, nil
		}
		if !errors.Is(err, memcached.ErrNotStored) {
			return epoch{}, fault("making the user's epoch", err)
		}
	}
	return epoch{}, ErrConflict
}

// rebind binds a record that is about to be sealed under another key to the
// user's epoch under that key. The new epoch is read before the old one is
// checked: see RevokeAll.
func (st *state) rebind(ctx context.Context, r *record) error {
	next, err := st.bindEpoch(ctx, st.pairs[0].tagOf(r.user))
	if err != nil {
		return err
	}
	old, err := st.readEpoch(ctx, st.userTag())
	if err != nil {
		return err
	}
	if old != r.epoch {
		return st.dead("its user's sessions were revoked")
	}
	r.epoch = next
	return nil
}
