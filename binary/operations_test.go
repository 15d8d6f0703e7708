package memcached_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// operations are all operations of a client, with arguments that are fine.
func operations() map[string]func(ctx context.Context, c *memcached.Client) error {
	item := func() *memcached.Item { return &memcached.Item{Key: "k", Value: []byte("v"), CAS: 1} }
	return map[string]func(ctx context.Context, c *memcached.Client) error{
		"Get": func(ctx context.Context, c *memcached.Client) error { _, err := c.Get(ctx, "k"); return err },
		"GetAndTouch": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetAndTouch(ctx, "k", time.Hour)
			return err
		},
		"AppendValue": func(ctx context.Context, c *memcached.Client) error {
			_, _, err := c.AppendValue(ctx, nil, "k")
			return err
		},
		"GetMulti": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetMulti(ctx, []string{"k"})
			return err
		},
		"Set":            func(ctx context.Context, c *memcached.Client) error { return c.Set(ctx, item()) },
		"Add":            func(ctx context.Context, c *memcached.Client) error { return c.Add(ctx, item()) },
		"Replace":        func(ctx context.Context, c *memcached.Client) error { return c.Replace(ctx, item()) },
		"CompareAndSwap": func(ctx context.Context, c *memcached.Client) error { return c.CompareAndSwap(ctx, item()) },
		"SetMulti": func(ctx context.Context, c *memcached.Client) error {
			return c.SetMulti(ctx, []*memcached.Item{item()})
		},
		"Append":           func(ctx context.Context, c *memcached.Client) error { return c.Append(ctx, "k", []byte("v")) },
		"Prepend":          func(ctx context.Context, c *memcached.Client) error { return c.Prepend(ctx, "k", []byte("v")) },
		"Touch":            func(ctx context.Context, c *memcached.Client) error { return c.Touch(ctx, "k", time.Hour) },
		"Delete":           func(ctx context.Context, c *memcached.Client) error { return c.Delete(ctx, "k") },
		"CompareAndDelete": func(ctx context.Context, c *memcached.Client) error { return c.CompareAndDelete(ctx, "k", 1) },
		"DeleteMulti":      func(ctx context.Context, c *memcached.Client) error { return c.DeleteMulti(ctx, []string{"k"}) },
		"Increment":        func(ctx context.Context, c *memcached.Client) error { _, err := c.Increment(ctx, "k", 1); return err },
		"Decrement":        func(ctx context.Context, c *memcached.Client) error { _, err := c.Decrement(ctx, "k", 1); return err },
		"IncrementOrSet": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.IncrementOrSet(ctx, "k", 1, 1, 0)
			return err
		},
		"DecrementOrSet": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.DecrementOrSet(ctx, "k", 1, 1, 0)
			return err
		},
		"FlushAll":    func(ctx context.Context, c *memcached.Client) error { return c.FlushAll(ctx, 0) },
		"Ping":        func(ctx context.Context, c *memcached.Client) error { return c.Ping(ctx) },
		"Versions":    func(ctx context.Context, c *memcached.Client) error { _, err := c.Versions(ctx); return err },
		"ServerStats": func(ctx context.Context, c *memcached.Client) error { _, err := c.ServerStats(ctx, ""); return err },
	}
}

func TestOperations_AreAllInTheTable(t *testing.T) {
	others := map[string]bool{"Close": true, "Options": true, "SetServers": true, "Stats": true}
	table := operations()
	client := reflect.TypeFor[*memcached.Client]()
	for i := range client.NumMethod() {
		name := client.Method(i).Name
		if table[name] == nil && !others[name] {
			t.Errorf("%s is not in the table of operations, so that nothing of what follows is tested for it", name)
		}
	}
}

// wantPlainError checks an error of misuse: an OpError, or several of them.
func wantPlainError(t *testing.T, name string, err, want error, text string) {
	t.Helper()
	var op *memcached.OpError
	if !errors.As(err, &op) || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
		t.Errorf("%s = %v, want an OpError with %q", name, err, text)
	}
}

func TestOperations_NilContext(t *testing.T) {
	for _, replicate := range []bool{false, true} {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Replicate: replicate}, server)
		for name, do := range operations() {
			if replicate && strings.HasPrefix(name, "CompareAnd") {
				continue // refused for another reason
			}
			var none context.Context
			wantPlainError(t, name, do(none, client), nil, "nil context")
		}
		if n := server.RequestCount(); n != 0 {
			t.Errorf("%d requests were sent, want none", n)
		}
	}
}

