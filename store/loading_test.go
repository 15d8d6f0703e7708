package store_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// What happens during a load wins over it: callers that come after it, in any
// process, do not get the old value, and neither does anybody later.
func TestGetOrLoad_WhatHappensDuringTheLoadWins(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(t *testing.T, s *store.Typed[string]) error
		want    string
		queries int64
	}{
		"Invalidate": {func(t *testing.T, s *store.Typed[string]) error {
			return s.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"}))
		}, "v2", 2},
		"Delete": {func(t *testing.T, s *store.Typed[string]) error { return s.Delete(t.Context(), "k") }, "v2", 2},
		"DeleteMulti": {func(t *testing.T, s *store.Typed[string]) error {
			return s.DeleteMulti(t.Context(), []string{"other", "k"})
		}, "v2", 2},
		"Set in the past": {func(t *testing.T, s *store.Typed[string]) error {
			return s.Set(t.Context(), "k", "x", libstore.WithExpiration(-1))
		}, "v2", 2},
		"Clear": {func(t *testing.T, s *store.Typed[string]) error { return s.Clear(t.Context()) }, "v2", 2},
		"Set":   {func(t *testing.T, s *store.Typed[string]) error { return s.Set(t.Context(), "k", "set") }, "set", 1},
		"SetMulti": {func(t *testing.T, s *store.Typed[string]) error {
			return s.SetMulti(t.Context(), map[string]string{"k": "set"})
		}, "set", 1},
	} {
		t.Run(name, func(t *testing.T) {
			inFleet(t, store.Options{KeepStale: time.Minute}, func(t *testing.T, f *fleet) {
				for _, old := range []bool{false, true} { // a value is there that has expired
					f.value.Store("v1")
					f.queries.Store(0)
					if err := f.stores[0].Delete(t.Context(), "k"); err != nil {
						t.Fatal(err)
					}
					if old {
						f.want(0, "v1", tagged("t"))
						time.Sleep(61 * time.Second)
						f.queries.Store(0)
					}
					first := make(chan string, 1)
					go func() { got, _ := f.get(0, tagged("t")); first <- got }()
					time.Sleep(50 * time.Millisecond)
					f.value.Store("v2")
					if err := c.change(t, f.stores[1]); err != nil {
						t.Fatal(err)
					}
					for process := range 2 {
						f.want(process, c.want, tagged("t"))
					}
					if got := <-first; got != "v1" && got != c.want {
						t.Errorf("who called before the change got %q", got)
					}
					time.Sleep(time.Second)
					f.want(0, c.want, tagged("t"))
					f.wantQueries(c.queries)
				}
			})
		})
	}
}

func TestGetOrLoad_ALeaderThatLeavesDelaysNobody(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		began := time.Now()
		go func() {
			time.Sleep(10 * time.Millisecond)
			f.want(0, "v1")
			f.want(1, "v1")
			if took := time.Since(began); took > 200*time.Millisecond {
				t.Errorf("others waited %v for a load of 100 ms", took)
			}
		}()
		_, err := f.stores[0].GetOrLoad(ctx, "k", time.Minute, f.load)
		if took := time.Since(began); err != context.DeadlineExceeded || took != 20*time.Millisecond { //nolint:errorlint // as it is
			t.Errorf("GetOrLoad = %v after %v, want the deadline", err, took)
		}
		time.Sleep(time.Second)
		f.wantQueries(1)
	})
}

// Whom nobody waits for does not load when another process has.
func TestGetOrLoad_WaitingEndsWithTheLastCaller(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		go f.get(0)
		time.Sleep(20 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := f.stores[1].GetOrLoad(ctx, "k", time.Minute, f.load); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("GetOrLoad = %v, want the deadline", err)
		}
		attempts := f.server.RequestCount("ADD")
		time.Sleep(time.Second)
		if n := f.server.RequestCount("ADD"); n > attempts+1 { // one is the value of the other process
			t.Errorf("%d attempts to take the lock after the last caller left", n-attempts-1)
		}
		f.want(1, "v1")
		f.wantQueries(1)
	})
}

