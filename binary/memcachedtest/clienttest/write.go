package clienttest

import (
	"errors"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

var storeTests = []clientTest{
	{"Set replaces value and flags", func(t *testing.T, s *suite) {
		key := s.key()
		s.store(t, &memcached.Item{Key: key, Value: []byte("a long value"), Flags: 5})
		want := &memcached.Item{Key: key, Value: []byte("b")}
		s.store(t, want)
		s.wantItem(t, "Get", s.get(t, key), want)
	}},
	{"Set takes no notice of the version", func(t *testing.T, s *suite) {
		key := s.set(t, "a")
		s.store(t, &memcached.Item{Key: key, Value: []byte("b"), CAS: 12345})
		s.wantValue(t, key, "b")
		s.store(t, &memcached.Item{Key: s.key(), Value: []byte("c"), CAS: 12345})
	}},
	{"Set leaves all but the version of the item alone", func(t *testing.T, s *suite) {
		item := &memcached.Item{Key: s.key(), Value: []byte("value"), Flags: 3, CAS: 9}
		before := *item
		s.store(t, item)
		if item.Key != before.Key || string(item.Value) != "value" || item.Flags != 3 || item.TTL != 0 {
			t.Errorf("after Set the item is %+v, want %+v", *item, before)
		}
	}},
	{"Add stores only what is missing", func(t *testing.T, s *suite) {
		key := s.key()
		if err := s.client.Add(t.Context(), &memcached.Item{Key: key, Value: []byte("a"), Flags: 2}); err != nil {
			t.Fatalf("Add(%q) = %v, want nil", key, err)
		}
		err := s.client.Add(t.Context(), &memcached.Item{Key: key, Value: []byte("b")})
		wantSentinel(t, "Add of an existing key", err, memcached.ErrNotStored)
		s.wantItem(t, "Get", s.get(t, key), &memcached.Item{Key: key, Value: []byte("a"), Flags: 2})
	}},
	{"Add takes no notice of the version", func(t *testing.T, s *suite) {
		key := s.key()
		item := &memcached.Item{Key: key, Value: []byte("a"), CAS: 12345}
		if err := s.client.Add(t.Context(), item); err != nil {
			t.Errorf("Add(%q) = %v, want nil", key, err)
		}
		wantSentinel(t, "Add of an existing key", s.client.Add(t.Context(), item), memcached.ErrNotStored)
	}},
	{"Replace stores only what is there", func(t *testing.T, s *suite) {
		key := s.key()
		err := s.client.Replace(t.Context(), &memcached.Item{Key: key, Value: []byte("a")})
		wantSentinel(t, "Replace of a missing key", err, memcached.ErrNotStored)
		s.wantMiss(t, key)
		s.store(t, &memcached.Item{Key: key, Value: []byte("a"), Flags: 1})
		if err := s.client.Replace(t.Context(), &memcached.Item{Key: key, Value: []byte("b"), Flags: 2}); err != nil {
			t.Errorf("Replace(%q) = %v, want nil", key, err)
		}
		s.wantItem(t, "Get", s.get(t, key), &memcached.Item{Key: key, Value: []byte("b"), Flags: 2})
	}},
}

var casTests = []clientTest{
	{"writes tell the version of what they stored", func(t *testing.T, s *suite) {
		s.needCAS(t)
		item := &memcached.Item{Key: s.key(), Value: []byte("a"), CAS: 9}
		for _, write := range []func() error{
			func() error { return s.client.Add(t.Context(), item) },
			func() error { return s.client.Set(t.Context(), item) },
			func() error { return s.client.Replace(t.Context(), item) },
			func() error { return s.client.CompareAndSwap(t.Context(), item) },
		} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
			if got := s.get(t, item.Key); got.CAS != item.CAS {
				t.Errorf("after a write the version is %d, want %d, which Get returns", item.CAS, got.CAS)
			}
		}
	}},
	{"CompareAndSwap stores what nobody changed", func(t *testing.T, s *suite) {
		s.needCAS(t)
		key := s.set(t, "a")
		item := s.get(t, key)
		old := item.CAS
		item.Value, item.Flags = []byte("b"), 4
		if err := s.client.CompareAndSwap(t.Context(), item); err != nil {
			t.Fatalf("CompareAndSwap(%q) = %v, want nil", key, err)
		}
		got := s.get(t, key)
		s.wantItem(t, "Get", got, item)
		if got.CAS == old {
			t.Errorf("the version is %d before and after", old)
		}
	}},
	{"CompareAndSwap refuses what somebody changed", func(t *testing.T, s *suite) {
		s.needCAS(t)
		key := s.set(t, "a")
		item := s.get(t, key)
		s.store(t, &memcached.Item{Key: key, Value: []byte("b")})
		wantSentinel(t, "CompareAndSwap", s.client.CompareAndSwap(t.Context(), item), memcached.ErrCASConflict)
		s.wantValue(t, key, "b")
	}},
	{"CompareAndSwap of a missing key is ErrCacheMiss", func(t *testing.T, s *suite) {
		s.needCAS(t)
		item := &memcached.Item{Key: s.key(), Value: []byte("a"), CAS: 1}
		wantSentinel(t, "CompareAndSwap", s.client.CompareAndSwap(t.Context(), item), memcached.ErrCacheMiss)
		s.wantMiss(t, item.Key)
	}},
	{"CompareAndSwap works on what GetMulti and GetAndTouch read", func(t *testing.T, s *suite) {
		s.needCAS(t)
		key := s.set(t, "a")
		items, err := s.client.GetMulti(t.Context(), []string{key})
		if err != nil || items[key] == nil {
			t.Fatalf("GetMulti(%q) = %v, %v, want the item", key, items, err)
		}
		if err := s.client.CompareAndSwap(t.Context(), items[key]); err != nil {
			t.Errorf("CompareAndSwap of what GetMulti read = %v, want nil", err)
		}
		item, err := s.client.GetAndTouch(t.Context(), key, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.client.CompareAndSwap(t.Context(), item); err != nil {
			t.Errorf("CompareAndSwap of what GetAndTouch read = %v, want nil", err)
		}
	}},
	{"CompareAndDelete deletes what nobody changed", func(t *testing.T, s *suite) {
		s.needCAS(t)
		key := s.set(t, "a")
		cas := s.get(t, key).CAS
		s.store(t, &memcached.Item{Key: key, Value: []byte("b")})
		wantSentinel(t, "CompareAndDelete of an old version", s.client.CompareAndDelete(t.Context(), key, cas), memcached.ErrCASConflict)
		s.wantValue(t, key, "b")
		if err := s.client.CompareAndDelete(t.Context(), key, s.get(t, key).CAS); err != nil {
			t.Errorf("CompareAndDelete(%q) = %v, want nil", key, err)
		}
		s.wantMiss(t, key)
		wantSentinel(t, "CompareAndDelete of a missing key", s.client.CompareAndDelete(t.Context(), key, cas), memcached.ErrCacheMiss)
	}},
	{"without a version both are refused", func(t *testing.T, s *suite) {
		key := s.set(t, "a")
		wantRefused(t, "CompareAndSwap", s.client.CompareAndSwap(t.Context(), &memcached.Item{Key: key, Value: []byte("b")}))
		wantRefused(t, "CompareAndDelete", s.client.CompareAndDelete(t.Context(), key, 0))
		s.wantValue(t, key, "a")
	}},
	{"where servers keep no versions, or each its own, both are refused", func(t *testing.T, s *suite) {
		if !s.versionless() {
			return // the claim is about others
		}
		key := s.set(t, "a")
		item := s.get(t, key)
		item.Value = []byte("b")
		wantRefused(t, "CompareAndSwap", s.client.CompareAndSwap(t.Context(), item))
		wantRefused(t, "CompareAndDelete", s.client.CompareAndDelete(t.Context(), key, item.CAS))
		s.wantValue(t, key, "a")
	}},
}

// versionless reports whether servers keep no versions, or each its own.
func (s *suite) versionless() bool { return s.DisableCAS || s.replicated }

// needCAS skips tests of versions where there are none; another test then
// checks that they are refused.
func (s *suite) needCAS(t *testing.T) {
	t.Helper()
	if s.versionless() {
		t.Skip("these servers have no versions to compare")
	}
}

// wantRefused checks an error that is a fault and no answer.
func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	var fault *memcached.OpError
	if !errors.As(err, &fault) || errors.Is(err, memcached.ErrCASConflict) || errors.Is(err, memcached.ErrUnavailable) {
		t.Errorf("%s = %v, want an OpError that refuses it", what, err)
	}
}

