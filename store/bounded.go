package store

import (
	"context"
	"fmt"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"
)

// Bounded is a gocache store that keeps nothing for longer than a bound: an upper
// layer of a chain. gocache's chain copies what it finds in a lower layer to the
// upper ones, without its tags and for the rest of its time to live. An Invalidate
// or Delete in another process does not reach these copies. With a Bounded, they
// outlive it by the bound at most.
//
//	memory, err := store.NewBounded(gocachestore.NewGoCache(local), 5*time.Second)
//	…
//	users := cache.NewChain(cache.New[User](memory), cache.New[User](memcached))
type Bounded struct {
	upper libstore.StoreInterface
	bound time.Duration
}

var _ libstore.SetIfNotExistsStore = (*Bounded)(nil)

// NewBounded returns upper with a bound, which is at least a millisecond. It panics
// if upper is nil.
func NewBounded(upper libstore.StoreInterface, bound time.Duration) (*Bounded, error) {
	if upper == nil {
		panic("store: NewBounded: upper is nil")
	}
	if err := checkPositive("NewBounded: the bound", bound); err != nil {
		return nil, err
	}
	return &Bounded{upper, bound}, nil
}

// Get returns the value of key.
func (b *Bounded) Get(ctx context.Context, key any) (any, error) { return b.upper.Get(ctx, key) }

// GetWithTTL returns the value of key and its remaining time to live.
func (b *Bounded) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	return b.upper.GetWithTTL(ctx, key)
}

// Set stores a value for its expiration, or for the bound if it has none or a
// longer one. A negative expiration removes the key: to some stores it means
// that a value does not expire.
func (b *Bounded) Set(ctx context.Context, key, value any, options ...libstore.Option) error {
	if expiredBy(options) {
		return b.upper.Delete(ctx, key)
	}
	return b.upper.Set(ctx, key, value, b.bounded(options)...)
}

// SetIfNotExists is Set for a key that has no value. It returns
// libstore.ErrNotSupported if the store below has none.
func (b *Bounded) SetIfNotExists(ctx context.Context, key, value any, options ...libstore.Option) (bool, error) {
	setter, ok := b.upper.(libstore.SetIfNotExistsStore)
	if !ok {
		return false, fmt.Errorf("%w: %s", libstore.ErrNotSupported, b.upper.GetType())
	}
	stored, err := setter.SetIfNotExists(ctx, key, value, b.bounded(options)...)
	if stored && err == nil && expiredBy(options) {
		err = b.upper.Delete(ctx, key)
	}
	return stored, err
}

// expiredBy reports whether options set a negative expiration.
func expiredBy(options []libstore.Option) bool {
	var o libstore.Options
	for _, option := range options {
		if option != nil {
			option(&o)
		}
	}
	return o.Expiration < 0
}

// bounded returns options with the bound.
func (b *Bounded) bounded(options []libstore.Option) []libstore.Option {
	bounded := make([]libstore.Option, 0, len(options)+1)
	for _, option := range options {
		if option != nil { // other stores call it
			bounded = append(bounded, option)
		}
	}
	return append(bounded, func(o *libstore.Options) {
		if o.Expiration <= 0 || o.Expiration > b.bound {
			o.Expiration = b.bound
		}
	})
}

// Delete removes a key.
func (b *Bounded) Delete(ctx context.Context, key any) error { return b.upper.Delete(ctx, key) }

// Invalidate removes the items with the tags.
func (b *Bounded) Invalidate(ctx context.Context, options ...libstore.InvalidateOption) error {
	return b.upper.Invalidate(ctx, options...)
}

// Clear removes all items.
func (b *Bounded) Clear(ctx context.Context) error { return b.upper.Clear(ctx) }

// GetType returns the type of the store below.
func (b *Bounded) GetType() string { return b.upper.GetType() }
