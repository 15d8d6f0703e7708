package clienttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

// manyKeys is the size of the largest operations on several keys here.
const manyKeys = 10_000

var multiTests = []clientTest{
	{"operations on no keys do nothing", func(t *testing.T, s *suite) {
		for _, keys := range [][]string{nil, {}} {
			items, err := s.client.GetMulti(t.Context(), keys)
			if len(items) != 0 || err != nil {
				t.Errorf("GetMulti(%v) = %v, %v, want nothing", keys, items, err)
			}
			if err := s.client.DeleteMulti(t.Context(), keys); err != nil {
				t.Errorf("DeleteMulti(%v) = %v, want nil", keys, err)
			}
		}
		if err := s.client.SetMulti(t.Context(), nil); err != nil {
			t.Errorf("SetMulti(nil) = %v, want nil", err)
		}
	}},
	{"GetMulti returns what is there", func(t *testing.T, s *suite) {
		var keys []string
		want := map[string]*memcached.Item{}
		for i := range 300 {
			key := s.key()
			keys = append(keys, key)
			if i%3 == 0 {
				continue // a miss
			}
			want[key] = &memcached.Item{Key: key, Value: []byte(strings.Repeat("v", i%5)), Flags: uint32(i)}
			s.store(t, want[key])
		}
		s.wantItems(t, keys, want)
	}},
	{"GetMulti takes keys more than once", func(t *testing.T, s *suite) {
		key, miss := s.set(t, "v"), s.key()
		s.wantItems(t, []string{key, miss, key, miss, key}, map[string]*memcached.Item{
			key: {Key: key, Value: []byte("v")},
		})
	}},
	{"SetMulti stores every item, the last of a key", func(t *testing.T, s *suite) {
		want := map[string]*memcached.Item{}
		var items []*memcached.Item
		for i := range 200 {
			item := &memcached.Item{Key: s.key(), Value: []byte(strings.Repeat("v", i*i%3000)), Flags: uint32(i)}
			items = append(items, item)
			want[item.Key] = item
		}
		again := &memcached.Item{Key: items[7].Key, Value: []byte("again")}
		want[again.Key] = again
		if err := s.client.SetMulti(t.Context(), append(items, again)); err != nil {
			t.Fatalf("SetMulti = %v, want nil", err)
		}
		s.wantItems(t, keysOf(items), want)
	}},
	{"DeleteMulti removes what is there and minds nothing missing", func(t *testing.T, s *suite) {
		first, last, other := s.set(t, "a"), s.set(t, "b"), s.set(t, "c")
		keys := []string{first, s.key(), s.key(), last, first}
		if err := s.client.DeleteMulti(t.Context(), keys); err != nil {
			t.Errorf("DeleteMulti = %v, want nil", err)
		}
		s.wantMiss(t, first)
		s.wantMiss(t, last)
		s.wantValue(t, other, "c")
	}},
	{"one bad key spoils no other", func(t *testing.T, s *suite) {
		good, bad := s.set(t, "v"), s.key()+" with spaces"
		items, err := s.client.GetMulti(t.Context(), []string{good, bad})
		wantOnly(t, "GetMulti", err, bad, memcached.ErrMalformedKey)
		if item := items[good]; item == nil || string(item.Value) != "v" {
			t.Errorf("GetMulti returned %v for the good key, want its item", item)
		}
		stored := s.key()
		err = s.client.SetMulti(t.Context(), []*memcached.Item{
			{Key: bad, Value: []byte("x")},
			{Key: stored, Value: []byte("w")},
		})
		wantOnly(t, "SetMulti", err, bad, memcached.ErrMalformedKey)
		s.wantValue(t, stored, "w")
		wantOnly(t, "DeleteMulti", s.client.DeleteMulti(t.Context(), []string{bad, good}), bad, memcached.ErrMalformedKey)
		s.wantMiss(t, good)
	}},
	{"ten thousand keys", func(t *testing.T, s *suite) {
		items := make([]*memcached.Item, manyKeys)
		want := make(map[string]*memcached.Item, manyKeys)
		for i := range items {
			items[i] = &memcached.Item{Key: s.key(), Value: fmt.Appendf(nil, "value %d %s", i, strings.Repeat("x", i%64))}
			want[items[i].Key] = items[i]
		}
		if err := s.client.SetMulti(t.Context(), items); err != nil {
			t.Fatalf("SetMulti of %d items = %v, want nil", len(items), err)
		}
		keys := keysOf(items)
		s.wantItems(t, keys, want)
		if err := s.client.DeleteMulti(t.Context(), keys); err != nil {
			t.Fatalf("DeleteMulti of %d keys = %v, want nil", len(keys), err)
		}
		s.wantItems(t, keys, nil)
	}},
	{"large values all together", func(t *testing.T, s *suite) {
		// The server stops reading while some twenty large answers wait.
		size := min(s.largest("k", 0), s.MaxMemory/160)
		items := make([]*memcached.Item, 30)
		want := map[string]*memcached.Item{}
		for i := range items {
			items[i] = &memcached.Item{Key: s.key(), Value: []byte(strings.Repeat(string(rune('a'+i)), size-100))}
			want[items[i].Key] = items[i]
		}
		if err := s.client.SetMulti(t.Context(), items); err != nil {
			t.Fatalf("SetMulti of %d values of %d bytes = %v, want nil", len(items), size, err)
		}
		keys := keysOf(items)
		if s.small() {
			got, err := s.client.GetMulti(t.Context(), keys)
			if err != nil {
				t.Errorf("GetMulti of %d keys = %v, want nil", len(keys), err)
			}
			for key, item := range got {
				s.wantItem(t, "GetMulti", item, want[key])
			}
		} else {
			s.wantItems(t, keys, want)
		}
		if err := s.client.DeleteMulti(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
	}},
}

func keysOf(items []*memcached.Item) []string {
	keys := make([]string, len(items))
	for i, item := range items {
		keys[i] = item.Key
	}
	return keys
}

// wantItems checks what GetMulti returns for keys.
func (s *suite) wantItems(t *testing.T, keys []string, want map[string]*memcached.Item) {
	t.Helper()
	got, err := s.client.GetMulti(t.Context(), keys)
	if err != nil {
		t.Fatalf("GetMulti of %d keys = %v, want nil", len(keys), err)
	}
	if len(got) != len(want) {
		t.Errorf("GetMulti of %d keys returned %d items, want %d", len(keys), len(got), len(want))
	}
	for key, item := range got {
		if want[key] == nil {
			t.Fatalf("GetMulti returned %q, which was not stored", key)
		}
		s.wantItem(t, "GetMulti", item, want[key])
		if t.Failed() {
			return // one is enough of thousands
		}
	}
}

// wantOnly checks that an operation on several keys failed for one of them.
func wantOnly(t *testing.T, what string, err error, key string, want error) {
	t.Helper()
	var multi *memcached.MultiError
	if !errors.As(err, &multi) || len(multi.Errors) != 1 || !errors.Is(multi.Errors[key], want) {
		t.Errorf("%s = %v, want a MultiError of that key with %v", what, err, want)
		return
	}
	wantFault(t, what, multi.Errors[key], want)
	if !slices.ContainsFunc(multi.Unwrap(), func(err error) bool { return errors.Is(err, want) }) {
		t.Errorf("%s: MultiError.Unwrap() = %v, want %v among them", what, multi.Unwrap(), want)
	}
}
