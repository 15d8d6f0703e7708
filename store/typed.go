package store

import (
	"context"
	"fmt"
	"io"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"
)

// Typed is a gocache store of values of type T, which a codec encodes. It is
// safe for concurrent use.
//
//	users, err := store.NewTyped[User](client, nil)
//	…
//	cached := cache.New[User](users)
type Typed[T any] struct{ core *core }

var (
	_ libstore.SetIfNotExistsStore = (*Typed[int])(nil)
	_ io.Closer                    = (*Typed[int])(nil)
)

// NewTyped returns a store of T over client. With a nil Options.Codec, []byte,
// string, bool and numbers are stored as Store does, and any other T as JSON.
// The options are the defaults of every Set. NewTyped panics if client is nil.
// An error says which of opts or options cannot be honoured.
//
// That JSON loses nothing silently. A T with unexported fields is refused with
// ErrValueType, unless it encodes and decodes itself or the fields have the tag
// `json:"-"`; so is such a value in an any. A number in an any comes back as a
// float64, as encoding/json decodes it, except an integer that a float64 cannot
// hold: that is an int64 or uint64, or a json.Number above 64 bits. A codec in
// Options.Codec, codec.JSON for instance, does what it does.
func NewTyped[T any](client Client, opts *Options, options ...libstore.Option) (*Typed[T], error) {
	mustHaveClient("NewTyped", client)
	c, err := newCore(client, opts, options)
	if err != nil {
		return nil, err
	}
	values, err := newTypedValues[T](c.opts.Codec)
	if err != nil {
		return nil, fmt.Errorf("store: NewTyped: %w", err)
	}
	c.encode, c.decode = values.encode, values.decode
	c.locks = true
	c.loads.init()
	return &Typed[T]{c}, nil
}

// Get returns the value of key, which is a T, or libstore.NotFound. A []byte
// belongs to the caller.
func (t *Typed[T]) Get(ctx context.Context, key any) (any, error) {
	value, _, err := t.core.get(ctx, key)
	return value, err
}

// GetWithTTL returns the value of key, which is a T, and its remaining time to
// live: 0 when it does not expire, Options.UnknownTTL when another client wrote
// it.
func (t *Typed[T]) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	return t.core.get(ctx, key)
}

// GetMulti returns the values of those keys that have one, in one pipelined
// round trip per server, and one more for the tags of all of them. When
// something fails it returns what it got, and a *memcached.MultiError by key or
// the context's error.
func (t *Typed[T]) GetMulti(ctx context.Context, keys []string) (map[string]T, error) {
	found, err := t.core.getMulti(ctx, keys)
	values := make(map[string]T, len(found))
	for key, value := range found {
		values[key], _ = value.(T) // decode returns nothing else
	}
	return values, err
}

// Set stores a value, which must be a T. Without an expiration it does not
// expire. With a negative one it expires at once: the key then has no value. An
// expiration above 0 and below a millisecond is an error.
func (t *Typed[T]) Set(ctx context.Context, key, value any, options ...libstore.Option) error {
	return t.core.set(ctx, key, value, options)
}

// SetMulti stores values, all with the same options, in one pipelined round
// trip per server. A *memcached.MultiError says which keys failed. ErrValueType
// means that nothing was sent. After any other error, such as the context's,
// some values may be stored.
func (t *Typed[T]) SetMulti(ctx context.Context, values map[string]T, options ...libstore.Option) error {
	return setMulti(ctx, t.core, values, options)
}

// SetIfNotExists stores a value, which must be a T, if the key has none, and
// reports whether it did. An expired or invalidated value does not count.
func (t *Typed[T]) SetIfNotExists(ctx context.Context, key, value any, options ...libstore.Option) (bool, error) {
	return t.core.setIfNotExists(ctx, key, value, options)
}

// Touch sets the time to live of an existing value, counted from now: 0 means
// that it does not expire, a negative one removes it, and one above 0 and below
// a millisecond is an error. It returns libstore.NotFound when there is no
// value.
//
// The deadline is stored with the value, so Touch reads the item and writes it
// back with compare-and-swap, in two round trips. It fails without
// compare-and-swap (memcached -C, memcached.Options.Replicate).
func (t *Typed[T]) Touch(ctx context.Context, key any, ttl time.Duration) error {
	return t.core.touch(ctx, key, ttl)
}

// Delete removes a key. A key without a value is not an error.
func (t *Typed[T]) Delete(ctx context.Context, key any) error {
	return t.core.delete(ctx, key)
}

// DeleteMulti removes keys in one pipelined round trip per server. Keys without
// a value are not an error.
func (t *Typed[T]) DeleteMulti(ctx context.Context, keys []string) error {
	return t.core.deleteMulti(ctx, keys)
}

// Invalidate removes all items with any of the tags, in one round trip however
// many items there are. Without tags it does nothing.
func (t *Typed[T]) Invalidate(ctx context.Context, options ...libstore.InvalidateOption) error {
	return t.core.invalidate(ctx, options)
}

// Clear removes all items with Options.Prefix, for all processes at once.
// Without a prefix it flushes every server of the client, which removes what
// other programs keep there, too. Servers can forbid that (memcached -F).
func (t *Typed[T]) Clear(ctx context.Context) error {
	return t.core.clear(ctx)
}

// GetType returns Type.
func (t *Typed[T]) GetType() string { return Type }

// Close ends the contexts of the loads of GetOrLoad and waits for them. Then it
// closes the client if Options.OwnsClient is set. Further calls return the same
// error.
func (t *Typed[T]) Close() error { return t.core.close() }