func TestOperations_ContextThatHasEnded(t *testing.T) {
	for _, replicate := range []bool{false, true} {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Replicate: replicate}, server)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		for name, do := range operations() {
			if replicate && strings.HasPrefix(name, "CompareAnd") {
				continue
			}
			wantPlainError(t, name, do(cancelled, client), context.Canceled, "")
			err := do(expired, client)
			wantPlainError(t, name, err, context.DeadlineExceeded, "")
			if op := new(memcached.OpError); errors.As(err, &op) && !op.Timeout() {
				t.Errorf("%s = %v, want a timeout", name, err)
			}
		}
		if n := server.RequestCount(); n != 0 {
			t.Errorf("%d requests were sent, want none", n)
		}
	}
}

// TestMulti_NoKeys: an operation on no keys has nothing to do, but it is an
// operation: a closed client or a context that has ended is an error.
func TestMulti_NoKeys(t *testing.T) {
	operations := map[string]func(ctx context.Context, c *memcached.Client) error{
		"GetMulti nil": func(ctx context.Context, c *memcached.Client) error {
			items, err := c.GetMulti(ctx, nil)
			if items == nil || len(items) != 0 {
				t.Errorf("GetMulti of no keys = %v, want an empty map", items)
			}
			return err
		},
		"GetMulti empty": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetMulti(ctx, []string{})
			return err
		},
		"SetMulti nil":      func(ctx context.Context, c *memcached.Client) error { return c.SetMulti(ctx, nil) },
		"SetMulti empty":    func(ctx context.Context, c *memcached.Client) error { return c.SetMulti(ctx, []*memcached.Item{}) },
		"DeleteMulti nil":   func(ctx context.Context, c *memcached.Client) error { return c.DeleteMulti(ctx, nil) },
		"DeleteMulti empty": func(ctx context.Context, c *memcached.Client) error { return c.DeleteMulti(ctx, []string{}) },
	}
	for _, replicate := range []bool{false, true} {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{Replicate: replicate}, server)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		var none context.Context
		for name, do := range operations {
			if err := do(t.Context(), client); err != nil {
				t.Errorf("%s = %v, want nil", name, err)
			}
			wantPlainError(t, name, do(cancelled, client), context.Canceled, "")
			wantPlainError(t, name, do(none, client), nil, "nil context")
		}
		_ = client.Close()
		for name, do := range operations {
			wantPlainError(t, name, do(t.Context(), client), memcached.ErrClosed, "closed")
		}
		if n := server.RequestCount(); n != 0 {
			t.Errorf("%d requests were sent, want none", n)
		}
	}
}

func TestOperations_TimeoutAndContextHold(t *testing.T) {
	for name, do := range operations() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{Timeout: 300 * time.Millisecond}, server)
				set(t, client, "other", "v")
				server.Intercept(answersNothing)
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				start := time.Now()
				if err := do(ctx, client); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s = %v, want %v", name, err, context.DeadlineExceeded)
				}
				if took := time.Since(start); took != 100*time.Millisecond {
					t.Errorf("%s with a deadline of 100ms took %v", name, took)
				}
				start = time.Now()
				err := do(t.Context(), client)
				op := new(memcached.OpError)
				if !errors.As(err, &op) || !op.Timeout() || !errors.Is(err, memcached.ErrUnavailable) {
					t.Errorf("%s = %v, want a timeout that is ErrUnavailable", name, err)
				}
				if took := time.Since(start); took < 190*time.Millisecond || took > 350*time.Millisecond {
					t.Errorf("%s with Timeout 300ms took %v", name, took)
				}
			})
		})
	}
}

func TestOperations_NegativeTimeoutLeavesTheLimitToTheContext(t *testing.T) {
	for name, do := range operations() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{Timeout: -1}, server)
				set(t, client, "other", "v")
				server.Intercept(answersNothing)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				start := time.Now()
				if err := do(ctx, client); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s = %v, want %v", name, err, context.DeadlineExceeded)
				}
				if took := time.Since(start); took != time.Hour {
					t.Errorf("%s with a deadline in an hour took %v", name, took)
				}
			})
		})
	}
}

