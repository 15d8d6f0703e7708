package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

func tagged(tags ...string) libstore.Option { return libstore.WithTags(tags) }

// counterKey returns the key of the only counter on the server.
func counterKey(t *testing.T, server *memcachedtest.Server) string {
	t.Helper()
	var found []string
	for _, key := range server.Keys() {
		if strings.Contains(key, "~sha256~") {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		t.Fatalf("the server holds %q, want one counter among them", server.Keys())
	}
	return found[0]
}

func TestInvalidate_HitsAllItemsOfTheTags(t *testing.T) {
	_, client := start(t, nil)
	for _, s := range []libstore.StoreInterface{
		store.New(client),
		newStore(t, client, &store.Options{Prefix: "p:"}),
		newTyped[string](t, client, &store.Options{Prefix: "typed:"}),
	} {
		mustSet(t, s, "none", "v")
		mustSet(t, s, "a", "v", tagged("a"))
		mustSet(t, s, "b", "v", tagged("b"))
		mustSet(t, s, "ab", "v", tagged("a", "b", "a"))
		mustSet(t, s, "c", "v", tagged("c"))
		mustSet(t, s, "d", "v", tagged("d"))
		for _, key := range []string{"none", "a", "b", "ab", "c", "d"} {
			wantHit(t, s, key, "v")
		}
		invalidate(t, s, "a", "d", "unknown")
		wantMiss(t, s, "a")
		wantMiss(t, s, "ab")
		wantMiss(t, s, "d")
		for _, key := range []string{"none", "b", "c"} {
			wantHit(t, s, key, "v")
		}
		mustSet(t, s, "a", "new", tagged("a"))
		wantHit(t, s, "a", "new")
		mustSet(t, s, "b", "untagged")
		invalidate(t, s, "b")
		wantHit(t, s, "b", "untagged")
	}
}

func TestTags_AnyStringIsOne(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	names := []string{"", " ", "a b", "\x00", "tag", "\x00tag\x00tag", "h\u00e9", strings.Repeat("t", 1000), strings.Repeat("t", 1001)}
	for _, invalid := range names {
		for _, name := range names {
			mustSet(t, s, "k"+name, "v", tagged(name))
		}
		invalidate(t, s, invalid)
		for _, name := range names {
			if name == invalid {
				wantMiss(t, s, "k"+name)
			} else {
				wantHit(t, s, "k"+name, "v")
			}
		}
	}
}

func TestTags_UsersKeysNeverReachTheCounters(t *testing.T) {
	for _, prefix := range []string{"", "p:"} {
		server, client := start(t, nil)
		s := newStore(t, client, &store.Options{Prefix: prefix})
		mustSet(t, s, "k", "v", tagged("t"))
		for _, key := range server.Keys() {
			for _, guess := range []string{key, strings.TrimPrefix(key, prefix), "\x00tag\x00t", "\x00generation\x00"} {
				if guess == "k" {
					continue
				}
				if v, err := s.Get(t.Context(), guess); !isMiss(err) {
					t.Errorf("Get(%q) = %v, %v, want a user's key to reach no counter", guess, v, err)
				}
				mustSet(t, s, guess, "overwritten")
				if err := s.Delete(t.Context(), guess); err != nil {
					t.Fatal(err)
				}
			}
		}
		wantHit(t, s, "k", "v")
	}
}

func TestInvalidate_IsOneIncrementHoweverManyItems(t *testing.T) {
	server, client := start(t, nil)
	s := store.New(client)
	for i := range 500 {
		mustSet(t, s, fmt.Sprint("k", i), i, tagged("t"))
	}
	server.ForgetRequests()
	invalidate(t, s, "t")
	if n, all := server.RequestCount("INCREMENT"), server.RequestCount(); n != 1 || all != 1 {
		t.Errorf("Invalidate sent %d INCREMENT of %d requests, want one of one", n, all)
	}
	for i := range 500 {
		wantMiss(t, s, fmt.Sprint("k", i))
	}
	server.ForgetRequests()
	invalidate(t, s, "t", "u", "t", "u")
	if n := server.RequestCount("INCREMENT"); n != 2 {
		t.Errorf("Invalidate of two tags, each named twice, sent %d INCREMENT, want two", n)
	}
}

// The server may evict a counter at any time.
func TestTags_MissingCounterMeansInvalid(t *testing.T) {
	server, client := start(t, nil)
	s := store.New(client)
	mustSet(t, s, "k", "v", tagged("t"))
	wantHit(t, s, "k", "v")
	if err := client.Delete(t.Context(), counterKey(t, server)); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "k")
	invalidate(t, s, "t") // with nothing to raise
	mustSet(t, s, "new", "v", tagged("t"))
	wantHit(t, s, "new", "v")
	wantMiss(t, s, "k") // the counter is back, with another number
}

