package store

import (
	"context"
	"io"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Type is what GetType returns.
const Type = "bmemcached"

// Store is a gocache store of []byte, string, bool and numbers, which come back
// with the type that they went in with. It is safe for concurrent use.
type Store struct{ core *core }

var (
	_ libstore.SetIfNotExistsStore = (*Store)(nil)
	_ io.Closer                    = (*Store)(nil)
)

// New returns a store over client with default Options. The options are the
// defaults of every Set: an expiration, tags and so on. Nil options are
// skipped. New panics if client is nil, and if an option can never be honoured.
func New(client Client, options ...libstore.Option) *Store {
	mustHaveClient("New", client)
	s, err := NewWithOptions(client, nil, options...)
	if err != nil {
		panic("store: New: " + err.Error())
	}
	return s
}

// NewWithOptions returns a store over client. The options are the defaults of
// every Set. It panics if client is nil. An error says which of opts or options
// cannot be honoured.
func NewWithOptions(client Client, opts *Options, options ...libstore.Option) (*Store, error) {
	mustHaveClient("NewWithOptions", client)
	c, err := newCore(client, opts, options)
	if err != nil {
		return nil, err
	}
	values := anyValues{c.opts.Codec}
	c.encode, c.decode = values.encode, values.decode
	return &Store{c}, nil
}

// mustHaveClient panics if client is nil: the error of memcached.New was not
// checked.
func mustHaveClient(constructor string, client Client) {
	if c, ok := client.(*memcached.Client); client == nil || ok && c == nil {
		panic("store: " + constructor + ": client is nil")
	}
}

// Get returns the value of key, or libstore.NotFound. A []byte belongs to the
// caller.
func (s *Store) Get(ctx context.Context, key any) (any, error) {
	value, _, err := s.core.get(ctx, key)
	return value, err
}

// GetWithTTL returns the value of key and its remaining time to live: 0 when it
// does not expire, Options.UnknownTTL when another client wrote it.
func (s *Store) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	return s.core.get(ctx, key)
}

// GetMulti returns the values of those keys that have one, in one pipelined
// round trip per server, and one more for the tags of all of them. When
// something fails it returns what it got, and a *memcached.MultiError by key or
// the context's error.
func (s *Store) GetMulti(ctx context.Context, keys []string) (map[string]any, error) {
	return s.core.getMulti(ctx, keys)
}

// Set stores a value. Without an expiration it does not expire. With a negative
// one it expires at once: the key then has no value. An expiration above 0 and
// below a millisecond is an error.
func (s *Store) Set(ctx context.Context, key, value any, options ...libstore.Option) error {
	return s.core.set(ctx, key, value, options)
}

// SetMulti stores values, all with the same options, in one pipelined round
// trip per server. A *memcached.MultiError says which keys failed. ErrValueType
// means that nothing was sent. After any other error, such as the context's,
// some values may be stored.
func (s *Store) SetMulti(ctx context.Context, values map[string]any, options ...libstore.Option) error {
	return setMulti(ctx, s.core, values, options)
}

// SetIfNotExists stores a value if the key has none, and reports whether it
// did. An expired or invalidated value does not count.
func (s *Store) SetIfNotExists(ctx context.Context, key, value any, options ...libstore.Option) (bool, error) {
	return s.core.setIfNotExists(ctx, key, value, options)
}

// Touch sets the time to live of an existing value, counted from now: 0 means
// that it does not expire, a negative one removes it, and one above 0 and below
// a millisecond is an error. It returns libstore.NotFound when there is no
// value.
//
// The deadline is stored with the value, so Touch reads the item and writes it
// back with compare-and-swap, in two round trips. It fails without
// compare-and-swap (memcached -C, memcached.Options.Replicate).
func (s *Store) Touch(ctx context.Context, key any, ttl time.Duration) error {
	return s.core.touch(ctx, key, ttl)
}

// Increment adds delta to a number in one round trip and returns the sum, which
// wraps around at 2⁶⁴. The type and the deadline of the value stay: what was
// stored as int64 is read as int64.
//
// It returns libstore.NotFound when there is no value, and
// memcached.ErrNotNumber when the value is not a number or is negative.
// SetIfNotExists creates the number.
func (s *Store) Increment(ctx context.Context, key any, delta uint64) (uint64, error) {
	return s.core.increment(ctx, key, delta)
}

// Decrement subtracts delta from a number as Increment adds it. It stops at 0.
func (s *Store) Decrement(ctx context.Context, key any, delta uint64) (uint64, error) {
	return s.core.decrement(ctx, key, delta)
}

// Delete removes a key. A key without a value is not an error.
func (s *Store) Delete(ctx context.Context, key any) error {
	return s.core.delete(ctx, key)
}

// DeleteMulti removes keys in one pipelined round trip per server. Keys without
// a value are not an error.
func (s *Store) DeleteMulti(ctx context.Context, keys []string) error {
	return s.core.deleteMulti(ctx, keys)
}

// Invalidate removes all items with any of the tags, in one round trip however
// many items there are. Without tags it does nothing.
func (s *Store) Invalidate(ctx context.Context, options ...libstore.InvalidateOption) error {
	return s.core.invalidate(ctx, options)
}

// Clear removes all items with Options.Prefix, for all processes at once.
// Without a prefix it flushes every server of the client, which removes what
// other programs keep there, too. Servers can forbid that (memcached -F).
func (s *Store) Clear(ctx context.Context) error {
	return s.core.clear(ctx)
}

// GetType returns Type.
func (s *Store) GetType() string { return Type }

// Close closes the client if Options.OwnsClient is set, and otherwise does
// nothing. Further calls return the same error.
func (s *Store) Close() error { return s.core.close() }
