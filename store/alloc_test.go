package store_test

import (
	"context"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// fixed is a client that answers without a network, so that what is counted
// is the store's.
type fixed struct {
	store.Client
	value   []byte
	flags   uint32
	counter []byte
}

func (c *fixed) AppendValue(_ context.Context, dst []byte, key string) ([]byte, uint32, error) {
	if key != "k" {
		return append(dst, c.counter...), 0, nil
	}
	return c.value, c.flags, nil
}

func (*fixed) Set(context.Context, *memcached.Item) error { return nil }
func (*fixed) Delete(context.Context, string) error       { return nil }

// The store's own allocations, besides the client's. A value in an any is one.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	server, client := start(t, nil)
	mustSet(t, store.New(client), "k", []byte("value"), libstore.WithExpiration(time.Hour))
	plain, _ := server.Item("k")
	mustSet(t, store.New(client), "k", []byte("value"), tagged("t"))
	enveloped, _ := server.Item("k")
	counter, _ := server.Item(counterKey(t, server))

	ctx := context.Background()
	var key any = "k"
	var value any = []byte("value")
	options := []libstore.Option{libstore.WithExpiration(time.Hour)}
	s := store.New(&fixed{value: plain.Value, flags: plain.Flags})
	typed := newTyped[[]byte](t, &fixed{value: plain.Value, flags: plain.Flags}, nil)
	load := func(context.Context) ([]byte, error) { return nil, errDatabase }
	tags := store.New(&fixed{value: enveloped.Value, flags: enveloped.Flags, counter: counter.Value})
	for _, c := range []struct {
		name string
		most float64
		run  func() error
	}{
		{"Get", 1, func() error { _, err := s.Get(ctx, key); return err }},
		{"GetWithTTL", 1, func() error { _, _, err := s.GetWithTTL(ctx, key); return err }},
		{"Get tagged", 5, func() error { _, err := tags.Get(ctx, key); return err }},
		{"GetOrLoad of a hit", 3, func() error { _, err := typed.GetOrLoad(ctx, "k", time.Minute, load); return err }},
		{"Set", 1, func() error { return s.Set(ctx, key, value) }},
		{"Set with options", 2, func() error { return s.Set(ctx, key, value, options...) }},
		{"Delete", 0, func() error { return s.Delete(ctx, key) }},
	} {
		var err error
		got := testing.AllocsPerRun(100, func() { err = c.run() })
		if err != nil {
			t.Errorf("%s = %v", c.name, err)
		}
		if got > c.most {
			t.Errorf("%s allocates %v times, want at most %v", c.name, got, c.most)
		}
	}
}
