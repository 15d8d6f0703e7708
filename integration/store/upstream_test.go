package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/marshaler"
	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/store"
)

// What gocache tests its own stores with, on this store. Nearly all of it asks a
// mock which calls a client got, in lib, which tests its caches with mocks of
// stores, too, and in the stores for bigcache, freecache, hazelcast, memcache,
// Redis, ristretto, rueidis and valkey. What does not are two tests of go_cache
// (v4.2.4), which begin goroutines and do not wait for them, and those of pegasus
// (v4.2.3), which are skipped there, for want of a server. Here they run, and wait.

// TestGoCacheSetTagsConcurrency and TestGoCacheInvalidateConcurrency of go_cache.
func TestUpstream_GoCacheConcurrency(t *testing.T) {
	_, client := open(t)
	s := newTyped[[]string](t, client, nil)
	value := []string{"one", "two"}
	workers(200, func(i int) {
		if err := s.Set(t.Context(), fmt.Sprint(i), value, libstore.WithTags([]string{"tag1", "tag2", "tag3"})); err != nil {
			t.Errorf("Set = %v", err)
		}
	})
	for i := range 200 { // which go_cache's test leaves out
		wantHit(t, s, fmt.Sprint(i), value)
	}
	var tags []string
	for i := range 200 {
		tags = append(tags, fmt.Sprint("tag", i))
	}
	workers(400, func(i int) {
		var err error
		if i%2 == 0 {
			err = s.Set(t.Context(), fmt.Sprint(i/2), value, libstore.WithTags(tags))
		} else {
			err = s.Invalidate(t.Context(), libstore.WithInvalidateTags(tags[i/2:i/2+1]))
		}
		if err != nil {
			t.Errorf("Set or Invalidate = %v", err)
		}
	})
	invalidate(t, s, "tag199")
	for i := range 200 {
		wantMiss(t, s, fmt.Sprint(i))
	}
}

// TestPegasusStore_Get, _GetWithTTL, _Set, _Delete, _Invalidate, _Clear and _Close
// of pegasus. A miss is libstore.NotFound here, there a nil error; without a TTL
// the time that is left is 0 here, as gocache's chain needs it, there -1.
func TestUpstream_Pegasus(t *testing.T) {
	_, client := open(t)
	s := store.New(client)
	const value = "test-gocache-value"
	mustSet(t, s, "test-gocache-key", value)
	wantHit(t, s, "test-gocache-key", value)

	mustSet(t, s, "test-gocache-key-01", value, libstore.WithExpiration(10*time.Minute))
	if got, ttl, err := s.GetWithTTL(t.Context(), "test-gocache-key-01"); got != value || ttl > 10*time.Minute || ttl <= 0 || err != nil {
		t.Errorf("GetWithTTL = %v, %v, %v, want the value and up to ten minutes", got, ttl, err)
	}
	mustSet(t, s, "test-gocache-key-02", value)
	if got, ttl, err := s.GetWithTTL(t.Context(), "test-gocache-key-02"); got != value || ttl != 0 || err != nil {
		t.Errorf("GetWithTTL = %v, %v, %v, want the value and 0", got, ttl, err)
	}
	mustSet(t, s, "test-gocache-key-03", value, libstore.WithExpiration(10*time.Millisecond))
	eventually(t, "10 ms", func() bool {
		got, ttl, err := s.GetWithTTL(t.Context(), "test-gocache-key-03")
		return got == nil && ttl == 0 && errors.Is(err, libstore.NotFound{})
	})

	for what, err := range map[string]error{
		"Delete":                  s.Delete(t.Context(), "test-gocache-key"),
		"Invalidate without tags": s.Invalidate(t.Context()),
		"Clear":                   s.Clear(t.Context()),
		"Close":                   s.Close(),
	} {
		if err != nil {
			t.Errorf("%s = %v", what, err)
		}
	}
	wantMiss(t, s, "test-gocache-key")
	wantMiss(t, s, "test-gocache-key-01")
}

// BenchmarkMemcacheSet and BenchmarkMemcacheGet of memcache, and those of the other
// stores, which differ in the client only, each with one round: what they do works.
func TestUpstream_Benchmarks(t *testing.T) {
	_, client := open(t)
	s := newStore(t, client, nil, libstore.WithExpiration(100*time.Second))
	for n := 1; n <= 64; n *= 2 {
		key, value := fmt.Sprint("test-", n), []byte(fmt.Sprint("value-", n))
		for range n {
			mustSet(t, s, key, value, libstore.WithTags([]string{fmt.Sprint("tag-", n)}))
		}
		wantHit(t, s, key, value)
	}
}

// The value of lib's tests, a pointer to a struct without a name, through the layers
// that they test, which keep it as MessagePack.
func TestUpstream_ValueOfLibsTests(t *testing.T) {
	_, client := open(t)
	type testCacheValue struct{ Hello string }
	chain := cache.NewChain[any](cache.New[any](localStore()), cache.New[any](store.New(client)))
	defer chain.Close()
	m := marshaler.New(chain)
	if err := m.Set(t.Context(), "my-key", &testCacheValue{"world"}, libstore.WithExpiration(5*time.Second)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := m.Get(t.Context(), "my-key", new(testCacheValue)); err != nil || *got.(*testCacheValue) != (testCacheValue{"world"}) {
			t.Errorf("Get = %v, %v, want the value", got, err)
		}
	}
}
