package memcached_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// numbered returns keys with a prefix and a number.
func numbered(prefix string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return keys
}

// wantKeys checks which keys a MultiError holds, and why if want is not nil.
func wantKeys(t *testing.T, err error, want error, keys ...string) {
	t.Helper()
	var multi *memcached.MultiError
	if !errors.As(err, &multi) || len(multi.Errors) != len(keys) {
		t.Fatalf("error = %v, want a MultiError of %d keys", err, len(keys))
	}
	for _, key := range keys {
		var op *memcached.OpError
		if !errors.As(multi.Errors[key], &op) || want != nil && !errors.Is(op, want) || op.Key != key {
			t.Fatalf("error of %q = %v, want an OpError of that key that is %v", key, multi.Errors[key], want)
		}
	}
}

func TestGetMulti_LargeValuesDoNotDeadlock(t *testing.T) {
	server := newServer(t, &memcachedtest.Options{MaxMemory: 256 << 20})
	client := newClient(t, memcached.Options{Timeout: 5 * time.Minute}, server)
	tcp := newClient(t, memcached.Options{Timeout: 5 * time.Minute, DialContext: dialTCP}, server)
	keys := numbered("large", 100)
	value := make([]byte, 1<<20-200)
	for i, key := range keys {
		value[0] = byte(i)
		server.SetItem(&memcached.Item{Key: key, Value: value})
	}
	for name, client := range map[string]*memcached.Client{"in memory": client, "TCP": tcp} {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					items, err := client.GetMulti(t.Context(), keys)
					if err != nil || len(items) != len(keys) {
						t.Errorf("GetMulti = %d items, %v, want %d", len(items), err, len(keys))
						return
					}
					for i, key := range keys {
						if item := items[key]; len(item.Value) != len(value) || item.Value[0] != byte(i) {
							t.Errorf("GetMulti: %s has %d bytes that start with %d, want %d and %d", key, len(item.Value), item.Value[0], len(value), i)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestGetMulti_ManyKeysDoNotStallASingleGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Hour}, server)
		set(t, client, "k", "v")
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: time.Millisecond}
		})
		var wg sync.WaitGroup
		start := time.Now()
		wg.Go(func() {
			if _, err := client.GetMulti(t.Context(), numbered("k", 10_000)); err != nil {
				t.Errorf("GetMulti = %v", err)
			}
			if took := time.Since(start); took < 10*time.Second {
				t.Errorf("GetMulti took %v, want 10s: 1 ms per key", took)
			}
		})
		for range 10 {
			time.Sleep(800 * time.Millisecond)
			before := time.Now()
			wantValue(t, client, "k", "v")
			if took := time.Since(before); took > 300*time.Millisecond {
				t.Errorf("a Get beside GetMulti of 10,000 keys took %v of its 10s, want a small part", took)
			}
		}
		wg.Wait()
	})
}

func TestMulti_LeavesAtOnceWhenTheContextEnds(t *testing.T) {
	keys := numbered("k", 5000)
	items := make([]*memcached.Item, len(keys))
	for i, key := range keys {
		items[i] = &memcached.Item{Key: key, Value: []byte("v")}
	}
	large := make([]*memcached.Item, 400)
	value := make([]byte, 100_000)
	for i := range large {
		large[i] = &memcached.Item{Key: keys[i], Value: value}
	}
	operations := map[string]func(ctx context.Context, c *memcached.Client) error{
		"GetMulti": func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetMulti(ctx, keys)
			return err
		},
		"SetMulti":    func(ctx context.Context, c *memcached.Client) error { return c.SetMulti(ctx, items) },
		"large":       func(ctx context.Context, c *memcached.Client) error { return c.SetMulti(ctx, large) },
		"DeleteMulti": func(ctx context.Context, c *memcached.Client) error { return c.DeleteMulti(ctx, keys) },
	}
	for name, do := range operations {
		for _, deadline := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/deadline=%v", name, deadline), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					servers := []*memcachedtest.Server{newServer(t, nil), newServer(t, nil)}
					opts := memcached.Options{}
					if deadline {
						opts.Timeout = 100 * time.Millisecond
					}
					client := newClient(t, opts, servers...)
					set(t, client, "a", "v")
					set(t, client, "b", "v")
					for _, s := range servers {
						s.Intercept(func(memcachedtest.Request) memcachedtest.Action {
							return memcachedtest.Action{Delay: time.Millisecond}
						})
					}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					want := memcached.ErrUnavailable
					if !deadline {
						time.AfterFunc(100*time.Millisecond, cancel)
						want = context.Canceled
					}
					start := time.Now()
					err := do(ctx, client)
					if took := time.Since(start); took > 105*time.Millisecond {
						t.Errorf("%s took %v, want 100ms", name, took)
					}
					var multi *memcached.MultiError
					if !errors.As(err, &multi) || !errors.Is(err, want) {
						t.Fatalf("%s = %v, want a MultiError with %v", name, err, want)
					}
					time.Sleep(10 * time.Second) // the servers work off what they got
					if sent := servers[0].RequestCount() + servers[1].RequestCount(); sent > 1000 {
						t.Errorf("%s sent %d requests, most of them after its end", name, sent)
					}
				})
			})
		}
	}
}

