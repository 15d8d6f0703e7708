package store_test

import (
	"context"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/store"
)

// operations is everything that a store can be asked for, with what OnError
// calls it.
var operations = []struct {
	name, op string
	run      func(ctx context.Context, s *store.Store) error
}{
	{"Get", "get", func(ctx context.Context, s *store.Store) error { _, err := s.Get(ctx, "k"); return err }},
	{"GetWithTTL", "get", func(ctx context.Context, s *store.Store) error { _, _, err := s.GetWithTTL(ctx, "k"); return err }},
	{"Set", "set", func(ctx context.Context, s *store.Store) error { return s.Set(ctx, "k", "v") }},
	{"Set expired", "set", func(ctx context.Context, s *store.Store) error {
		return s.Set(ctx, "k", "v", libstore.WithExpiration(-1))
	}},
	{"Set tagged", "set", func(ctx context.Context, s *store.Store) error {
		return s.Set(ctx, "k", "v", libstore.WithTags([]string{"t", "u"}))
	}},
	{"SetIfNotExists", "set_if_not_exists", func(ctx context.Context, s *store.Store) error {
		_, err := s.SetIfNotExists(ctx, "k", "v")
		return err
	}},
	{"Delete", "delete", func(ctx context.Context, s *store.Store) error { return s.Delete(ctx, "k") }},
	{"Invalidate", "invalidate", func(ctx context.Context, s *store.Store) error {
		return s.Invalidate(ctx, libstore.WithInvalidateTags([]string{"t", "u"}))
	}},
	{"Clear", "clear", func(ctx context.Context, s *store.Store) error { return s.Clear(ctx) }},
	{"Touch", "touch", func(ctx context.Context, s *store.Store) error { return s.Touch(ctx, "k", time.Hour) }},
	{"Increment", "increment", func(ctx context.Context, s *store.Store) error { _, err := s.Increment(ctx, "k", 1); return err }},
	{"Decrement", "decrement", func(ctx context.Context, s *store.Store) error { _, err := s.Decrement(ctx, "k", 1); return err }},
	{"GetMulti", "get_multi", func(ctx context.Context, s *store.Store) error {
		_, err := s.GetMulti(ctx, []string{"k", "l"})
		return err
	}},
	{"SetMulti", "set_multi", func(ctx context.Context, s *store.Store) error {
		return s.SetMulti(ctx, map[string]any{"k": 1, "l": 2})
	}},
	{"DeleteMulti", "delete_multi", func(ctx context.Context, s *store.Store) error { return s.DeleteMulti(ctx, []string{"k", "l"}) }},
}

// eachOperation runs f for every operation, on a store without and one with a
// prefix, each over a client of its own.
func eachOperation(t *testing.T, f func(t *testing.T, opts *store.Options, op string, run func(context.Context, *store.Store) error)) {
	for _, o := range operations {
		for name, prefix := range map[string]string{"": "", " with prefix": "p:"} {
			t.Run(o.name+name, func(t *testing.T) { f(t, &store.Options{Prefix: prefix}, o.op, o.run) })
		}
	}
}
