package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// SCSStore keeps the sessions of github.com/alexedwards/scs/v2 in memcached: it
// is an scs.CtxStore. Each session is sealed under a key derived from its token
// and the server's keys, and tokens do not appear in memcached. Without the
// server's keys nobody can make or read a session.
//
// A token that was deleted stays dead for an hour, so that a request in flight
// cannot bring a session back after a logout or RenewToken: its Commit fails
// with ErrNotFound. It is safe for concurrent use.
//
// Scs hands the request's context to FindCtx, CommitCtx and DeleteCtx. They
// honour its deadline and its values, not its cancellation: a browser that
// leaves before the response is committed has logged in or out all the same.
// The client's Options.Timeout ends what takes too long.
//
// Scs stores sessions whole: of two parallel requests the later Commit replaces
// what the earlier one changed, without an error. With scs's IdleTimeout every
// request commits. A logout beside RenewToken ends the old token, not the new
// one. Sessions cannot be listed: scs's Iterate returns an error.
//
// Scs's own tests pass over this store, but for two that cannot: that of Iterate,
// and one that commits a session without a token, which is an error here.
//
// Put Private around scs's LoadAndSave: the responses to requests that carry a
// live session are then private, for the response cache of this module and for
// caches in front.
type SCSStore struct {
	client   Client
	opts     Options
	pairs    []pair
	contexts contexts
	log      limitedLog
	above    string // see prefixOf
}

// NewSCS returns a store for scs whose sessions are sealed under keyPairs, which
// are those of New: the first pair seals, all pairs open. Sessions that were
// sealed under other keys are not found. The encryption keys encrypt cookies,
// which scs makes itself, and may be nil.
//
// Of the options it uses Prefix, MaxSize and Logger: scs keeps the timeouts
// itself and encodes the values. Errors and panics are those of New.
func NewSCS(client Client, opts *Options, keyPairs ...[]byte) (*SCSStore, error) {
	requireClient("NewSCS", client)
	checked, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	pairs, err := newPairs(keyPairs)
	if err != nil {
		return nil, err
	}
	above, err := prefixOf(client)
	if err != nil {
		return nil, err
	}
	return &SCSStore{client: client, opts: checked, pairs: pairs, log: limitedLog{logger: checked.Logger}, above: above}, nil
}

const (
	scsMaxToken = 512 // scs's own tokens have 43 bytes
	scsDeadFor  = time.Hour
)

// scsEnded is what stands in the place of a record that was deleted. No sealed
// record begins like it.
var scsEnded = []byte{0}

var (
	errToken      = errors.New("session: malformed token")
	errUnknownKey = errors.New("session: sealed under a key that this store does not have")
)

// Find returns the data of a token. Tokens that are unknown, expired, deleted
// or malformed are not found, which is no error; nor are those of sessions that
// were sealed under keys that the store does not have.
func (s *SCSStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// FindCtx is Find with a context: see SCSStore.
func (s *SCSStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	if !validToken(token) {
		return nil, false, nil
	}
	ctx, done := s.contexts.detached(ctx)
	defer done()
	key := s.key(token)
	item, err := s.client.Get(ctx, key)
	if errors.Is(err, memcached.ErrCacheMiss) {
		return nil, false, nil
	}
	if err != nil {
		err = fault("loading", err)
		s.log.warn(ctx, "sessions cannot be loaded", err)
		return nil, false, err
	}
	if ended(item) {
		return nil, false, nil
	}
	data, expiry, err := s.open(key, token, item.Value)
	if errors.Is(err, errUnknownKey) {
		return nil, false, nil
	}
	tell(ctx)
	if err != nil {
		s.log.warn(ctx, "a stored session cannot be read", err)
		return nil, false, err
	}
	return data, time.Now().Before(expiry), nil
}

// Commit stores the data of a token until expiry. An expiry that has passed
// ends the session. A token that was deleted gives ErrNotFound.
func (s *SCSStore) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// CommitCtx is Commit with a context: see SCSStore.
func (s *SCSStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	if !validToken(token) {
		return errToken
	}
	tell(ctx)
	ttl := time.Until(expiry)
	if ttl <= 0 {
		return s.DeleteCtx(ctx, token)
	}
	key := s.key(token)
	sealed := s.seal(key, token, data, expiry)
	if len(sealed) > s.opts.MaxSize {
		return fmt.Errorf("session: %w: %d bytes, and Options.MaxSize is %d", ErrTooLarge, len(sealed), s.opts.MaxSize)
	}
	item := &memcached.Item{Key: key, Value: sealed, TTL: min(ttl, maxLife) + margin}
	ctx, done := s.contexts.detached(ctx)
	defer done()
	for attempt := range maxAttempts {
		retry, err := s.put(ctx, item)
		if !retry {
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w, %d times over", ErrConflict, maxAttempts)
}

// put stores item unless its token was deleted. It asks for a retry when
// another request came in between.
func (s *SCSStore) put(ctx context.Context, item *memcached.Item) (retry bool, err error) {
	old, err := s.client.Get(ctx, item.Key)
	switch {
	case errors.Is(err, memcached.ErrCacheMiss):
		err = s.client.Add(ctx, item)
	case err != nil:
	case ended(old):
		return false, fmt.Errorf("%w: its token was deleted", ErrNotFound)
	case old.CAS == 0:
		return false, errNoCAS
	default:
		item.CAS = old.CAS
		err = s.client.CompareAndSwap(ctx, item)
		item.CAS = 0
	}
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, memcached.ErrNotStored), errors.Is(err, memcached.ErrCASConflict), errors.Is(err, memcached.ErrCacheMiss):
		return true, nil
	default:
		err = fault("saving", err)
		s.log.warn(ctx, "a session could not be saved", err)
		return false, err
	}
}

// Delete ends the session of a token. A token that is unknown or malformed is
// no error.
func (s *SCSStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// DeleteCtx is Delete with a context: see SCSStore.
func (s *SCSStore) DeleteCtx(ctx context.Context, token string) error {
	if !validToken(token) {
		return nil
	}
	tell(ctx)
	ctx, done := s.contexts.detached(ctx)
	defer done()
	err := s.client.Set(ctx, &memcached.Item{Key: s.key(token), Value: scsEnded, TTL: scsDeadFor})
	if err != nil {
		err = fault("deleting", err)
		s.log.warn(ctx, "a session could not be deleted", err)
		return err
	}
	return nil
}

var errNotListed = errors.New("session: sessions of scs cannot be listed: memcached does not tell its keys")

// All returns an error, for scs's Iterate, which would panic without it: what
// memcached holds cannot be listed.
func (s *SCSStore) All() (map[string][]byte, error) { return nil, errNotListed }

// AllCtx is All with a context.
func (s *SCSStore) AllCtx(context.Context) (map[string][]byte, error) { return nil, errNotListed }

func ended(item *memcached.Item) bool { return len(item.Value) == 1 && item.Value[0] == scsEnded[0] }

// validToken reports whether a token can be one: what browsers send is not to
// be trusted.
func validToken(token string) bool {
	if len(token) == 0 || len(token) > scsMaxToken {
		return false
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return false
		}
	}
	return true
}