func TestOperations_MalformedKeys(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{}, server)
	ctx := t.Context()
	for _, key := range []string{"", strings.Repeat("k", 251), "a b", "a\tb", "a\nb", "a\x00b", "\x7f", " "} {
		item := &memcached.Item{Key: key, Value: []byte("v"), CAS: 1}
		for name, do := range map[string]func() error{
			"Get":              func() error { _, err := client.Get(ctx, key); return err },
			"GetAndTouch":      func() error { _, err := client.GetAndTouch(ctx, key, 0); return err },
			"AppendValue":      func() error { _, _, err := client.AppendValue(ctx, nil, key); return err },
			"GetMulti":         func() error { _, err := client.GetMulti(ctx, []string{key}); return err },
			"Set":              func() error { return client.Set(ctx, item) },
			"Add":              func() error { return client.Add(ctx, item) },
			"Replace":          func() error { return client.Replace(ctx, item) },
			"CompareAndSwap":   func() error { return client.CompareAndSwap(ctx, item) },
			"SetMulti":         func() error { return client.SetMulti(ctx, []*memcached.Item{item}) },
			"Append":           func() error { return client.Append(ctx, key, nil) },
			"Prepend":          func() error { return client.Prepend(ctx, key, nil) },
			"Touch":            func() error { return client.Touch(ctx, key, 0) },
			"Delete":           func() error { return client.Delete(ctx, key) },
			"CompareAndDelete": func() error { return client.CompareAndDelete(ctx, key, 1) },
			"DeleteMulti":      func() error { return client.DeleteMulti(ctx, []string{key}) },
			"Increment":        func() error { _, err := client.Increment(ctx, key, 1); return err },
			"Decrement":        func() error { _, err := client.Decrement(ctx, key, 1); return err },
			"IncrementOrSet":   func() error { _, err := client.IncrementOrSet(ctx, key, 1, 1, 0); return err },
			"DecrementOrSet":   func() error { _, err := client.DecrementOrSet(ctx, key, 1, 1, 0); return err },
		} {
			err := do()
			wantPlainError(t, name, err, memcached.ErrMalformedKey, "SafeKey")
			if len(key) > 1 && strings.Contains(err.Error(), key) {
				t.Errorf("%s: the error tells the key", name)
			}
		}
	}
	if n := server.RequestCount(); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
	// Bytes above 0x7f are fine, and so is the longest key.
	for _, key := range []string{"schlüssel", "\xff\xfe", strings.Repeat("k", 250), "!"} {
		set(t, client, key, "v")
		wantValue(t, client, key, "v")
	}
}

func TestOperations_NilItem(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{}, server)
	for name, do := range map[string]func(context.Context, *memcached.Item) error{
		"Set": client.Set, "Add": client.Add, "Replace": client.Replace, "CompareAndSwap": client.CompareAndSwap,
		"SetMulti": func(ctx context.Context, item *memcached.Item) error {
			return client.SetMulti(ctx, []*memcached.Item{item})
		},
	} {
		wantPlainError(t, name, do(t.Context(), nil), nil, "nil item")
	}
	if n := server.RequestCount(); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestCompareAnd_WithoutAVersionIsRefusedLocally(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{}, server)
	wantPlainError(t, "CompareAndSwap", client.CompareAndSwap(t.Context(), &memcached.Item{Key: "k"}), nil, "no CAS")
	wantPlainError(t, "CompareAndDelete", client.CompareAndDelete(t.Context(), "k", 0), nil, "no CAS")
	if n := server.RequestCount(); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

// TestAppend_AMissingKeyIsErrNotStored: yrmcds answers "not found", memcached
// "not stored".
func TestAppend_AMissingKeyIsErrNotStored(t *testing.T) {
	for _, status := range []memcached.Status{0, memcached.StatusKeyNotFound, memcached.StatusNotStored} {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Key == "" {
				return memcachedtest.Action{}
			}
			return memcachedtest.Action{Status: status}
		})
		if err := client.Append(t.Context(), "missing", []byte("v")); err != memcached.ErrNotStored {
			t.Errorf("Append with status %v = %v, want %v", status, err, memcached.ErrNotStored)
		}
		if err := client.Prepend(t.Context(), "missing", []byte("v")); err != memcached.ErrNotStored {
			t.Errorf("Prepend with status %v = %v, want %v", status, err, memcached.ErrNotStored)
		}
	}
}
