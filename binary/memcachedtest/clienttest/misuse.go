package clienttest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// operation is a call of the client with a key, or with none.
type operation struct {
	name string
	run  func(ctx context.Context, c *memcached.Client, key string) error
}

// keyOperations are all operations on one key.
var keyOperations = []operation{
	{"Get", func(ctx context.Context, c *memcached.Client, key string) error {
		_, err := c.Get(ctx, key)
		return err
	}},
	{"GetAndTouch", func(ctx context.Context, c *memcached.Client, key string) error {
		_, err := c.GetAndTouch(ctx, key, time.Hour)
		return err
	}},
	{"AppendValue", func(ctx context.Context, c *memcached.Client, key string) error {
		_, _, err := c.AppendValue(ctx, nil, key)
		return err
	}},
	{"Set", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.Set(ctx, &memcached.Item{Key: key, Value: []byte("v")})
	}},
	{"Add", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.Add(ctx, &memcached.Item{Key: key, Value: []byte("v")})
	}},
	{"Replace", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.Replace(ctx, &memcached.Item{Key: key, Value: []byte("v")})
	}},
	{"Append", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.Append(ctx, key, []byte("v"))
	}},
	{"Prepend", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.Prepend(ctx, key, []byte("v"))
	}},
	{"Touch", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.Touch(ctx, key, time.Hour)
	}},
	{"Delete", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.Delete(ctx, key)
	}},
	{"Increment", func(ctx context.Context, c *memcached.Client, key string) error {
		_, err := c.Increment(ctx, key, 1)
		return err
	}},
	{"Decrement", func(ctx context.Context, c *memcached.Client, key string) error {
		_, err := c.Decrement(ctx, key, 1)
		return err
	}},
	{"IncrementOrSet", func(ctx context.Context, c *memcached.Client, key string) error {
		_, err := c.IncrementOrSet(ctx, key, 1, 1, 0)
		return err
	}},
	{"DecrementOrSet", func(ctx context.Context, c *memcached.Client, key string) error {
		_, err := c.DecrementOrSet(ctx, key, 1, 1, 0)
		return err
	}},
	{"GetMulti", func(ctx context.Context, c *memcached.Client, key string) error {
		_, err := c.GetMulti(ctx, []string{key})
		return err
	}},
	{"SetMulti", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.SetMulti(ctx, []*memcached.Item{{Key: key, Value: []byte("v")}})
	}},
	{"DeleteMulti", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.DeleteMulti(ctx, []string{key})
	}},
}

// casOperations are those that a replicated client refuses.
var casOperations = []operation{
	{"CompareAndSwap", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.CompareAndSwap(ctx, &memcached.Item{Key: key, Value: []byte("v"), CAS: 1})
	}},
	{"CompareAndDelete", func(ctx context.Context, c *memcached.Client, key string) error {
		return c.CompareAndDelete(ctx, key, 1)
	}},
}

// serverOperations are those without a key. FlushAll is one of them: it must
// not get through in the tests that use them.
var serverOperations = []operation{
	{"FlushAll", func(ctx context.Context, c *memcached.Client, _ string) error { return c.FlushAll(ctx, 0) }},
	{"Ping", func(ctx context.Context, c *memcached.Client, _ string) error { return c.Ping(ctx) }},
	{"Versions", func(ctx context.Context, c *memcached.Client, _ string) error {
		_, err := c.Versions(ctx)
		return err
	}},
	{"ServerStats", func(ctx context.Context, c *memcached.Client, _ string) error {
		_, err := c.ServerStats(ctx, "")
		return err
	}},
}

// operations are those of the suite's client.
func (s *suite) operations() []operation {
	ops := append(append([]operation(nil), keyOperations...), serverOperations...)
	if !s.replicated {
		ops = append(ops, casOperations...)
	}
	return ops
}

