package store_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

func TestIncrement_KeepsTypeAndDeadline(t *testing.T) {
	for name, options := range map[string][]libstore.Option{
		"plain":  {libstore.WithExpiration(time.Minute)},
		"tagged": {libstore.WithExpiration(time.Minute), tagged("t")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := start(t, nil)
				for _, s := range []*store.Store{store.New(client), prefixed(t, client, "p:")} {
					mustSet(t, s, "n", int64(8), options...)
					time.Sleep(20 * time.Second)
					if n, err := s.Increment(t.Context(), "n", 34); n != 42 || err != nil {
						t.Errorf("Increment = %d, %v, want 42", n, err)
					}
					wantHit(t, s, "n", int64(42))
					if n, err := s.Decrement(t.Context(), "n", 33); n != 9 || err != nil {
						t.Errorf("Decrement = %d, %v, want 9", n, err)
					}
					wantHit(t, s, "n", int64(9)) // one digit less
					wantTTL(t, s, "n", 40*time.Second, time.Second)
					for _, key := range server.Keys() {
						if item, _ := server.Item(key); strings.HasSuffix(key, "n") && (item.TTL == 0 || item.TTL > 43*time.Second) {
							t.Errorf("the server keeps %q for %v, want 42 s", key, item.TTL)
						}
					}
					if n, err := s.Decrement(t.Context(), "n", 100); n != 0 || err != nil {
						t.Errorf("Decrement = %d, %v, want it to stop at 0", n, err)
					}
					time.Sleep(40 * time.Second)
					if n, err := s.Increment(t.Context(), "n", 1); !isMiss(err) {
						t.Errorf("Increment of an expired number = %d, %v, want NotFound", n, err)
					}
				}
			})
		})
	}
}

// ttlRecorder keeps the TTL of the last compare-and-swap.
type ttlRecorder struct {
	*memcached.Client
	ttl time.Duration
}

func (c *ttlRecorder) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	c.ttl = item.TTL
	return c.Client.CompareAndSwap(ctx, item)
}

// What is left of a TTL can be less than the millisecond that one must be.
func TestIncrement_JustBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := start(t, nil)
		recorder := &ttlRecorder{Client: client}
		s := store.New(recorder)
		mustSet(t, s, "n", 1, libstore.WithExpiration(time.Second), tagged("t"))
		_, left, err := s.GetWithTTL(t.Context(), "n")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(left - time.Microsecond)
		if n, err := s.Increment(t.Context(), "n", 1); n != 2 || err != nil {
			t.Errorf("Increment = %d, %v, want 2", n, err)
		}
		if recorder.ttl < 2*time.Second || recorder.ttl > 2*time.Second+time.Millisecond {
			t.Errorf("the item was stored for %v, want the microsecond and 2 s", recorder.ttl)
		}
		wantHit(t, s, "n", 2)
		time.Sleep(time.Microsecond)
		wantMiss(t, s, "n")
	})
}

func TestIncrement_WrapsAround(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	for _, tags := range [][]string{nil, {"t"}} {
		mustSet(t, s, "n", uint64(math.MaxUint64), libstore.WithTags(tags))
		if n, err := s.Increment(t.Context(), "n", 2); n != 1 || err != nil {
			t.Errorf("Increment = %d, %v, want 1", n, err)
		}
		wantHit(t, s, "n", uint64(1))
	}
}

func TestIncrement_OnlyNumbers(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	for _, tags := range [][]string{nil, {"t"}} {
		for _, value := range []any{"text", -5, 1.5, []byte{}} {
			mustSet(t, s, "n", value, libstore.WithTags(tags))
			if n, err := s.Increment(t.Context(), "n", 1); !errors.Is(err, memcached.ErrNotNumber) {
				t.Errorf("Increment of %T %v, tags %v = %d, %v, want ErrNotNumber", value, value, tags, n, err)
			}
			wantHit(t, s, "n", value)
		}
	}
	if n, err := s.Increment(t.Context(), "absent", 1); !isMiss(err) {
		t.Errorf("Increment of nothing = %d, %v, want NotFound", n, err)
	}
	mustSet(t, s, "n", 1, tagged("t"))
	invalidate(t, s, "t")
	if n, err := s.Increment(t.Context(), "n", 1); !isMiss(err) {
		t.Errorf("Increment of an invalidated number = %d, %v, want NotFound", n, err)
	}
}

func TestIncrement_LosesNothing(t *testing.T) {
	_, client := start(t, nil)
	s := prefixed(t, client, "p:")
	for _, tags := range [][]string{nil, {"t"}} {
		mustSet(t, s, "n", 0, libstore.WithTags(tags))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for done := 0; done < 50; {
					_, err := s.Increment(t.Context(), "n", 1)
					switch {
					case err == nil:
						done++
					case tags == nil || isMiss(err):
						t.Errorf("Increment = %v", err)
						return
					}
				}
			})
		}
		wg.Wait()
		wantHit(t, s, "n", 400)
	}
}
