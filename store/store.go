package store

import (
	"context"
	"errors"
	"io"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Type is what GetType returns.
const Type = "bmemcached"

// Store is a gocache store of bytes, strings, numbers and booleans, which come
// back with the type that they went in with. It is safe for concurrent use.
type Store struct{ *base }

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
	b, err := newBase(client, opts, options)
	if err != nil {
		return nil, err
	}
	values := anyValues{b.opts.Codec}
	b.encode, b.decode = values.encode, values.decode
	return &Store{b}, nil
}

// mustHaveClient panics if client is nil: the error of memcached.New was not
// checked.
func mustHaveClient(constructor string, client Client) {
	if c, ok := client.(*memcached.Client); client == nil || ok && c == nil {
		panic("store: " + constructor + ": client is nil")
	}
}

// base is what Store and Typed have in common.
type base struct {
	client   Client
	opts     Options
	defaults libstore.Options
	space    *keyspace
	tags     tags
	encode   func(v any) (payload, error)
	decode   func(p payload) (any, error)
	closer   closer
}

func newBase(client Client, opts *Options, options []libstore.Option) (*base, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	defaults, err := applyOptions(libstore.Options{}, options)
	if err != nil {
		return nil, err
	}
	return &base{
		client:   client,
		opts:     o,
		defaults: defaults,
		space:    newKeyspace(client, o.Prefix),
		tags:     tags{client, o.Prefix},
	}, nil
}

// settings returns the defaults changed by options.
func (b *base) settings(options []libstore.Option) (libstore.Options, error) {
	if len(options) == 0 {
		return b.defaults, nil
	}
	return applyOptions(b.defaults, options)
}

// result makes what an operation returns of its error: gocache's miss, the
// context's error by itself, or the fault.
func (b *base) result(op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, memcached.ErrCacheMiss) {
		return errNotFound
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			err = ended
		}
	}
	if b.opts.OnError != nil {
		b.opts.OnError(op, err)
	}
	return err
}

// Get returns the value of key, or libstore.NotFound. Bytes belong to the
// caller.
func (b *base) Get(ctx context.Context, key any) (any, error) {
	value, _, err := b.get(ctx, key)
	return value, b.result("get", err)
}

// GetWithTTL is Get together with the time that the value has left: 0 when it
// does not expire, Options.UnknownTTL when another client wrote it.
func (b *base) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	value, ttl, err := b.get(ctx, key)
	return value, ttl, b.result("get", err)
}

func (b *base) get(ctx context.Context, key any) (any, time.Duration, error) {
	name, err := keyString(key)
	if err != nil {
		return nil, 0, err
	}
	data, flags, err := b.space.get(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	e, err := b.open(ctx, data, flags)
	if err != nil {
		return nil, 0, err
	}
	return b.value(e)
}

// value returns the value of an entry and the time that it has left.
func (b *base) value(e entry) (any, time.Duration, error) {
	if e.dead {
		return nil, 0, memcached.ErrCacheMiss
	}
	value, err := b.decode(e.payload)
	if err != nil {
		return nil, 0, err
	}
	return value, e.left, nil
}

// Set stores a value. Without an expiration it is kept until it is evicted;
// with a negative one it is expired at once: the key holds nothing afterwards.
func (b *base) Set(ctx context.Context, key, value any, options ...libstore.Option) error {
	return b.result("set", b.set(ctx, key, value, options))
}

func (b *base) set(ctx context.Context, key, value any, options []libstore.Option) error {
	name, item, err := b.item(ctx, key, value, options)
	if err != nil {
		return err
	}
	return b.space.do(ctx, func(start string) error {
		item.Key = itemKey(start, name)
		if item.TTL < 0 {
			return b.delete(ctx, item.Key)
		}
		return b.client.Set(ctx, item)
	})
}

// item makes what is stored, all but its key.
func (b *base) item(ctx context.Context, key, value any, options []libstore.Option) (string, *memcached.Item, error) {
	name, err := keyString(key)
	if err != nil {
		return "", nil, err
	}
	o, err := b.settings(options)
	if err != nil {
		return "", nil, err
	}
	p, err := b.encode(value)
	if err != nil {
		return "", nil, err
	}
	item, err := b.pack(ctx, p, &o)
	return name, item, err
}

// SetIfNotExists stores a value unless the key has one, and reports whether it
// did. What has expired or was invalidated does not count as there.
func (b *base) SetIfNotExists(ctx context.Context, key, value any, options ...libstore.Option) (bool, error) {
	stored, err := b.setIfNotExists(ctx, key, value, options)
	return stored, b.result("set_if_not_exists", err)
}

func (b *base) setIfNotExists(ctx context.Context, key, value any, options []libstore.Option) (stored bool, err error) {
	name, item, err := b.item(ctx, key, value, options)
	if err != nil {
		return false, err
	}
	err = b.space.do(ctx, func(start string) error {
		item.Key = itemKey(start, name)
		stored, err = b.add(ctx, item)
		return err
	})
	return stored && err == nil, err
}

// add stores an item where there is none, or one that is dead.
func (b *base) add(ctx context.Context, item *memcached.Item) (bool, error) {
	for range maxAttempts {
		item.CAS = 0
		err := b.client.Add(ctx, item)
		if !errors.Is(err, memcached.ErrNotStored) {
			return err == nil, err
		}
		there, err := b.client.Get(ctx, item.Key)
		if errors.Is(err, memcached.ErrCacheMiss) {
			continue
		}
		if err != nil {
			return false, err
		}
		e, err := b.open(ctx, there.Value, there.Flags)
		if err != nil || !e.dead {
			return false, err
		}
		item.CAS = there.CAS
		err = b.client.CompareAndSwap(ctx, item)
		if !errors.Is(err, memcached.ErrCASConflict) && !errors.Is(err, memcached.ErrCacheMiss) {
			return err == nil, err
		}
	}
	return false, errContended
}

// Delete removes a key. One that is not there is no error.
func (b *base) Delete(ctx context.Context, key any) error {
	name, err := keyString(key)
	if err == nil {
		err = b.space.do(ctx, func(start string) error {
			return b.delete(ctx, itemKey(start, name))
		})
	}
	return b.result("delete", err)
}

func (b *base) delete(ctx context.Context, key string) error {
	err := b.client.Delete(ctx, key)
	if errors.Is(err, memcached.ErrCacheMiss) {
		return nil
	}
	return err
}

// Invalidate removes all items with any of the tags, in one round trip however
// many they are. Without tags it does nothing.
func (b *base) Invalidate(ctx context.Context, options ...libstore.InvalidateOption) error {
	err := b.tags.invalidate(ctx, b.tags.keys(tagsOf(options)))
	return b.result("invalidate", err)
}

// Clear removes everything that has Options.Prefix, at once for all processes.
// Without a prefix it flushes every server: that hits whoever else uses them,
// whatever their keys, and fails on servers that forbid it (memcached -F).
func (b *base) Clear(ctx context.Context) error {
	return b.result("clear", b.space.clear(ctx))
}

// GetType returns Type.
func (b *base) GetType() string { return Type }