func TestMulti_PartialResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		refused := func(key string) bool { return strings.HasSuffix(key, "7") }
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if refused(r.Key) {
				return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
			}
			return memcachedtest.Action{}
		})
		keys := numbered("k", 300)
		var bad []string
		items := make([]*memcached.Item, len(keys))
		for i, key := range keys {
			items[i] = &memcached.Item{Key: key, Value: []byte(key)}
			if refused(key) {
				bad = append(bad, key)
			}
		}
		wantOutOfMemory := func(err error) {
			t.Helper()
			wantKeys(t, err, nil, bad...)
			var status *memcached.StatusError
			if !errors.As(err, &status) || status.Status != memcached.StatusOutOfMemory {
				t.Errorf("error = %v, want StatusOutOfMemory in it", err)
			}
		}
		wantOutOfMemory(client.SetMulti(t.Context(), items))
		if n := len(server.Keys()); n != len(keys)-len(bad) {
			t.Errorf("SetMulti stored %d items, want %d", n, len(keys)-len(bad))
		}
		found, err := client.GetMulti(t.Context(), keys)
		wantOutOfMemory(err)
		if len(found) != len(keys)-len(bad) {
			t.Errorf("GetMulti = %d items, want %d", len(found), len(keys)-len(bad))
		}
		for key, item := range found {
			if item.Key != key || string(item.Value) != key {
				t.Errorf("GetMulti: %q holds %q of %q", key, item.Value, item.Key)
			}
		}
		wantOutOfMemory(client.DeleteMulti(t.Context(), keys))
		if s := client.Stats(); s.Gets != 300 || s.Hits != 270 || s.Misses != 0 {
			t.Errorf("Stats() = %d gets, %d hits, %d misses, want 300, 270, 0", s.Gets, s.Hits, s.Misses)
		}
	})
}

func TestSetMulti_EverySize(t *testing.T) {
	server := newServer(t, &memcachedtest.Options{MaxMemory: 256 << 20})
	client := newClient(t, memcached.Options{Timeout: 10 * time.Second, DialContext: dialTCP}, server)
	sizes := []int{0, 1, 100, 1000, 16<<10 - 1, 16 << 10, 16<<10 + 1, 64 << 10, 65 << 10, 100_000, 500_000, 1_048_000}
	var items []*memcached.Item
	for round := range 10 {
		for _, size := range sizes {
			key := fmt.Sprintf("k%d-%d", size, round)
			items = append(items, &memcached.Item{Key: key, Value: bytes.Repeat([]byte{byte(round + size)}, size), Flags: uint32(size)})
		}
	}
	tooLarge := &memcached.Item{Key: "too-large", Value: make([]byte, 1<<20)}
	server.SetItem(&memcached.Item{Key: tooLarge.Key, Value: []byte("old")})
	err := client.SetMulti(t.Context(), slices.Insert(slices.Clone(items), 5, tooLarge))
	wantKeys(t, err, memcached.ErrTooLarge, tooLarge.Key)
	wantValue(t, client, tooLarge.Key, "old")
	for _, item := range items {
		got, err := client.Get(t.Context(), item.Key)
		if err != nil || !bytes.Equal(got.Value, item.Value) || got.Flags != item.Flags {
			t.Errorf("Get(%q) = %v, want %d bytes", item.Key, err, len(item.Value))
		}
	}
}

func TestSetMulti_TheLastItemOfAKeyStays(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{}, server)
	small, large := []byte("small"), bytes.Repeat([]byte("large"), 10_000)
	for _, values := range [][][]byte{
		{small, large}, {large, small}, {small, large, small}, {large, small, large}, {small, []byte("again")},
	} {
		var items []*memcached.Item
		for _, value := range values {
			items = append(items, &memcached.Item{Key: "k", Value: value}, &memcached.Item{Key: "other", Value: value})
		}
		if err := client.SetMulti(t.Context(), items); err != nil {
			t.Fatalf("SetMulti = %v", err)
		}
		for _, key := range []string{"k", "other"} {
			wantValue(t, client, key, string(values[len(values)-1]))
		}
	}
}

func TestMulti_BadInput(t *testing.T) {
	server := newServer(t, nil)
	client := newClient(t, memcached.Options{}, server)
	item := &memcached.Item{Key: "k", Value: []byte("v")}
	err := client.SetMulti(t.Context(), []*memcached.Item{nil, item, nil})
	if err == nil || !strings.Contains(err.Error(), "nil item") {
		t.Errorf("SetMulti with nil = %v, want an error about a nil item", err)
	}
	wantValue(t, client, "k", "v")
	_, err = client.GetMulti(t.Context(), []string{"k", "", "a b", strings.Repeat("k", 251), "\x7f", "k"})
	wantKeys(t, err, memcached.ErrMalformedKey, "", "a b", strings.Repeat("k", 251), "\x7f")
	if n := server.RequestCount("GET", "GETK", "GETKQ"); n != 3 {
		t.Errorf("%d keys were sent, want 3", n)
	}
}