func TestGetOrLoad_PanicsInTheCallerOnly(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		panics := func(context.Context) (string, error) {
			time.Sleep(100 * time.Millisecond)
			panic(errDatabase)
		}
		got := make(chan any, 1)
		go func() {
			defer func() { got <- recover() }()
			_, _ = f.stores[0].GetOrLoad(t.Context(), "k", 0, panics)
		}()
		time.Sleep(10 * time.Millisecond)
		if _, err := f.get(0); err == nil || !strings.Contains(err.Error(), "load panicked: the database is down") {
			t.Errorf("another caller got %v, want an error that names the panic", err)
		}
		if err, ok := (<-got).(error); !ok || !errors.Is(err, errDatabase) || !strings.Contains(err.Error(), "loading_test.go") {
			t.Errorf("the caller panicked with %v, want load's panic and its stack", err)
		}
		f.want(1, "v1") // at once
		f.wantEvents(store.LoadEventFailed, 1)
		exits := func(context.Context) (string, error) { runtime.Goexit(); return "", nil }
		if _, err := f.stores[0].GetOrLoad(t.Context(), "other", 0, exits); err == nil {
			t.Error("GetOrLoad of a load that ends its goroutine = nil, want an error")
		}
	})
}

func TestGetOrLoad_ALoadThatHangsEndsInTime(t *testing.T) {
	inFleet(t, store.Options{LoadTimeout: 12 * time.Second, KeepStale: time.Minute}, func(t *testing.T, f *fleet) {
		f.takes.Store(int64(time.Hour))
		began := time.Now()
		waited := make(chan string)
		go func() {
			time.Sleep(time.Second)
			got, _ := f.get(1)
			waited <- got
		}()
		if _, err := f.get(0); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Options.LoadTimeout") {
			t.Errorf("GetOrLoad = %v, want an error that names LoadTimeout", err)
		}
		if took := time.Since(began); took != 12*time.Second {
			t.Errorf("took %v, want LoadTimeout", took)
		}
		f.value.Store("v2")
		f.takes.Store(int64(time.Millisecond))
		f.want(0, "v2")
		if got := <-waited; got != "v2" {
			t.Errorf("who waited in another process got %q, want v2", got)
		}
	})
}

// While the process lives, its lock does not end, however long it takes. When it
// dies, the next load begins within 6 s.
func TestGetOrLoad_ADeadProcessDelaysOthersForAFewSecondsOnly(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.takes.Store(int64(20 * time.Second))
		dies, die := context.WithCancel(context.Background())
		dying := newTyped[string](t, &mortal{f.connect(), dies}, &store.Options{Prefix: f.prefix()})
		go dying.GetOrLoad(t.Context(), "k", time.Minute, f.load)
		time.Sleep(10 * time.Millisecond)
		loaded := make(chan time.Time, 1)
		go func() {
			f.stores[1].GetOrLoad(t.Context(), "k", time.Minute, func(context.Context) (string, error) {
				loaded <- time.Now()
				return "v2", nil
			})
		}()
		time.Sleep(15 * time.Second)
		select {
		case <-loaded:
			t.Fatal("a second load began while the first one ran")
		default:
		}
		died := time.Now()
		die()
		if took := (<-loaded).Sub(died); took > 6*time.Second {
			t.Errorf("the next load began after %v, want 6 s at most", took)
		}
		dying.Close()
	})
}

// mortal is a client whose process dies.
type mortal struct {
	store.Client
	dies context.Context
}

func (m *mortal) Get(ctx context.Context, key string) (*memcached.Item, error) {
	if m.dies.Err() != nil {
		return nil, memcached.ErrClosed
	}
	return m.Client.Get(ctx, key)
}

func (m *mortal) Add(ctx context.Context, item *memcached.Item) error {
	if m.dies.Err() != nil {
		return memcached.ErrClosed
	}
	return m.Client.Add(ctx, item)
}

func TestGetOrLoad_WithoutMemcachedEveryProcessLoads(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.server.Stop()
		if got := f.everybody(100); got["v1"] != 100 {
			t.Errorf("answers = %v, want v1 for all", got)
		}
		f.wantQueries(2)
		if f.faults.Load() == 0 {
			t.Error("OnError got nothing")
		}
		f.value.Store("fails")
		if _, err := f.get(0); !errors.Is(err, errDatabase) {
			t.Errorf("GetOrLoad = %v, want the database's error", err)
		}
	})
}

