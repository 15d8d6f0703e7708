package clienttest

import (
	"errors"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// The server's clock knows whole seconds and ticks when it likes: a TTL of two
// seconds is one to two of them. soon is the shortest TTL after which an item
// can still be seen.
const soon = 2 * time.Second

var timeTests = []clientTest{
	{"items live as long as they should", func(t *testing.T, s *suite) {
		// All of them wait together.
		var waiting []lifetime
		for _, l := range lifetimes {
			waiting = append(waiting, l.begin(t, s))
		}
		for _, l := range waiting {
			if l.ends {
				s.eventually(t, l.name+": the item is gone", func() bool { return s.gone(t, l.key) })
			}
		}
		for _, l := range waiting {
			if !l.ends && s.gone(t, l.key) {
				t.Errorf("%s: the item is gone", l.name)
			}
		}
	}},
	{"a negative TTL is over at once", func(t *testing.T, s *suite) {
		for name, write := range map[string]func(key string) error{
			"Set": func(key string) error {
				return s.client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte("1"), TTL: -1})
			},
			"SetMulti": func(key string) error {
				return s.client.SetMulti(t.Context(), []*memcached.Item{{Key: key, Value: []byte("1"), TTL: -time.Hour}})
			},
			"Touch": func(key string) error { return s.client.Touch(t.Context(), key, -time.Second) },
			"GetAndTouch": func(key string) error {
				item, err := s.client.GetAndTouch(t.Context(), key, -1)
				if err == nil && string(item.Value) != "1" {
					t.Errorf("GetAndTouch(%q) = %v, want the value", key, item)
				}
				return err
			},
		} {
			key := s.set(t, "1")
			if err := write(key); err != nil {
				t.Errorf("%s with a negative TTL = %v, want nil", name, err)
			}
			s.wantMiss(t, key)
		}
		key := s.key()
		if _, err := s.client.IncrementOrSet(t.Context(), key, 1, 1, -1); err != nil {
			t.Errorf("IncrementOrSet with a negative TTL = %v, want nil", err)
		}
		s.wantMiss(t, key)
	}},
	{"Touch of a missing key is ErrCacheMiss", func(t *testing.T, s *suite) {
		wantSentinel(t, "Touch", s.client.Touch(t.Context(), s.key(), time.Hour), memcached.ErrCacheMiss)
	}},
	{"Touch changes nothing but the time", func(t *testing.T, s *suite) {
		want := &memcached.Item{Key: s.key(), Value: []byte("v"), Flags: 5}
		s.store(t, want)
		if err := s.client.Touch(t.Context(), want.Key, time.Hour); err != nil {
			t.Errorf("Touch(%q) = %v, want nil", want.Key, err)
		}
		s.wantItem(t, "Get", s.get(t, want.Key), want)
	}},
}

// lifetime is an item and whether it ends while the test waits.
type lifetime struct {
	name string
	ttl  time.Duration // with which the item is stored
	then func(t *testing.T, s *suite, key string) error
	ends bool
	key  string
}

// begin stores the item and does to it what is to be done.
func (l lifetime) begin(t *testing.T, s *suite) lifetime {
	t.Helper()
	l.key = s.key()
	s.store(t, &memcached.Item{Key: l.key, Value: []byte("1"), TTL: l.ttl})
	if l.then != nil {
		if err := l.then(t, s, l.key); err != nil {
			t.Errorf("%s: %v", l.name, err)
		}
	}
	if l.ttl >= soon && l.ttl < time.Hour && l.then == nil && s.gone(t, l.key) {
		t.Errorf("%s: the item is gone at once", l.name)
	}
	return l
}

