package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/store"
)

// gocache's memcache store loses about half of these 800: see
// TestComparison.
func TestTags_SixteenWritersLoseNothing(t *testing.T) {
	server, client := open(t)
	for name, prefix := range map[string]string{"plain": "", "prefix": "p:"} {
		t.Run(name, func(t *testing.T) {
			one, two := prefixed(t, client, prefix), prefixed(t, connect(t, server), prefix)
			workers(16, func(w int) {
				s := []*store.Store{one, two}[w%2]
				for i := range 50 {
					if err := s.Set(t.Context(), fmt.Sprintf("k%d-%d", w, i), i, libstore.WithTags([]string{"t"})); err != nil {
						t.Errorf("Set = %v", err)
					}
				}
			})
			count := func() (n int) {
				for w := range 16 {
					for i := range 50 {
						_, err := two.Get(t.Context(), fmt.Sprintf("k%d-%d", w, i))
						if err == nil {
							n++
						} else if !errors.Is(err, libstore.NotFound{}) {
							t.Fatal(err)
						}
					}
				}
				return n
			}
			if n := count(); n != 800 {
				t.Errorf("%d of 800 items are there", n)
			}
			invalidate(t, one, "t")
			if n := count(); n != 0 {
				t.Errorf("%d of 800 items survived the invalidation", n)
			}
		})
	}
}

func TestTags_HundredThousandItems(t *testing.T) {
	_, client := open(t, "-m", "256")
	s := store.New(client)
	const all = 100_000
	store := func(keys []string, tags ...string) error {
		values := make(map[string]any, len(keys))
		for _, key := range keys {
			values[key] = key
		}
		return s.SetMulti(t.Context(), values, libstore.WithTags(tags), libstore.WithExpiration(time.Hour))
	}
	// Half of them have another tag.
	err := chunks(t.Context(), all/2, "a", func(_ context.Context, keys []string) error { return store(keys, "t", "half") })
	err = errors.Join(err, chunks(t.Context(), all/2, "b", func(_ context.Context, keys []string) error { return store(keys, "t") }))
	if err != nil {
		t.Fatal(err)
	}
	count := func(prefix string) int {
		var n atomic.Int64
		err := chunks(t.Context(), all/2, prefix, func(ctx context.Context, keys []string) error {
			got, err := s.GetMulti(ctx, keys)
			for key, value := range got {
				if key != value {
					return fmt.Errorf("the value of %q is %q", key, value)
				}
			}
			n.Add(int64(len(got)))
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return int(n.Load())
	}
	if a, b := count("a"), count("b"); a != all/2 || b != all/2 {
		t.Errorf("%d and %d items are there, want %d each", a, b, all/2)
	}
	began := time.Now()
	invalidate(t, s, "half")
	t.Logf("invalidating 50,000 items took %v", time.Since(began))
	if a, b := count("a"), count("b"); a != 0 || b != all/2 {
		t.Errorf("%d and %d items are there, want none and %d", a, b, all/2)
	}
	if err := chunks(t.Context(), all/2, "a", func(_ context.Context, keys []string) error { return store(keys, "t", "half") }); err != nil {
		t.Fatal(err)
	}
	invalidate(t, s, "t")
	if a, b := count("a"), count("b"); a != 0 || b != 0 {
		t.Errorf("%d and %d of 100,000 items survived the invalidation", a, b)
	}
}

// history is what a writer did to its key: values count up from 1.
type history struct {
	mu    sync.Mutex
	tried int // value of the last Set that has returned, whatever its outcome
}

// A Set that has returned before an invalidation begins, even one that was
// cancelled and is still on its way, leaves nothing that is served afterwards.
func TestTags_NothingSurvivesAnInvalidation(t *testing.T) {
	for name, c := range map[string]struct {
		prefix  string
		cancels bool
	}{
		"steady": {}, "cancelled": {cancels: true}, "cancelled with prefix": {prefix: "p:", cancels: true},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := open(t)
			invalidationsUnderLoad(t, prefixed(t, client, c.prefix), prefixed(t, connect(t, server), c.prefix), c.cancels)
		})
	}
}

