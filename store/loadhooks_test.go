package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// hooked is the client of a process. before and after are told of operations that
// loads need, with the keys that these are about, when they begin and when they end.
// An error from before is the operation's.
type hooked struct {
	store.Client
	before func(op string, keys ...string) error
	after  func(op string, keys ...string)
}

func (h *hooked) do(op string, f func() error, keys ...string) error {
	if h.before != nil {
		if err := h.before(op, keys...); err != nil {
			return err
		}
	}
	err := f()
	if h.after != nil {
		h.after(op, keys...)
	}
	return err
}

func (h *hooked) AppendValue(ctx context.Context, dst []byte, key string) (value []byte, flags uint32, err error) {
	err = h.do("get", func() (err error) { value, flags, err = h.Client.AppendValue(ctx, dst, key); return err }, key)
	return value, flags, err
}

func (h *hooked) Get(ctx context.Context, key string) (item *memcached.Item, err error) {
	err = h.do("get", func() (err error) { item, err = h.Client.Get(ctx, key); return err }, key)
	return item, err
}

func (h *hooked) GetMulti(ctx context.Context, keys []string) (items map[string]*memcached.Item, err error) {
	err = h.do("get", func() (err error) { items, err = h.Client.GetMulti(ctx, keys); return err }, keys...)
	return items, err
}

func (h *hooked) Add(ctx context.Context, item *memcached.Item) error {
	return h.do("add", func() error { return h.Client.Add(ctx, item) }, item.Key)
}

func (h *hooked) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	return h.do("cas", func() error { return h.Client.CompareAndSwap(ctx, item) }, item.Key)
}

func (h *hooked) Set(ctx context.Context, item *memcached.Item) error {
	return h.do("set", func() error { return h.Client.Set(ctx, item) }, item.Key)
}

func (h *hooked) Delete(ctx context.Context, key string) error {
	return h.do("delete", func() error { return h.Client.Delete(ctx, key) }, key)
}

func (h *hooked) DeleteMulti(ctx context.Context, keys []string) error {
	return h.do("delete", func() error { return h.Client.DeleteMulti(ctx, keys) }, keys...)
}

func (h *hooked) Increment(ctx context.Context, key string, delta uint64) (n uint64, err error) {
	err = h.do("increment", func() (err error) { n, err = h.Client.Increment(ctx, key, delta); return err }, key)
	return n, err
}

func (h *hooked) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return h.do("touch", func() error { return h.Client.Touch(ctx, key, ttl) }, key)
}

// hook gives a process a client with hooks.
func (f *fleet) hook(process int, h *hooked) {
	h.Client = f.connect()
	s := newTyped[string](f.t, h, &f.opts)
	f.t.Cleanup(func() { s.Close() })
	f.stores[process] = s
}

// lockKey is the key of the lock of f.get.
func (f *fleet) lockKey() string { return memcached.SafeKey(f.prefix(), "\x00lock\x00k") }

// isValue reports whether a key of the server is that of f.get.
func isValue(key string) bool { return key == "k" || strings.HasSuffix(key, ":k") }

// changes make a value with the tag t old.
var changes = map[string]func(t *testing.T, s *store.Typed[string]) error{
	"Invalidate": func(t *testing.T, s *store.Typed[string]) error {
		return s.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"}))
	},
	"Delete": func(t *testing.T, s *store.Typed[string]) error { return s.Delete(t.Context(), "k") },
	"DeleteMulti": func(t *testing.T, s *store.Typed[string]) error {
		return s.DeleteMulti(t.Context(), []string{"other", "k"})
	},
	"Clear": func(t *testing.T, s *store.Typed[string]) error { return s.Clear(t.Context()) },
	"Set":   func(t *testing.T, s *store.Typed[string]) error { return s.Set(t.Context(), "k", "v2") },
}

// start calls f.get in a goroutine.
func (f *fleet) start(process int) <-chan string {
	got := make(chan string, 1)
	go func() {
		value, err := f.get(process, tagged("t"))
		if err != nil {
			value = err.Error()
		}
		got <- value
	}()
	return got
}