var lifetimes = []lifetime{
	{name: "no TTL"},
	{name: "two seconds", ttl: soon, ends: true},
	{name: "a fraction of a second", ttl: 10 * time.Millisecond, ends: true},
	{name: "a second and a nanosecond rounds up", ttl: time.Second + 1, ends: true},
	{name: "an hour", ttl: time.Hour},
	{name: "30 days", ttl: 30 * 24 * time.Hour},
	{name: "30 days and a second", ttl: 30*24*time.Hour + time.Second},
	{name: "ten years", ttl: 10 * 365 * 24 * time.Hour},
	{name: "the longest TTL", ttl: 1<<63 - 1},
	{name: "Set replaces the TTL", ttl: soon, then: func(t *testing.T, s *suite, key string) error {
		return s.client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte("1")})
	}},
	{name: "Touch shortens", ttl: time.Hour, ends: true, then: func(t *testing.T, s *suite, key string) error {
		return s.client.Touch(t.Context(), key, time.Second)
	}},
	{name: "Touch prolongs", ttl: soon, then: func(t *testing.T, s *suite, key string) error {
		return s.client.Touch(t.Context(), key, time.Hour)
	}},
	{name: "Touch with no TTL keeps for ever", ttl: soon, then: func(t *testing.T, s *suite, key string) error {
		return s.client.Touch(t.Context(), key, 0)
	}},
	{name: "Touch takes more than 30 days", ttl: soon, then: func(t *testing.T, s *suite, key string) error {
		return s.client.Touch(t.Context(), key, 31*24*time.Hour)
	}},
	{name: "GetAndTouch shortens", ttl: time.Hour, ends: true, then: func(t *testing.T, s *suite, key string) error {
		_, err := s.client.GetAndTouch(t.Context(), key, time.Second)
		return err
	}},
	{name: "GetAndTouch prolongs", ttl: soon, then: func(t *testing.T, s *suite, key string) error {
		_, err := s.client.GetAndTouch(t.Context(), key, time.Hour)
		return err
	}},
	{name: "Get does not prolong", ttl: soon, ends: true, then: func(t *testing.T, s *suite, key string) error {
		_, err := s.client.Get(t.Context(), key)
		return err
	}},
	{name: "Increment keeps the TTL", ttl: soon, ends: true, then: func(t *testing.T, s *suite, key string) error {
		_, err := s.client.Increment(t.Context(), key, 1)
		return err
	}},
	{name: "IncrementOrSet keeps the TTL of what is there", ttl: soon, ends: true, then: func(t *testing.T, s *suite, key string) error {
		_, err := s.client.IncrementOrSet(t.Context(), key, 1, 1, time.Hour)
		return err
	}},
	{name: "a number that grows longer keeps its TTL", ttl: soon, ends: true, then: func(t *testing.T, s *suite, key string) error {
		_, err := s.client.Increment(t.Context(), key, 1000)
		return err
	}},
	{name: "Append keeps the TTL", ttl: soon, ends: true, then: func(t *testing.T, s *suite, key string) error {
		return s.client.Append(t.Context(), key, []byte("2"))
	}},
	{name: "what IncrementOrSet creates ends", ttl: -1, ends: true, then: func(t *testing.T, s *suite, key string) error {
		_, err := s.client.IncrementOrSet(t.Context(), key, 1, 1, soon)
		return err
	}},
	{name: "what SetMulti stores ends", ttl: time.Hour, ends: true, then: func(t *testing.T, s *suite, key string) error {
		return s.client.SetMulti(t.Context(), []*memcached.Item{{Key: key, Value: []byte("1"), TTL: time.Second}})
	}},
}

var flushTests = []clientTest{
	{"FlushAll removes everything", func(t *testing.T, s *suite) {
		s.needFlush(t)
		keys := make([]string, 20)
		for i := range keys {
			keys[i] = s.set(t, "v")
		}
		if err := s.client.FlushAll(t.Context(), 0); err != nil {
			t.Fatalf("FlushAll = %v, want nil", err)
		}
		s.wantItems(t, keys, nil)
		s.settle(t)
	}},
	{"FlushAll removes everything after a while", func(t *testing.T, s *suite) {
		s.needFlush(t)
		key := s.set(t, "v")
		if err := s.client.FlushAll(t.Context(), 3*time.Second); err != nil {
			t.Fatalf("FlushAll = %v, want nil", err)
		}
		if s.gone(t, key) {
			t.Error("FlushAll after 3 s removed the item at once")
		}
		s.eventually(t, "FlushAll after 3 s: the item is gone", func() bool { return s.gone(t, key) })
		s.settle(t)
	}},
	{"a server that refuses to flush says so", func(t *testing.T, s *suite) {
		if !s.DisableFlush {
			return // the claim is about others
		}
		key := s.set(t, "v")
		for range 3 {
			err := s.client.FlushAll(t.Context(), 0)
			var status *memcached.StatusError
			if !errors.As(err, &status) || status.Status != memcached.StatusAuthError {
				t.Errorf("FlushAll = %v, want a StatusError with StatusAuthError", err)
			}
		}
		s.wantValue(t, key, "v")
	}},
}

func (s *suite) needFlush(t *testing.T) {
	t.Helper()
	if s.DisableFlush {
		t.Skip("these servers refuse to flush, which another test checks")
	}
}

// settle waits until new items stay again: a flush also takes what is stored
// later within the same second.
func (s *suite) settle(t *testing.T) {
	t.Helper()
	s.eventually(t, "items stay after a flush", func() bool {
		items := make([]*memcached.Item, 50) // some for each server
		for i := range items {
			items[i] = &memcached.Item{Key: s.key(), Value: []byte("v")}
		}
		if err := s.client.SetMulti(t.Context(), items); err != nil {
			t.Fatalf("SetMulti = %v, want nil", err)
		}
		got, err := s.client.GetMulti(t.Context(), keysOf(items))
		return err == nil && len(got) == len(items)
	})
}