func invalidationsUnderLoad(t *testing.T, writer, invalidator *store.Store, cancels bool) {
	const writers, keysEach, rounds = 16, 10, 20
	ctx, stop := context.WithCancel(t.Context())
	var histories [writers * keysEach]history
	key := func(i int) string { return fmt.Sprint("k", i) }
	var hits, writes, given atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for w := range writers {
		wg.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				for i := w * keysEach; i < (w+1)*keysEach; i++ {
					call, cancel := randomly(ctx, cancels)
					err := writer.Set(call, key(i), fmt.Sprintf("%d:%d", i, n), libstore.WithTags([]string{"t", fmt.Sprint("w", w)}))
					cancel()
					if err != nil && !ended(err) {
						t.Errorf("Set = %v", err)
					}
					if err != nil {
						given.Add(1)
					}
					writes.Add(1)
					histories[i].mu.Lock()
					histories[i].tried = n
					histories[i].mu.Unlock()
				}
			}
		})
	}
	check := func(floor []int) {
		for i := range histories {
			got, err := invalidator.Get(t.Context(), key(i))
			if errors.Is(err, libstore.NotFound{}) {
				continue
			}
			var owner, n int
			if _, scanErr := fmt.Sscanf(fmt.Sprint(got), "%d:%d", &owner, &n); err != nil || scanErr != nil || owner != i {
				t.Fatalf("Get(%q) = %v, %v, want a value of this key", key(i), got, err)
			}
			if n <= floor[i] {
				t.Fatalf("Get(%q) = value %d, which was stored before the invalidation (the last was %d)", key(i), n, floor[i])
			}
			hits.Add(1)
		}
	}
	floor := make([]int, len(histories))
	for round := range rounds {
		if cancels { // an invalidation that may be cut short hides nothing
			call, cancel := randomly(ctx, true)
			invalidator.Invalidate(call, libstore.WithInvalidateTags([]string{"t", "w0", "w1", "w2"}))
			cancel()
		}
		for i := range histories {
			histories[i].mu.Lock()
			floor[i] = histories[i].tried
			histories[i].mu.Unlock()
		}
		invalidate(t, invalidator, "t")
		check(floor)
		if round == rounds-1 {
			stop()
			wg.Wait()
		}
	}
	for i := range histories {
		floor[i] = histories[i].tried
	}
	invalidate(t, invalidator, "t")
	before := hits.Load()
	check(floor)
	if after := hits.Load(); after != before {
		t.Errorf("%d items survived the last invalidation", after-before)
	}
	if before == 0 || writes.Load() < rounds || cancels && given.Load() == 0 {
		t.Errorf("%d hits, %d writes, %d of them given up: nothing was tested", before, writes.Load(), given.Load())
	}
	t.Logf("%d writes, %d of them given up, %d hits", writes.Load(), given.Load(), before)
}

// A server that is short of memory evicts counters like anything else.
func TestTags_EvictedCountersMeanInvalid(t *testing.T) {
	_, client := open(t, "-m", "2")
	s := store.New(client)
	large := strings.Repeat("v", 10_000) // in another class of sizes than the counters
	mustSet(t, s, "k", large, libstore.WithTags([]string{"t"}))
	wantHit(t, s, "k", large)
	// Store other tags until the counter of this one is gone. It must not be read
	// before: what is read is not evicted.
	const enough = 100_000
	for from := 0; from < enough; from += 1000 {
		var tags []string
		for n := range 1000 {
			tags = append(tags, fmt.Sprint("other ", from+n))
		}
		mustSet(t, s, "other", "v", libstore.WithTags(tags))
	}
	wantMiss(t, s, "k")
	if _, err := client.Get(t.Context(), "k"); err != nil {
		t.Fatalf("the server evicted the item before its counter: %v", err)
	}
	invalidate(t, s, "t")
	mustSet(t, s, "new", "v", libstore.WithTags([]string{"t"}))
	wantMiss(t, s, "k")
	wantHit(t, s, "new", "v")
}
