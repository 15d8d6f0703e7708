package clienttest

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

var readTests = []clientTest{
	{"a missing key is ErrCacheMiss", func(t *testing.T, s *suite) {
		key := s.key()
		item, err := s.client.Get(t.Context(), key)
		wantSentinel(t, "Get", err, memcached.ErrCacheMiss)
		if item != nil {
			t.Errorf("Get(%q) = %v, want no item", key, item)
		}
		item, err = s.client.GetAndTouch(t.Context(), key, 0)
		wantSentinel(t, "GetAndTouch", err, memcached.ErrCacheMiss)
		if item != nil {
			t.Errorf("GetAndTouch(%q) = %v, want no item", key, item)
		}
	}},
	{"an item comes back as it was stored", func(t *testing.T, s *suite) {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for _, value := range [][]byte{nil, {0}, []byte("text"), all, bytes.Repeat(all, 1000)} {
			for _, flags := range []uint32{0, 1, 1 << 16, math.MaxUint32} {
				want := &memcached.Item{Key: s.key(), Value: value, Flags: flags}
				s.store(t, want)
				s.wantItem(t, "Get", s.get(t, want.Key), want)
				got, err := s.client.GetAndTouch(t.Context(), want.Key, 0)
				if err != nil {
					t.Fatalf("GetAndTouch(%q) = %v, want a hit", want.Key, err)
				}
				s.wantItem(t, "GetAndTouch", got, want)
			}
		}
	}},
	{"the version is that of the last write", func(t *testing.T, s *suite) {
		key := s.set(t, "v")
		first, again := s.get(t, key).CAS, s.get(t, key).CAS
		if first != again || (first != 0) == s.versionless() {
			t.Errorf("Get(%q).CAS = %d, then %d, with common versions: %v", key, first, again, !s.versionless())
		}
		s.store(t, &memcached.Item{Key: key, Value: []byte("v")})
		if next := s.get(t, key).CAS; !s.versionless() && next == first {
			t.Errorf("Get(%q).CAS = %d before and after a write, want another", key, next)
		}
	}},
	{"an item belongs to its reader", func(t *testing.T, s *suite) {
		key := s.set(t, "value")
		item := s.get(t, key)
		clear(item.Value[:cap(item.Value)])
		s.wantValue(t, key, "value")
	}},
	{"AppendValue appends", func(t *testing.T, s *suite) {
		key := s.key()
		s.store(t, &memcached.Item{Key: key, Value: []byte("value"), Flags: 7})
		for _, dst := range [][]byte{nil, []byte("before "), append(make([]byte, 0, 100), "before "...)} {
			before := string(dst)
			got, flags, err := s.client.AppendValue(t.Context(), dst, key)
			if string(got) != before+"value" || flags != 7 || err != nil {
				t.Errorf("AppendValue(%q, %q) = %q, %d, %v, want %q, 7", before, key, got, flags, err, before+"value")
			}
			if cap(dst) >= len(got) && &got[0] != &dst[0] {
				t.Errorf("AppendValue(%q, %q) did not use the room that it got", before, key)
			}
		}
	}},
	{"AppendValue leaves dst alone at a miss", func(t *testing.T, s *suite) {
		got, _, err := s.client.AppendValue(t.Context(), []byte("before"), s.key())
		wantSentinel(t, "AppendValue", err, memcached.ErrCacheMiss)
		if string(got) != "before" {
			t.Errorf("AppendValue = %q, want dst as it was", got)
		}
	}},
	{"AppendValue reads empty and large values", func(t *testing.T, s *suite) {
		for _, value := range []string{"", strings.Repeat("x", 100_000)} {
			key := s.set(t, value)
			got, _, err := s.client.AppendValue(t.Context(), []byte("before "), key)
			if string(got) != "before "+value || err != nil {
				t.Errorf("AppendValue = %s, %v, want %s", show(got), err, show([]byte("before "+value)))
			}
		}
	}},
	{"Stats counts hits and misses", func(t *testing.T, s *suite) {
		if s.replicated {
			t.Skip("each server is asked and counted")
		}
		client := s.newClient(t)
		key := s.set(t, "v")
		for range 3 {
			if _, err := client.Get(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			_, err := client.Get(t.Context(), s.key())
			wantSentinel(t, "Get", err, memcached.ErrCacheMiss)
		}
		if _, err := client.GetMulti(t.Context(), []string{key, s.key()}); err != nil {
			t.Fatal(err)
		}
		got := client.Stats()
		if got.Hits != 4 || got.Misses != 3 || got.Gets != 7 || got.Errors != 0 {
			t.Errorf("Stats() = %+v, want 4 hits and 3 misses of 7 gets, and no errors", got)
		}
	}},
}

// wantItem compares what a read returned with what was stored.
func (s *suite) wantItem(t *testing.T, op string, got, want *memcached.Item) {
	t.Helper()
	if got.Key != want.Key || !bytes.Equal(got.Value, want.Value) || got.Flags != want.Flags || got.TTL != 0 {
		t.Errorf("%s(%q) = key %q, value %s, flags %d, TTL %v, want key %q, value %s, flags %d, TTL 0", op, want.Key,
			got.Key, show(got.Value), got.Flags, got.TTL, want.Key, show(want.Value), want.Flags)
	}
	if (got.CAS != 0) == s.versionless() {
		t.Errorf("%s(%q).CAS = %d with common versions: %v", op, want.Key, got.CAS, !s.versionless())
	}
}
