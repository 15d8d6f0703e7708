package memcached_test

import (
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestGet_BrokenFrames(t *testing.T) {
	tests := []struct {
		name string
		edit func(b []byte) []byte
	}{
		{"wrong opaque", func(b []byte) []byte { b[15]++; return b }},
		{"wrong opcode", func(b []byte) []byte { b[1] = 0x01; return b }},
		{"request magic", func(b []byte) []byte { b[0] = 0x80; return b }},
		{"body of 4 GiB", func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], 0xffffffff); return b }},
		{"key longer than body", func(b []byte) []byte { binary.BigEndian.PutUint16(b[2:], 0xffff); return b }},
		{"extras longer than body", func(b []byte) []byte { b[4] = 0xff; return b }},
		{"no extras", func(b []byte) []byte { b[4] = 0; return b }},
		{"text", func([]byte) []byte { return []byte("ERROR Too many open connections\r\n") }},
		{"a response twice", func(b []byte) []byte { return append(b, b...) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{MaxConns: 1}, server)
				set(t, client, "k", "v")
				broken := true
				server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					if r.Op == "GET" && broken {
						return memcachedtest.Action{Edit: tt.edit}
					}
					return memcachedtest.Action{}
				})
				item, err := client.Get(t.Context(), "k")
				if err == nil && string(item.Value) != "v" {
					t.Fatalf("Get = %q from a broken frame", item.Value)
				}
				if err != nil && !errors.Is(err, memcached.ErrUnavailable) {
					t.Errorf("Get = %v, want ErrUnavailable", err)
				}
				synctest.Wait()
				broken = false
				wantValue(t, client, "k", "v")
				if dials := client.Stats().Servers[server.Addr()].Dials; dials < 2 {
					t.Errorf("%d connections, want the broken one closed", dials)
				}
			})
		})
	}
}

// TestStatus0x20_EndsTheConnection: 0x20 says that nobody has authenticated.
func TestStatus0x20_EndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1}, server)
		set(t, client, "n", "0")
		first := true
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Key == "k" && first {
				first = false
				return memcachedtest.Action{Delay: 100 * time.Millisecond, Status: memcached.StatusAuthError, Close: true}
			}
			return memcachedtest.Action{}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrAuth) {
				t.Errorf("Get = %v, want %v", err, memcached.ErrAuth)
			}
		})
		synctest.Wait()
		for range 5 {
			wg.Go(func() {
				if _, err := client.Increment(t.Context(), "n", 1); err == nil || safeToRetry(t, err) {
					t.Errorf("Increment behind it = %v, want an error: not every server carries out no more", err)
				}
			})
		}
		wg.Wait()
		wantValue(t, client, "n", "0")
		if dials := client.Stats().Servers[server.Addr()].Dials; dials != 2 {
			t.Errorf("%d connections, want 2: the server closes after 0x20", dials)
		}
	})
}

func TestStatus0x81_EndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{MaxConns: 1}, server)
		set(t, client, "n", "0")
		set(t, client, "k", "v")
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Op == "GAT" {
				return memcachedtest.Action{Delay: 10 * time.Millisecond, Status: memcached.StatusUnknownCommand} // the connection stays open, and is out of step
			}
			return memcachedtest.Action{}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := client.GetAndTouch(t.Context(), "k", 0)
			var status *memcached.StatusError
			if !errors.As(err, &status) || status.Status != 0x81 {
				t.Errorf("GetAndTouch = %v, want status 0x81", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := client.Increment(t.Context(), "n", 1); err == nil || safeToRetry(t, err) {
				t.Errorf("Increment behind an unknown command = %v, want an error that is not safe to retry", err)
			}
		})
		wg.Go(func() { wantValue(t, client, "k", "v") }) // repeated
		wg.Wait()
		if dials := client.Stats().Servers[server.Addr()].Dials; dials != 2 {
			t.Errorf("%d connections, want 2: that one is poisoned", dials)
		}
	})
}

// TestGetMulti_OneFlippedBit: whichever bit of a response's header is damaged,
// no value is delivered under another key.
func TestGetMulti_OneFlippedBit(t *testing.T) {
	server := newServer(t, nil)
	keys := []string{"k0", "k1", "k2", "k3", "k4"}
	for _, key := range keys {
		put(server, key, "value of "+key)
	}
	client := newClient(t, memcached.Options{Timeout: 50 * time.Millisecond, RetryAfter: time.Millisecond}, server)
	for bit := range 24 * 8 {
		var once sync.Once
		server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
			if r.Key == "k1" {
				once.Do(func() {
					a.Edit = func(b []byte) []byte { b[bit/8] ^= 1 << (bit % 8); return b }
				})
			}
			return a
		})
		items, err := client.GetMulti(t.Context(), keys)
		if err == nil && len(items) < 4 {
			t.Errorf("bit %d: %d items without an error", bit, len(items))
		}
		for key, item := range items {
			if string(item.Value) != "value of "+key {
				t.Errorf("bit %d: GetMulti has %q under %q", bit, item.Value, key)
			}
		}
	}
}