func TestGetOrLoad_MemcachedStopsDuringTheLoad(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		time.AfterFunc(50*time.Millisecond, f.server.Stop)
		if got := f.everybody(100); got["v1"] != 100 {
			t.Errorf("answers = %v, want v1 for all", got)
		}
		if n := f.queries.Load(); n > 2 {
			t.Errorf("%d queries, want one per process at most", n)
		}
	})
}

func TestGetOrLoad_CloseEndsLoads(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.takes.Store(int64(time.Hour))
		failed := make(chan error, 1)
		go func() { _, err := f.get(0); failed <- err }()
		time.Sleep(time.Second)
		if err := f.stores[0].Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := <-failed; !errors.Is(err, memcached.ErrClosed) {
			t.Errorf("GetOrLoad = %v, want ErrClosed", err)
		}
		if f.running.Load() != 0 {
			t.Error("Close returned before the load ended")
		}
		if _, err := f.get(0); !errors.Is(err, memcached.ErrClosed) {
			t.Errorf("GetOrLoad after Close = %v, want ErrClosed", err)
		}
		f.takes.Store(0)
		f.want(1, "v1") // the lock was given back
	})
}

func TestGetOrLoad_CallersDoNotShareBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := start(t, nil)
		s := newTyped[[]byte](t, client, nil)
		defer s.Close()
		for range 10 {
			go func() {
				got, err := s.GetOrLoad(t.Context(), "k", 0, func(context.Context) ([]byte, error) {
					time.Sleep(time.Second)
					return []byte("value"), nil
				})
				if err != nil || string(got) != "value" {
					t.Errorf("GetOrLoad = %q, %v, want the value", got, err)
				}
				clear(got)
			}()
		}
		time.Sleep(2 * time.Second)
		wantHit(t, s, "k", []byte("value"))
	})
}

func TestGetOrLoad_RefusesWhatItCannotHonour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := start(t, nil)
		s := newTyped[string](t, client, nil)
		defer s.Close()
		load := func(context.Context) (string, error) { t.Error("loaded"); return "", nil }
		for _, ttl := range []time.Duration{-1, 60} {
			if _, err := s.GetOrLoad(t.Context(), "k", ttl, load); err == nil {
				t.Errorf("GetOrLoad with a TTL of %v = nil, want an error", ttl)
			}
		}
		if _, err := s.GetOrLoad(t.Context(), "k", 0, load, libstore.WithExpiration(time.Hour)); !errors.Is(err, libstore.ErrNotSupported) {
			t.Errorf("GetOrLoad with WithExpiration = %v, want ErrNotSupported", err)
		}
		for _, opts := range []store.Options{
			{KeepStale: 9 * time.Hour}, {KeepStale: -1}, {LoadTimeout: -1}, {LoadTimeout: 60}, {RefreshAhead: 60}, {NotFoundTTL: 60},
		} {
			if _, err := store.NewTyped[string](client, &opts); err == nil {
				t.Errorf("NewTyped with %+v = nil, want an error", opts)
			}
		}
	})
}

func TestGetOrLoad_LoadHasTheValuesOfTheContext(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		_, client := start(t, nil)
		s := newTyped[string](t, client, nil)
		defer s.Close()
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "42"))
		defer cancel()
		got, err := s.GetOrLoad(ctx, "k", time.Minute, func(ctx context.Context) (string, error) {
			cancel()
			return ctx.Value(key{}).(string), ctx.Err()
		})
		if got != "42" && err != context.Canceled { //nolint:errorlint // as it is
			t.Errorf("GetOrLoad = %q, %v, want the value of the context, or that it was cancelled", got, err)
		}
		time.Sleep(time.Second)
		if got, err := s.Get(t.Context(), "k"); got != "42" || err != nil {
			t.Errorf("Get = %q, %v, want what was loaded", got, err)
		}
	})
}

// A refresh whose value memcached does not take is not repeated at once.
func TestGetOrLoad_ARefreshThatCannotBeStoredRests(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.want(0, "v1")
		time.Sleep(55 * time.Second)
		f.takes.Store(int64(time.Millisecond))
		f.value.Store(strings.Repeat("v", 2<<20)) // more than an item may hold
		for range 200 {
			f.want(0, "v1")
			time.Sleep(10 * time.Millisecond)
		}
		if n := f.queries.Load(); n > 4 {
			t.Errorf("%d queries within 2 s, want one a second", n)
		}
	})
}
