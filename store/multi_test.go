package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

func TestMulti_StoresReadsAndDeletes(t *testing.T) {
	for _, prefix := range []string{"", "p:"} {
		t.Run(prefix, func(t *testing.T) {
			_, client := start(t, nil)
			s := prefixed(t, client, prefix)
			want := map[string]any{"": "empty", "a b": 1, "\x00": true}
			for i := range 1000 {
				want[fmt.Sprint("k", i)] = i
			}
			if err := s.SetMulti(t.Context(), want, libstore.WithExpiration(time.Hour)); err != nil {
				t.Fatal(err)
			}
			var keys []string
			for key := range want {
				keys = append(keys, key, key) // twice
			}
			got, err := s.GetMulti(t.Context(), append(keys, "absent"))
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("GetMulti = %d values, %v, want the %d that were stored", len(got), err, len(want))
			}
			wantTTL(t, s, "a b", time.Hour, time.Minute)
			if err := s.DeleteMulti(t.Context(), append(keys, "absent")); err != nil {
				t.Fatal(err)
			}
			if got, err := s.GetMulti(t.Context(), keys); err != nil || len(got) != 0 {
				t.Errorf("GetMulti after DeleteMulti = %v, %v, want nothing", got, err)
			}
		})
	}
}

func TestMulti_NothingIsNoError(t *testing.T) {
	_, client := start(t, nil)
	for _, s := range []*store.Store{store.New(client), prefixed(t, client, "p:")} {
		if got, err := s.GetMulti(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("GetMulti of nothing = %v, %v", got, err)
		}
		if err := s.SetMulti(t.Context(), nil); err != nil {
			t.Errorf("SetMulti of nothing = %v", err)
		}
		if err := s.DeleteMulti(t.Context(), nil); err != nil {
			t.Errorf("DeleteMulti of nothing = %v", err)
		}
	}
}

func TestMulti_NegativeTTLRemoves(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	mustSet(t, s, "k", "v")
	values := map[string]any{"k": "new", "absent": "new"}
	if err := s.SetMulti(t.Context(), values, libstore.WithExpiration(-1), tagged("t")); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, "k")
	wantMiss(t, s, "absent")
}

func TestMulti_TagsAndDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := start(t, nil)
		s := store.New(client)
		set := func(values map[string]any, options ...libstore.Option) {
			t.Helper()
			if err := s.SetMulti(t.Context(), values, options...); err != nil {
				t.Fatal(err)
			}
		}
		set(map[string]any{"a": 1, "b": 2}, tagged("t", "u"))
		set(map[string]any{"c": 3}, tagged("v"))
		set(map[string]any{"d": 4})
		set(map[string]any{"e": 5}, libstore.WithExpiration(1500*time.Millisecond))
		keys := []string{"a", "b", "c", "d", "e"}
		want := map[string]any{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
		for _, step := range []struct {
			do   func()
			gone []string
		}{
			{func() {}, nil},
			{func() { invalidate(t, s, "u") }, []string{"a", "b"}},
			{func() { time.Sleep(1600 * time.Millisecond) }, []string{"e"}},
			{func() { invalidate(t, s, "v") }, []string{"c"}},
		} {
			step.do()
			for _, key := range step.gone {
				delete(want, key)
			}
			if got, err := s.GetMulti(t.Context(), keys); err != nil || !maps.Equal(got, want) {
				t.Errorf("GetMulti = %v, %v, want %v", got, err, want)
			}
		}
	})
}

func TestMulti_PartialFailure(t *testing.T) {
	for _, prefix := range []string{"", "p:"} {
		t.Run(prefix, func(t *testing.T) {
			a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
			client := connect(t, nil, a, b)
			s := prefixed(t, client, prefix)
			values := make(map[string]any)
			var keys []string
			for i := range 100 {
				values[fmt.Sprint("k ", i)] = i
				keys = append(keys, fmt.Sprint("k ", i))
			}
			if err := s.SetMulti(t.Context(), values); err != nil {
				t.Fatal(err)
			}
			b.Close()
			got, err := s.GetMulti(t.Context(), keys)
			errSet := s.SetMulti(t.Context(), values)
			errDelete := s.DeleteMulti(t.Context(), keys)
			if prefix != "" && errors.Is(err, memcached.ErrUnavailable) && len(got) == 0 {
				return // the counter of the generation is on the unavailable server
			}
			var failed, failedSet, failedDelete *memcached.MultiError
			if !errors.As(err, &failed) || len(failed.Errors) == 0 || len(failed.Errors)+len(got) != len(keys) {
				t.Fatalf("GetMulti = %d values, %v, want some values and errors for the others", len(got), err)
			}
			if !errors.As(errSet, &failedSet) || !errors.As(errDelete, &failedDelete) {
				t.Fatalf("SetMulti = %v, DeleteMulti = %v, want errors by key", errSet, errDelete)
			}
			for key, value := range values {
				_, ok := got[key]
				isFailed := errors.Is(failed.Errors[key], memcached.ErrUnavailable)
				if ok == isFailed || ok && got[key] != value {
					t.Errorf("GetMulti: %q is %v, %v", key, got[key], failed.Errors[key])
				}
				if (failedSet.Errors[key] != nil) != isFailed || (failedDelete.Errors[key] != nil) != isFailed {
					t.Errorf("%q: SetMulti = %v, DeleteMulti = %v, want errors where GetMulti has one", key, failedSet.Errors[key], failedDelete.Errors[key])
				}
			}
		})
	}
}

func TestMulti_OneValueTooLarge(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	mustSet(t, s, "huge", "old")
	err := s.SetMulti(t.Context(), map[string]any{"huge": bytes.Repeat([]byte("x"), 2<<20), "small": "v"})
	var failed *memcached.MultiError
	if !errors.As(err, &failed) || !errors.Is(failed.Errors["huge"], memcached.ErrTooLarge) || len(failed.Errors) != 1 {
		t.Errorf("SetMulti = %v, want ErrTooLarge for one key", err)
	}
	wantHit(t, s, "small", "v")
	wantHit(t, s, "huge", "old")
}
