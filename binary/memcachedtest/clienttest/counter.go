package clienttest

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// counting is Increment or Decrement.
type counting func(ctx context.Context, key string, delta uint64) (uint64, error)

// creating is IncrementOrSet or DecrementOrSet.
type creating func(ctx context.Context, key string, delta, initial uint64, ttl time.Duration) (uint64, error)

var counterTests = []clientTest{
	{"Increment and Decrement calculate", func(t *testing.T, s *suite) {
		const most = math.MaxUint64
		for _, test := range []struct {
			value             string
			delta             uint64
			plus, minus       uint64
			after, afterMinus string // as the server writes it down
		}{
			{"0", 0, 0, 0, "0", "0"},
			{"10", 1, 11, 9, "11", "9 "},
			{"99", 1, 100, 98, "100", "98"},
			{"5", 7, 12, 0, "12", "0"},
			{"5", most, 4, 0, "4", "0"},
			{"9223372036854775807", 1, 1 << 63, 1<<63 - 2, "9223372036854775808", "9223372036854775806"},
			{"0", most, most, 0, "18446744073709551615", "0"},
			// memcached looks for a minus sign in a number from 2^63 on, and that
			// beyond the value, where one may be (util.c, safe_strtoull): so no
			// value begins as large as that.
			{"9223372036854775807", 1<<63 + 1, 0, 0, "0                  ", "0                  "},
			{"007", 1, 8, 6, "8  ", "6  "},
		} {
			up, down := s.set(t, test.value), s.set(t, test.value)
			s.wantCount(t, "Increment", s.client.Increment, up, test.delta, test.plus)
			s.wantValue(t, up, test.after)
			s.wantCount(t, "Decrement", s.client.Decrement, down, test.delta, test.minus)
			s.wantValue(t, down, test.afterMinus)
		}
	}},
	{"a number padded with spaces still counts", func(t *testing.T, s *suite) {
		key := s.set(t, "100")
		s.wantCount(t, "Decrement", s.client.Decrement, key, 99, 1)
		s.wantValue(t, key, "1  ")
		s.wantCount(t, "Increment", s.client.Increment, key, 1, 2)
		s.wantCount(t, "Increment", s.client.Increment, key, 998, 1000)
		s.wantValue(t, key, "1000")
	}},
	{"counting keeps the flags", func(t *testing.T, s *suite) {
		key := s.key()
		s.store(t, &memcached.Item{Key: key, Value: []byte("1"), Flags: 6})
		s.wantCount(t, "Increment", s.client.Increment, key, 1000, 1001)
		s.wantItem(t, "Get", s.get(t, key), &memcached.Item{Key: key, Value: []byte("1001"), Flags: 6})
	}},
	{"on a missing key both are ErrCacheMiss", func(t *testing.T, s *suite) {
		key := s.key()
		_, err := s.client.Increment(t.Context(), key, 1)
		wantSentinel(t, "Increment", err, memcached.ErrCacheMiss)
		_, err = s.client.Decrement(t.Context(), key, 1)
		wantSentinel(t, "Decrement", err, memcached.ErrCacheMiss)
		s.wantMiss(t, key)
	}},
	{"what is no number is ErrNotNumber", func(t *testing.T, s *suite) {
		for _, value := range []string{"", "text", "-1", "1.5", "1x", "18446744073709551616", "\x001", strings.Repeat("9", 1000)} {
			key := s.set(t, value)
			for name, count := range map[string]counting{"Increment": s.client.Increment, "Decrement": s.client.Decrement} {
				_, err := count(t.Context(), key, 1)
				wantFault(t, name+" of "+show([]byte(value)), err, memcached.ErrNotNumber)
			}
			_, err := s.client.IncrementOrSet(t.Context(), key, 1, 1, 0)
			wantFault(t, "IncrementOrSet of "+show([]byte(value)), err, memcached.ErrNotNumber)
			s.wantValue(t, key, value)
		}
	}},
	{"IncrementOrSet and DecrementOrSet create what is missing", func(t *testing.T, s *suite) {
		for name, create := range map[string]creating{"IncrementOrSet": s.client.IncrementOrSet, "DecrementOrSet": s.client.DecrementOrSet} {
			for _, initial := range []uint64{0, 42, math.MaxInt64} {
				key := s.key()
				got, err := create(t.Context(), key, 5, initial, 0)
				if got != initial || err != nil {
					t.Errorf("%s(%q, 5, %d) = %d, %v, want %d", name, key, initial, got, err, initial)
				}
				s.wantCount(t, "Increment", s.client.Increment, key, 0, initial)
				if item := s.get(t, key); item.Flags != 0 {
					t.Errorf("%s made an item with flags %d, want 0", name, item.Flags)
				}
			}
		}
	}},
	{"IncrementOrSet and DecrementOrSet count what is there", func(t *testing.T, s *suite) {
		key := s.set(t, "10")
		if got, err := s.client.IncrementOrSet(t.Context(), key, 5, 1000, 0); got != 15 || err != nil {
			t.Errorf("IncrementOrSet(%q, 5) = %d, %v, want 15", key, got, err)
		}
		if got, err := s.client.DecrementOrSet(t.Context(), key, 20, 1000, 0); got != 0 || err != nil {
			t.Errorf("DecrementOrSet(%q, 20) = %d, %v, want 0", key, got, err)
		}
	}},
}

func (s *suite) wantCount(t *testing.T, name string, count counting, key string, delta, want uint64) {
	t.Helper()
	if got, err := count(t.Context(), key, delta); got != want || err != nil {
		t.Errorf("%s(%q, %d) = %d, %v, want %d", name, key, delta, got, err, want)
	}
}