var keyTests = []clientTest{
	{"a malformed key is refused", func(t *testing.T, s *suite) {
		ops := keyOperations
		if !s.replicated {
			ops = append(append([]operation(nil), ops...), casOperations...)
		}
		for what, key := range map[string]string{
			"empty":           "",
			"251 bytes":       strings.Repeat("k", 251),
			"70,000 bytes":    strings.Repeat("k", 70_000),
			"space":           "a b",
			"leading space":   " a",
			"line feed":       "a\n",
			"carriage return": "a\r",
			"tab":             "a\tb",
			"NUL":             "a\x00b",
			"DEL":             "a\x7fb",
		} {
			for _, op := range ops {
				wantFault(t, op.name+" with a key that is "+what, op.run(t.Context(), s.client, key), memcached.ErrMalformedKey)
			}
		}
	}},
	{"keys of all other bytes work", func(t *testing.T, s *suite) {
		var odd strings.Builder
		for b := range 256 {
			if b > ' ' && b != 0x7f {
				odd.WriteByte(byte(b))
			}
		}
		bytes := odd.String()
		for _, key := range []string{
			s.key() + bytes[:100],
			s.key() + bytes[100:],
			s.key() + "ключ 鍵"[:8], // the space is left out
			s.key() + "~",
		} {
			want := &memcached.Item{Key: key, Value: []byte(key)}
			s.store(t, want)
			s.wantItem(t, "Get", s.get(t, key), want)
			s.wantItems(t, []string{key}, map[string]*memcached.Item{key: want})
		}
	}},
	{"keys of 250 bytes are told apart", func(t *testing.T, s *suite) {
		prefix := s.key()
		long := prefix + strings.Repeat("k", 249-len(prefix))
		for _, end := range []string{"a", "b"} {
			s.store(t, &memcached.Item{Key: long + end, Value: []byte(end)})
		}
		s.wantValue(t, long+"a", "a")
		s.wantValue(t, long+"b", "b")
		s.wantMiss(t, long)
	}},
	{"a key of one byte works", func(t *testing.T, s *suite) {
		// It may be somebody else's, so it is only read.
		if _, err := s.client.Get(t.Context(), "k"); err != nil && err != memcached.ErrCacheMiss {
			t.Errorf("Get(k) = %v, want a hit or %v", err, memcached.ErrCacheMiss)
		}
	}},
	{"SafeKey makes keys that work", func(t *testing.T, s *suite) {
		for _, name := range []string{"", "a b", "\x00", strings.Repeat("x", 10_000)} {
			key := memcached.SafeKey(s.key(), name)
			s.store(t, &memcached.Item{Key: key, Value: []byte(name)})
			s.wantValue(t, key, name)
		}
	}},
}

var misuseTests = []clientTest{
	{"a nil context is an error", func(t *testing.T, s *suite) {
		var none context.Context
		for _, op := range s.operations() {
			if err := op.run(none, s.client, s.key()); err == nil {
				t.Errorf("%s with a nil context = nil, want an error", op.name)
			}
		}
	}},
	{"a nil item is an error", func(t *testing.T, s *suite) {
		for name, store := range map[string]func(context.Context, *memcached.Item) error{
			"Set": s.client.Set, "Add": s.client.Add, "Replace": s.client.Replace, "CompareAndSwap": s.client.CompareAndSwap,
		} {
			var fault *memcached.OpError
			if err := store(t.Context(), nil); !errors.As(err, &fault) {
				t.Errorf("%s of a nil item = %v, want an OpError", name, err)
			}
		}
		key := s.key()
		if err := s.client.SetMulti(t.Context(), []*memcached.Item{nil, {Key: key, Value: []byte("v")}, nil}); err == nil {
			t.Error("SetMulti with nil items = nil, want an error")
		}
		s.wantValue(t, key, "v")
	}},
	{"a cancelled context is its error", func(t *testing.T, s *suite) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		late, stop := context.WithTimeout(t.Context(), -time.Second)
		defer stop()
		for _, op := range s.operations() {
			if err := op.run(cancelled, s.client, s.key()); !errors.Is(err, context.Canceled) {
				t.Errorf("%s with a cancelled context = %v, want %v", op.name, err, context.Canceled)
			}
			if err := op.run(late, s.client, s.key()); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s after its deadline = %v, want %v", op.name, err, context.DeadlineExceeded)
			}
		}
		key := s.key()
		_ = s.client.Set(cancelled, &memcached.Item{Key: key, Value: []byte("v")})
		s.wantMiss(t, key)
	}},
	{"a closed client is ErrClosed", func(t *testing.T, s *suite) {
		for name, use := range map[string]bool{"unused": false, "used": true} {
			client := s.newClient(t)
			if use {
				if err := client.Ping(t.Context()); err != nil {
					t.Fatalf("Ping = %v, want nil", err)
				}
			}
			for range 2 {
				if err := client.Close(); err != nil {
					t.Errorf("Close() = %v, want nil", err)
				}
			}
			for _, op := range s.operations() {
				if err := op.run(t.Context(), client, s.key()); !errors.Is(err, memcached.ErrClosed) {
					t.Errorf("%s of a client closed %s = %v, want %v", op.name, name, err, memcached.ErrClosed)
				}
			}
			if err := client.SetServers(s.servers); !errors.Is(err, memcached.ErrClosed) {
				t.Errorf("SetServers of a client closed %s = %v, want %v", name, err, memcached.ErrClosed)
			}
			client.Stats() // still answers
		}
	}},
}
