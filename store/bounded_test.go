package store_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/store"
)

func TestBounded_KeepsNothingForLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := start(t, nil)
		b, err := store.NewBounded(store.New(client, libstore.WithExpiration(time.Hour)), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ ttl, want time.Duration }{
			{0, 5 * time.Second}, {time.Hour, 5 * time.Second}, {5 * time.Second, 5 * time.Second}, {time.Second, time.Second},
		} {
			mustSet(t, b, "k", "v", libstore.WithExpiration(c.ttl), nil)
			wantTTL(t, b, "k", c.want, time.Second/16)
			if stored, err := b.SetIfNotExists(t.Context(), "k", "w"); stored || err != nil {
				t.Errorf("SetIfNotExists = %v, %v, want false", stored, err)
			}
			time.Sleep(c.want)
			wantMiss(t, b, "k")
			if stored, err := b.SetIfNotExists(t.Context(), "k", "w", libstore.WithExpiration(c.ttl)); !stored || err != nil {
				t.Errorf("SetIfNotExists = %v, %v, want true", stored, err)
			}
			wantTTL(t, b, "k", c.want, time.Second/16)
		}
		mustSet(t, b, "k", "v")
		wantTTL(t, b, "k", 5*time.Second, time.Second/16)
		mustSet(t, b, "k", "v", libstore.WithExpiration(-1))
		wantMiss(t, b, "k")
		mustSet(t, b, "k", "v", libstore.WithTags([]string{"t"}))
		invalidate(t, b, "t")
		wantMiss(t, b, "k")
		mustSet(t, b, "k", "v")
		if err := errors.Join(b.Delete(t.Context(), "k"), b.Clear(t.Context())); err != nil {
			t.Error(err)
		}
		wantMiss(t, b, "k")
		if b.GetType() != store.Type {
			t.Errorf("GetType = %q, want that of the store below", b.GetType())
		}
		if _, err := store.NewBounded(plainStore{b}, time.Second); err != nil {
			t.Error(err)
		}
	})
}

// plainStore hides SetIfNotExists.
type plainStore struct{ libstore.StoreInterface }

func TestBounded_RefusesWhatItCannotDo(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	for _, bound := range []time.Duration{0, -1, 60} {
		if _, err := store.NewBounded(s, bound); err == nil {
			t.Errorf("NewBounded with %v = nil, want an error", bound)
		}
	}
	b, err := store.NewBounded(plainStore{s}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.SetIfNotExists(t.Context(), "k", "v"); !errors.Is(err, libstore.ErrNotSupported) {
		t.Errorf("SetIfNotExists = %v, want ErrNotSupported", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("NewBounded of nil did not panic")
		}
	}()
	_, _ = store.NewBounded(nil, time.Second)
}

// foreverStore keeps for ever what has a negative expiration, as go-cache does.
type foreverStore struct{ libstore.SetIfNotExistsStore }

func forever(options []libstore.Option) []libstore.Option {
	return append(options, func(o *libstore.Options) { o.Expiration = max(o.Expiration, 0) })
}

func (s foreverStore) Set(ctx context.Context, key, value any, options ...libstore.Option) error {
	return s.SetIfNotExistsStore.Set(ctx, key, value, forever(options)...)
}

func (s foreverStore) SetIfNotExists(ctx context.Context, key, value any, options ...libstore.Option) (bool, error) {
	return s.SetIfNotExistsStore.SetIfNotExists(ctx, key, value, forever(options)...)
}

func TestBounded_NegativeExpirationRemovesWhateverItMeansBelow(t *testing.T) {
	_, client := start(t, nil)
	b, err := store.NewBounded(foreverStore{store.New(client)}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	mustSet(t, b, "k", "v")
	mustSet(t, b, "k", "w", libstore.WithExpiration(-1))
	wantMiss(t, b, "k")
	if stored, err := b.SetIfNotExists(t.Context(), "k", "v", libstore.WithExpiration(-1)); !stored || err != nil {
		t.Errorf("SetIfNotExists = %v, %v, want true", stored, err)
	}
	wantMiss(t, b, "k")
	mustSet(t, b, "k", "v")
	if stored, err := b.SetIfNotExists(t.Context(), "k", "w", libstore.WithExpiration(-1)); stored || err != nil {
		t.Errorf("SetIfNotExists over a value = %v, %v, want false", stored, err)
	}
	wantHit(t, b, "k", "v")
}
