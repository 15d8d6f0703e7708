package clienttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

const (
	callers = 32
	rounds  = 50 // operations of each
)

var concurrencyTests = []clientTest{
	{"callers get their own values", func(t *testing.T, s *suite) {
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				key := s.key()
				for n := range rounds {
					want := fmt.Sprintf("%d of %s %s", n, key, strings.Repeat("x", i*n*13%5000))
					if err := s.client.Set(t.Context(), &memcached.Item{Key: key, Value: []byte(want)}); err != nil {
						t.Errorf("Set(%q) = %v, want nil", key, err)
						return
					}
					item, err := s.client.Get(t.Context(), key)
					if err != nil || string(item.Value) != want {
						t.Errorf("Get(%q) = %v, %v, want %s", key, item, err, show([]byte(want)))
						return
					}
				}
			})
		}
		wg.Wait()
	}},
	{"of many Adds one wins", func(t *testing.T, s *suite) {
		if s.replicated {
			t.Skip("each server has a winner of its own")
		}
		for range 20 {
			key := s.key()
			var winners atomic.Int32
			s.together(t, func(i int) {
				err := s.client.Add(t.Context(), &memcached.Item{Key: key, Value: []byte(strconv.Itoa(i))})
				switch err {
				case nil:
					winners.Add(1)
				case memcached.ErrNotStored:
				default:
					t.Errorf("Add(%q) = %v, want nil or %v", key, err, memcached.ErrNotStored)
				}
			})
			if n := winners.Load(); n != 1 {
				t.Errorf("%d of %d Adds succeeded, want one", n, callers)
			}
		}
	}},
	{"no increment is lost", func(t *testing.T, s *suite) {
		key := s.key()
		s.together(t, func(int) {
			for range rounds {
				if _, err := s.client.IncrementOrSet(t.Context(), key, 1, 1, 0); err != nil {
					t.Errorf("IncrementOrSet(%q) = %v, want nil", key, err)
				}
			}
		})
		s.wantCount(t, "Increment", s.client.Increment, key, 0, callers*rounds)
	}},
	{"no swap is lost", func(t *testing.T, s *suite) {
		s.needCAS(t)
		key := s.set(t, "0")
		s.together(t, func(int) {
			for n := 0; n < 5; {
				item, err := s.client.Get(t.Context(), key)
				if err != nil {
					t.Errorf("Get(%q) = %v, want a hit", key, err)
					return
				}
				count, _ := strconv.Atoi(string(item.Value))
				item.Value = strconv.AppendInt(nil, int64(count+1), 10)
				switch err := s.client.CompareAndSwap(t.Context(), item); err {
				case nil:
					n++
				case memcached.ErrCASConflict:
				default:
					t.Errorf("CompareAndSwap(%q) = %v, want nil or %v", key, err, memcached.ErrCASConflict)
					return
				}
			}
		})
		s.wantValue(t, key, strconv.Itoa(5*callers))
	}},
	{"cancelling one operation spoils no other", func(t *testing.T, s *suite) {
		client := s.newClient(t)
		keys := make([]string, callers)
		for i := range keys {
			keys[i] = s.key()
			s.store(t, &memcached.Item{Key: keys[i], Value: []byte(keys[i] + strings.Repeat("x", i*i*10))})
		}
		s.together(t, func(i int) {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for range 2 * rounds {
				s.getCancelled(t, client, random, keys)
			}
		})
		// Everything still works, and nothing of the past turns up.
		got, err := client.GetMulti(t.Context(), keys)
		if err != nil || len(got) != len(keys) {
			t.Fatalf("GetMulti of %d keys = %d items, %v", len(keys), len(got), err)
		}
		for _, key := range keys {
			checkOwn(t, got[key], key)
		}
	}},
}

// together runs f in many goroutines at once.
func (s *suite) together(t *testing.T, f func(i int)) {
	t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range callers {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// getCancelled reads a random key, which half of the time is cancelled on the
// way.
func (s *suite) getCancelled(t *testing.T, client *memcached.Client, random *rand.Rand, keys []string) {
	key := keys[random.IntN(len(keys))]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if random.IntN(2) == 0 {
		timer := time.AfterFunc(time.Duration(random.IntN(300))*time.Microsecond, cancel)
		defer timer.Stop()
	}
	item, err := client.Get(ctx, key)
	switch {
	case err == nil:
		checkOwn(t, item, key)
	case !errors.Is(err, context.Canceled):
		t.Errorf("Get(%q) = %v, want a hit or %v", key, err, context.Canceled)
	}
}

// checkOwn checks that a value is that of its key, with which it begins.
func checkOwn(t *testing.T, item *memcached.Item, key string) {
	t.Helper()
	if item == nil || item.Key != key || strings.TrimRight(string(item.Value), "x") != key {
		t.Errorf("reading %q gave %v", key, item)
	}
}