func TestGetMulti_Duplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		set(t, client, "k", "v")
		keys := slices.Repeat([]string{"k"}, 300)
		items, err := client.GetMulti(t.Context(), keys)
		if err != nil || len(items) != 1 || string(items["k"].Value) != "v" {
			t.Errorf("GetMulti = %v, %v, want one item", items, err)
		}
		// The second batch fails; the key was found by the first.
		n := 0
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			n++
			return memcachedtest.Action{Delay: delayOf(n > 200, time.Minute)}
		})
		items, err = client.GetMulti(t.Context(), keys)
		if err != nil || len(items) != 1 {
			t.Errorf("GetMulti of a key that was found and then not = %v, %v, want the item and no error", items, err)
		}
	})
}

func TestMulti_AnswersOutOfOrderEndTheConnection(t *testing.T) {
	const header = 24
	tests := []struct {
		name string
		edit func(frames []byte) []byte
	}{
		{"swapped", func(b []byte) []byte {
			n := header + int(b[11])
			return append(slices.Clone(b[n:]), b[:n]...)
		}},
		{"twice", func(b []byte) []byte { return append(slices.Clone(b[:header+int(b[11])]), b...) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{}, server)
				for _, key := range []string{"a", "b", "c"} {
					set(t, client, key, "value of "+key)
				}
				var held []byte
				server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					switch r.Key {
					case "a": // goes out together with b
						return memcachedtest.Action{Edit: func(b []byte) []byte { held = slices.Clone(b); return nil }}
					case "b":
						return memcachedtest.Action{Edit: func(b []byte) []byte { return tt.edit(append(held, b...)) }}
					}
					return memcachedtest.Action{}
				})
				items, err := client.GetMulti(t.Context(), []string{"a", "b", "c"})
				if !errors.Is(err, memcached.ErrUnavailable) || len(items) != 0 {
					t.Errorf("GetMulti = %v, %v, want ErrUnavailable for all", items, err)
				}
			})
		})
	}
}

// TestMulti_PiecesOf128KeysOr64KiB: the last request of each is not quiet.
func TestMulti_PiecesOf128KeysOr64KiB(t *testing.T) {
	const request = 24 + 8 + 4 // header, extras and key
	items := func(n, size int) (items []*memcached.Item) {
		for i := range n {
			items = append(items, &memcached.Item{Key: fmt.Sprintf("k%03d", i), Value: make([]byte, size)})
		}
		return items
	}
	for _, test := range []struct {
		name        string
		do          func(ctx context.Context, c *memcached.Client) error
		quiet, loud string
		requests    uint64
		pieces      uint64
	}{
		{"128 keys", func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetMulti(ctx, numbered("k", 128))
			return err
		}, "GETKQ", "GETK", 128, 1},
		{"129 keys", func(ctx context.Context, c *memcached.Client) error {
			_, err := c.GetMulti(ctx, numbered("k", 129))
			return err
		}, "GETKQ", "GETK", 129, 2},
		{"deleted", func(ctx context.Context, c *memcached.Client) error {
			return c.DeleteMulti(ctx, numbered("k", 257))
		}, "DELETEQ", "DELETE", 257, 3},
		{"small items", func(ctx context.Context, c *memcached.Client) error {
			return c.SetMulti(ctx, items(128, 10))
		}, "SETQ", "SET", 128, 1},
		{"64 KiB of values", func(ctx context.Context, c *memcached.Client) error {
			return c.SetMulti(ctx, items(16, 4<<10-request))
		}, "SETQ", "SET", 16, 1},
		{"more", func(ctx context.Context, c *memcached.Client) error {
			return c.SetMulti(ctx, items(16, 4<<10-request+1))
		}, "SETQ", "SET", 16, 2},
		{"values that are copied", func(ctx context.Context, c *memcached.Client) error {
			return c.SetMulti(ctx, items(3, 16<<10-1))
		}, "SETQ", "SET", 3, 1},
		{"values that are not", func(ctx context.Context, c *memcached.Client) error {
			return c.SetMulti(ctx, items(3, 16<<10))
		}, "SETQ", "SET", 3, 3},
	} {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		if err := test.do(t.Context(), client); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		quiet, loud := server.RequestCount(test.quiet), server.RequestCount(test.loud)
		if loud != test.pieces || quiet+loud != test.requests {
			t.Errorf("%s: %d requests that are quiet and %d that are not, want %d pieces of %d", test.name, quiet, loud, test.pieces, test.requests)
		}
	}
}