var appendTests = []clientTest{
	{"Append and Prepend add to the value and keep the flags", func(t *testing.T, s *suite) {
		key := s.key()
		s.store(t, &memcached.Item{Key: key, Value: []byte("b"), Flags: 9})
		if err := s.client.Append(t.Context(), key, []byte("c")); err != nil {
			t.Errorf("Append(%q) = %v, want nil", key, err)
		}
		if err := s.client.Prepend(t.Context(), key, []byte("a")); err != nil {
			t.Errorf("Prepend(%q) = %v, want nil", key, err)
		}
		s.wantItem(t, "Get", s.get(t, key), &memcached.Item{Key: key, Value: []byte("abc"), Flags: 9})
	}},
	{"adding nothing changes nothing", func(t *testing.T, s *suite) {
		key := s.set(t, "v")
		if err := errors.Join(s.client.Append(t.Context(), key, nil), s.client.Prepend(t.Context(), key, []byte{})); err != nil {
			t.Errorf("Append and Prepend of nothing = %v, want nil", err)
		}
		s.wantValue(t, key, "v")
	}},
	{"on a missing key both are ErrNotStored", func(t *testing.T, s *suite) {
		key := s.key()
		wantSentinel(t, "Append", s.client.Append(t.Context(), key, []byte("v")), memcached.ErrNotStored)
		wantSentinel(t, "Prepend", s.client.Prepend(t.Context(), key, []byte("v")), memcached.ErrNotStored)
		s.wantMiss(t, key)
	}},
}

var deleteTests = []clientTest{
	{"Delete removes the item", func(t *testing.T, s *suite) {
		key := s.set(t, "v")
		if err := s.client.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete(%q) = %v, want nil", key, err)
		}
		s.wantMiss(t, key)
	}},
	{"Delete of a missing key is ErrCacheMiss", func(t *testing.T, s *suite) {
		wantSentinel(t, "Delete", s.client.Delete(t.Context(), s.key()), memcached.ErrCacheMiss)
	}},
	{"a deleted key can be added", func(t *testing.T, s *suite) {
		key := s.set(t, "a")
		if err := s.client.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if err := s.client.Add(t.Context(), &memcached.Item{Key: key, Value: []byte("b")}); err != nil {
			t.Errorf("Add(%q) = %v, want nil", key, err)
		}
	}},
}
