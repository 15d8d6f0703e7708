package memcached_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestMaxItemSize_RefusesLocally(t *testing.T) {
	server := newServer(t, &memcachedtest.Options{MaxItemSize: 4 << 20, MaxMemory: 64 << 20})
	tests := []struct {
		name      string
		max       int // of Options
		key       string
		flags     uint32
		value     int
		tooLarge  bool
		otherwise string
	}{
		{name: "default, just fits", key: "key", value: 1_048_514},
		{name: "default, one more", key: "key", value: 1_048_515, tooLarge: true},
		{name: "default, long key", key: strings.Repeat("k", 250), value: 1_048_267},
		{name: "default, long key, one more", key: strings.Repeat("k", 250), value: 1_048_268, tooLarge: true},
		{name: "default, flags", key: "key", flags: 1, value: 1_048_510},
		{name: "default, flags, one more", key: "key", flags: 1, value: 1_048_511, tooLarge: true},
		{name: "raised", max: 3 << 20, key: "key", value: 3 << 20},
		{name: "raised, one more", max: 3 << 20, key: "key", value: 3<<20 + 1, tooLarge: true},
		{name: "lowered", max: 10, key: "key", value: 10},
		{name: "lowered, one more", max: 10, key: "key", value: 11, tooLarge: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, memcached.Options{MaxItemSize: tt.max, Timeout: 10 * time.Second}, server)
			put(server, tt.key, "1")
			item, err := client.Get(t.Context(), tt.key)
			if err != nil {
				t.Fatal(err)
			}
			server.ForgetRequests()
			item.Value, item.Flags = make([]byte, tt.value), tt.flags
			errs := map[string]error{
				"CompareAndSwap": client.CompareAndSwap(t.Context(), item),
				"Set":            client.Set(t.Context(), item),
				"Replace":        client.Replace(t.Context(), item),
				"SetMulti":       client.SetMulti(t.Context(), []*memcached.Item{item}),
			}
			if tt.tooLarge {
				errs["Add"] = client.Add(t.Context(), item)
				if tt.flags == 0 {
					errs["Append"] = client.Append(t.Context(), tt.key, item.Value)
					errs["Prepend"] = client.Prepend(t.Context(), tt.key, item.Value)
				}
			}
			for name, err := range errs {
				if tt.tooLarge && !errors.Is(err, memcached.ErrTooLarge) || !tt.tooLarge && err != nil {
					t.Errorf("%s of %d bytes = %v, want too large: %v", name, tt.value, err, tt.tooLarge)
				}
			}
			if tt.tooLarge {
				wantValue(t, client, tt.key, "1") // the old value is still there
				if n := server.RequestCount("SET", "ADD", "REPLACE", "APPEND", "PREPEND", "SETQ"); n != 0 {
					t.Errorf("%d requests were sent, want none", n)
				}
				return
			}
			if got, err := client.Get(t.Context(), tt.key); err != nil || len(got.Value) != tt.value {
				t.Errorf("Get = %v, want %d bytes", err, tt.value)
			}
		})
	}
}

// TestMaxItemSize_ALargerValueOfTheServerIsOneKeysError: somebody with a larger
// limit stored it. Its neighbours in a batch and on the connection do not notice.
func TestMaxItemSize_ALargerValueOfTheServerIsOneKeysError(t *testing.T) {
	server := newServer(t, &memcachedtest.Options{MaxItemSize: 8 << 20, MaxMemory: 64 << 20})
	put(server, "large", string(bytes.Repeat([]byte("x"), 5<<20)))
	keys := []string{"large"}
	for i := range 20 {
		keys = append(keys, fmt.Sprintf("small-%d", i))
		put(server, keys[i+1], "v")
	}
	client := newClient(t, memcached.Options{MaxConns: 1, Timeout: time.Minute}, server)
	for range 2 {
		items, err := client.GetMulti(t.Context(), keys)
		wantKeys(t, err, memcached.ErrTooLarge, "large")
		if len(items) != 20 {
			t.Errorf("GetMulti = %d items, want the other 20", len(items))
		}
	}
	room := []byte("before")
	value, _, err := client.AppendValue(t.Context(), room, "large")
	if !errors.Is(err, memcached.ErrTooLarge) || string(value) != "before" {
		t.Errorf("AppendValue = %.20q, %v, want %v", value, err, memcached.ErrTooLarge)
	}
	for range 2 {
		if _, err := client.Get(t.Context(), "large"); !errors.Is(err, memcached.ErrTooLarge) {
			t.Errorf("Get = %v, want %v", err, memcached.ErrTooLarge)
		}
		wantValue(t, client, "small-7", "v")
	}
	if s := client.Stats(); s.Servers[server.Addr()].Dials != 1 || s.Errors != 5 {
		t.Errorf("Stats() = %+v, want 1 connection and 5 errors", s)
	}
	larger := newClient(t, memcached.Options{MaxItemSize: 8 << 20, Timeout: time.Minute}, server)
	if item, err := larger.Get(t.Context(), "large"); err != nil || len(item.Value) != 5<<20 {
		t.Errorf("Get with a larger MaxItemSize = %v, want the value", err)
	}
}

// TestMaxItemSize_ReadsUpToAMebibyteMore than may be stored, and never less than
// two.
func TestMaxItemSize_ReadsUpToAMebibyteMore(t *testing.T) {
	server := newServer(t, &memcachedtest.Options{MaxItemSize: 8 << 20, MaxMemory: 64 << 20})
	const flags = 4 // in front of a value
	for _, test := range []struct{ option, reads int }{{0, 2 << 20}, {1000, 2 << 20}, {3 << 20, 4 << 20}} {
		client := newClient(t, memcached.Options{MaxItemSize: test.option, Timeout: time.Minute}, server)
		put(server, "k", strings.Repeat("x", test.reads-flags))
		if item, err := client.Get(t.Context(), "k"); err != nil || len(item.Value) != test.reads-flags {
			t.Errorf("MaxItemSize %d: Get of %d bytes = %v, want them", test.option, test.reads-flags, err)
		}
		put(server, "k", strings.Repeat("x", test.reads-flags+1))
		if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrTooLarge) {
			t.Errorf("MaxItemSize %d: Get of %d bytes = %v, want %v", test.option, test.reads-flags+1, err, memcached.ErrTooLarge)
		}
	}
}