func TestTags_CounterComesBackHigher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t, nil)
		s := store.New(client)
		last := uint64(0)
		for range 5 {
			mustSet(t, s, "k", "v", tagged("t"))
			key := counterKey(t, server)
			n, err := client.Increment(t.Context(), key, 0)
			if err != nil || n <= last {
				t.Fatalf("the counter stands at %d, %v, want more than %d", n, err, last)
			}
			if micros := uint64(time.Now().UnixMicro()); n != micros {
				t.Errorf("the counter starts at %d, want the clock's %d", n, micros)
			}
			for range 3 {
				invalidate(t, s, "t")
			}
			last = n + 3
			if err := client.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Microsecond)
		}
	})
}

// What was read before the invalidation and is stored after it, is invalid.
func TestTags_SetUnderWayWhenInvalidated(t *testing.T) {
	for _, prefix := range []string{"", "p:"} {
		server, client := start(t, nil)
		s := newStore(t, client, &store.Options{Prefix: prefix})
		mustSet(t, s, "other", "v", tagged("t")) // makes the counter
		arrived, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if !strings.HasPrefix(r.Op, "SET") {
				return memcachedtest.Action{}
			}
			once.Do(func() { close(arrived) })
			return memcachedtest.Action{Until: goOn}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.Set(t.Context(), "k", "v", tagged("t")); err != nil {
				t.Errorf("Set = %v", err)
			}
		})
		<-arrived
		other := newStore(t, connect(t, nil, server), &store.Options{Prefix: prefix})
		invalidate(t, other, "t")
		close(goOn)
		wg.Wait()
		server.Intercept(nil)
		wantMiss(t, s, "k")
		if len(server.Keys()) < 3 {
			t.Errorf("the server holds %q, want the late item there, and unused", server.Keys())
		}
	}
}

func TestTags_ManyWritersLoseNothing(t *testing.T) {
	_, client := start(t, nil)
	for _, s := range []*store.Store{store.New(client), newStore(t, client, &store.Options{Prefix: "p:"})} {
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				for i := range 50 {
					if err := s.Set(t.Context(), fmt.Sprintf("k%d-%d", w, i), i, tagged("t", fmt.Sprint(w))); err != nil {
						t.Errorf("Set = %v", err)
					}
				}
			})
		}
		wg.Wait()
		for w := range 16 {
			for i := range 50 {
				wantHit(t, s, fmt.Sprintf("k%d-%d", w, i), i)
			}
		}
		invalidate(t, s, "t")
		for w := range 16 {
			for i := range 50 {
				wantMiss(t, s, fmt.Sprintf("k%d-%d", w, i))
			}
		}
	}
}

// An INCREMENT whose connection broke may or may not have happened: the client
// leaves it at that, the store tries again.
func TestInvalidate_SurvivesABrokenConnection(t *testing.T) {
	server, client := start(t, nil)
	s := store.New(client)
	mustSet(t, s, "k", "v", tagged("t"))
	var once sync.Once
	server.Intercept(func(r memcachedtest.Request) (a memcachedtest.Action) {
		if r.Op == "INCREMENT" {
			once.Do(func() { a = memcachedtest.Action{Mute: true, Close: true} })
		}
		return a
	})
	invalidate(t, s, "t")
	wantMiss(t, s, "k")
	if n := server.RequestCount("INCREMENT"); n != 2 {
		t.Errorf("%d INCREMENT were sent, want 2", n)
	}
}

