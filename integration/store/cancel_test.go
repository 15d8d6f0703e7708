package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/store"
)

// randomly returns a context. If cancels is set, it ends soon in one of three
// cases.
func randomly(ctx context.Context, cancels bool) (context.Context, context.CancelFunc) {
	if !cancels || rand.IntN(3) > 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(rand.Int64N(int64(2*time.Millisecond))))
}

// ended reports whether err is a context's.
func ended(err error) bool {
	return err == context.Canceled || err == context.DeadlineExceeded
}

// A caller whose context ends must not make others receive its response.
func TestCancel_NoValueOfAnotherKey(t *testing.T) {
	_, client := open(t)
	stores := map[string]*store.Store{"plain": store.New(client), "prefix": prefixed(t, client, "p:")}
	const keys = 200
	value := func(kind string, i int) string {
		return fmt.Sprintf("%s:%d:%s", kind, i, strings.Repeat("x", i*i%5000))
	}
	var done, left atomic.Int64
	workers(64, func(w int) {
		for n := range 200 {
			for kind, s := range stores {
				i := rand.IntN(keys)
				key := fmt.Sprint("k", i)
				ctx, cancel := randomly(t.Context(), true)
				var err error
				var got any
				switch (n + w) % 8 {
				case 0:
					err = s.Set(ctx, key, value(kind, i), libstore.WithExpiration(time.Hour))
				case 1:
					err = s.Set(ctx, key, value(kind, i), libstore.WithTags([]string{"t"}))
				case 2:
					err = s.Invalidate(ctx, libstore.WithInvalidateTags([]string{"t"}))
				case 3:
					var values map[string]any
					values, err = s.GetMulti(ctx, []string{key, "k0", "k1", "k2"})
					got = values[key]
				case 4:
					if i%50 == 0 {
						err = s.Delete(ctx, key)
					}
				default:
					got, err = s.Get(ctx, key)
				}
				done.Add(1)
				if ended(err) {
					left.Add(1)
				} else if err != nil && !errors.Is(err, libstore.NotFound{}) {
					t.Errorf("%s: operation %d = %v", kind, (n+w)%8, err)
				}
				if got != nil && got != value(kind, i) {
					t.Errorf("%s: the value of %q is %.20v, want %.20v", kind, key, got, value(kind, i))
				}
				cancel()
			}
		}
	})
	if left.Load() == 0 {
		t.Errorf("none of %d operations was cancelled", done.Load())
	}
	t.Logf("%d of %d operations were cancelled", left.Load(), done.Load())
	for kind, s := range stores {
		invalidate(t, s, "t")
		for i := range keys {
			got, err := s.Get(t.Context(), fmt.Sprint("k", i))
			if err == nil && got != value(kind, i) {
				t.Errorf("%s: the value of %d is %.20v", kind, i, got)
			}
		}
	}
}