// The value is there, but whether it is valid is unknown.
func TestTags_CounterOutOfReachIsAnError(t *testing.T) {
	a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
	client := connect(t, nil, a, b)
	s := store.New(client)
	// A key on a and a tag whose counter is on b.
	key, tag := "", ""
	for i := range 1000 {
		mustSet(t, s, fmt.Sprint("key", i), "v")
		if _, ok := a.Item(fmt.Sprint("key", i)); ok {
			key = fmt.Sprint("key", i)
			break
		}
	}
	for i := range 1000 {
		before := len(b.Keys())
		mustSet(t, s, key, "v", tagged(fmt.Sprint(i)))
		if len(b.Keys()) > before {
			tag = fmt.Sprint(i)
			break
		}
	}
	if key == "" || tag == "" {
		t.Fatal("found no key and tag on different servers")
	}
	b.Close()
	v, err := s.Get(t.Context(), key)
	if !errors.Is(err, memcached.ErrUnavailable) || isMiss(err) {
		t.Errorf("Get = %v, %v, want ErrUnavailable", v, err)
	}
	values, err := s.GetMulti(t.Context(), []string{key})
	var failed *memcached.MultiError
	if !errors.As(err, &failed) || !errors.Is(failed.Errors[key], memcached.ErrUnavailable) || len(values) != 0 {
		t.Errorf("GetMulti = %v, %v, want ErrUnavailable for the key", values, err)
	}
	if err := s.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{tag})); !errors.Is(err, memcached.ErrUnavailable) {
		t.Errorf("Invalidate = %v, want ErrUnavailable", err)
	}
}

// The limit that the documentation names: Set cannot know when a value was read.
func TestTags_SetAfterAnInvalidationIsValid(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	read := "old"
	mustSet(t, s, "k", read, libstore.WithTags([]string{"t"}))
	invalidate(t, s, "t")
	mustSet(t, s, "k", read, libstore.WithTags([]string{"t"}))
	wantHit(t, s, "k", "old")
}

// The counters live as long as the load takes and the value lives after it.
func TestTags_CountersOutliveASlowLoad(t *testing.T) {
	inFleet(t, store.Options{RefreshAhead: -1}, func(t *testing.T, f *fleet) {
		f.takes.Store(int64(5 * time.Second))
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				got, err := f.stores[i%2].GetOrLoad(t.Context(), "k", time.Second, f.load, tagged("t"), libstore.WithTagsTTL(time.Second))
				if got != "v1" || err != nil {
					t.Errorf("GetOrLoad = %q, %v, want v1", got, err)
				}
			})
		}
		wg.Wait()
		f.wantQueries(1)
	})
}

func TestTags_TooManyAreRefused(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	tags := make([]string, 1001)
	for i := range tags {
		tags[i] = strconv.Itoa(i)
	}
	if err := s.Set(t.Context(), "k", "v", libstore.WithTags(tags)); err == nil || isMiss(err) {
		t.Errorf("Set with %d tags = %v, want an error", len(tags), err)
	}
	mustSet(t, s, "k", "v", libstore.WithTags(tags[1:]))
	wantHit(t, s, "k", "v")
}

// What cannot be an item of ours does not keep a key from being cached.
func TestGetOrLoad_ReplacesAnEnvelopeWithAMalformedTag(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.want(0, "v1", tagged("t"))
		for _, key := range f.server.Keys() {
			// The lock may go meanwhile.
			if item, found := f.server.Item(key); found && bytes.Contains(item.Value, []byte("v1")) {
				item.Value[9] = ' ' // in the key of the tag's counter
				f.server.SetItem(item)
			}
		}
		f.value.Store("v2")
		f.want(0, "v2", tagged("t"))
		f.want(1, "v2", tagged("t"))
		f.wantQueries(2)
	})
}
