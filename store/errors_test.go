package store_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
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

func TestErrors_MissIsExactlyNotFound(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	want := libstore.NotFoundWithCause(memcached.ErrCacheMiss)
	_, err := s.Get(t.Context(), "k")
	_, ttl, errTTL := s.GetWithTTL(t.Context(), "k")
	if !reflect.DeepEqual(err, want) || !reflect.DeepEqual(errTTL, want) || ttl != 0 {
		t.Errorf("Get = %#v, GetWithTTL = %v, %#v, want %#v", err, ttl, errTTL, want)
	}
	if !errors.Is(err, libstore.NotFound{}) || !errors.Is(err, memcached.ErrCacheMiss) {
		t.Errorf("%v is not both gocache's NotFound and memcached's miss", err)
	}
}

func TestErrors_UnavailableServerIsNeverNotFound(t *testing.T) {
	eachOperation(t, func(t *testing.T, opts *store.Options, _ string, run func(context.Context, *store.Store) error) {
		server, client := start(t, nil)
		fresh, used := newStore(t, client, opts), newStore(t, client, opts)
		mustSet(t, used, "k", "v")
		server.Close()
		for _, s := range []*store.Store{fresh, used} {
			err := run(t.Context(), s)
			if !errors.Is(err, memcached.ErrUnavailable) || errors.Is(err, libstore.NotFound{}) {
				t.Errorf("with an unavailable server = %v, want ErrUnavailable", err)
			}
		}
	})
}

func TestErrors_ContextErrorIsReturnedAsSuch(t *testing.T) {
	eachOperation(t, func(t *testing.T, opts *store.Options, _ string, run func(context.Context, *store.Store) error) {
		_, client := start(t, nil)
		s := newStore(t, client, opts)
		mustSet(t, s, "k", 7)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if err := run(cancelled, s); err != context.Canceled {
			t.Errorf("with a cancelled context = %v, want %v", err, context.Canceled)
		}
		late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		if err := run(late, s); err != context.DeadlineExceeded {
			t.Errorf("with an expired context = %v, want %v", err, context.DeadlineExceeded)
		}
		wantHit(t, s, "k", 7)
	})
}

func TestErrors_ContextIsHonouredWhileWaiting(t *testing.T) {
	eachOperation(t, func(t *testing.T, opts *store.Options, _ string, run func(context.Context, *store.Store) error) {
		synctest.Test(t, func(t *testing.T) {
			server := memcachedtest.Start(t, nil)
			client := connect(t, &memcached.Options{Timeout: time.Hour}, server)
			s := newStore(t, client, opts)
			mustSet(t, s, "k", 7)
			server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Skip: true} })
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			began := time.Now()
			err := run(ctx, s)
			if took := time.Since(began); err != context.DeadlineExceeded || took != 30*time.Second {
				t.Errorf("with a silent server = %v after %v, want %v after 30s", err, took, context.DeadlineExceeded)
			}
		})
	})
}

// gocache's own writes come without a deadline.
func TestErrors_ClientTimeoutBoundsBackgroundWork(t *testing.T) {
	eachOperation(t, func(t *testing.T, opts *store.Options, _ string, run func(context.Context, *store.Store) error) {
		synctest.Test(t, func(t *testing.T) {
			server := memcachedtest.Start(t, nil)
			client := connect(t, &memcached.Options{Timeout: time.Second}, server)
			s := newStore(t, client, opts)
			mustSet(t, s, "k", 7)
			server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Skip: true} })
			began := time.Now()
			err := run(context.Background(), s)
			if took := time.Since(began); !errors.Is(err, memcached.ErrUnavailable) || took > 2*time.Second {
				t.Errorf("with a silent server = %v after %v, want ErrUnavailable after a second", err, took)
			}
		})
	})
}

func TestErrors_ClosedClient(t *testing.T) {
	eachOperation(t, func(t *testing.T, opts *store.Options, _ string, run func(context.Context, *store.Store) error) {
		_, client := start(t, nil)
		s := newStore(t, client, opts)
		mustSet(t, s, "k", 7)
		client.Close()
		if err := run(t.Context(), s); !errors.Is(err, memcached.ErrClosed) {
			t.Errorf("after Close = %v, want ErrClosed", err)
		}
	})
}

func TestErrors_OnErrorIsToldOfFaultsOnly(t *testing.T) {
	eachOperation(t, func(t *testing.T, opts *store.Options, op string, run func(context.Context, *store.Store) error) {
		server, client := start(t, nil)
		var mu sync.Mutex
		var told []string
		var last error
		opts.OnError = func(op string, err error) {
			mu.Lock()
			defer mu.Unlock()
			told, last = append(told, op), err
		}
		s := newStore(t, client, opts)
		if err := run(t.Context(), s); err != nil && !isMiss(err) {
			t.Fatal(err)
		}
		if len(told) > 0 {
			t.Errorf("OnError was told of %q when all went well", told)
		}
		server.Close()
		err := run(t.Context(), s)
		if len(told) != 1 || told[0] != op || !reflect.DeepEqual(last, err) {
			t.Errorf("OnError was told of %q, %v, want %q, %v", told, last, op, err)
		}
	})
}

func TestErrors_NilContext(t *testing.T) {
	eachOperation(t, func(t *testing.T, opts *store.Options, _ string, run func(context.Context, *store.Store) error) {
		_, client := start(t, nil)
		s := newStore(t, client, opts)
		mustSet(t, s, "k", 7)
		var none context.Context
		if err := run(none, s); err == nil || isMiss(err) {
			t.Errorf("with a nil context = %v, want an error", err)
		}
	})
}

func TestGetOrLoad_NilContext(t *testing.T) {
	_, client := start(t, nil)
	s := newTyped[string](t, client, nil)
	var none context.Context
	_, err := s.GetOrLoad(none, "k", time.Minute, func(context.Context) (string, error) { return "v", nil })
	if err == nil || !strings.Contains(err.Error(), "nil context") {
		t.Errorf("GetOrLoad with a nil context = %v, want an error that says so", err)
	}
}

func TestErrors_KeysThatAreNoStrings(t *testing.T) {
	server, client := start(t, nil)
	s := store.New(client)
	for _, key := range []any{nil, 1, []byte("secret"), struct{ s string }{"secret"}, errors.New("secret")} {
		_, errGet := s.Get(t.Context(), key)
		_, _, errTTL := s.GetWithTTL(t.Context(), key)
		_, errAdd := s.SetIfNotExists(t.Context(), key, "v")
		_, errInc := s.Increment(t.Context(), key, 1)
		for _, err := range []error{
			errGet, errTTL, errAdd, errInc, s.Set(t.Context(), key, "v"), s.Delete(t.Context(), key), s.Touch(t.Context(), key, 0),
		} {
			if !errors.Is(err, store.ErrKeyType) || strings.Contains(err.Error(), "secret") {
				t.Errorf("with a %T as key = %v, want ErrKeyType without the key", key, err)
			}
		}
	}
	if n := server.RequestCount(); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestErrors_UnsupportedValuesLeaveTheOldOne(t *testing.T) {
	_, client := start(t, nil)
	s := store.New(client)
	mustSet(t, s, "k", "old")
	for _, value := range []any{nil, struct{}{}, []string{"x"}, time.Second, new(int), (*int)(nil)} {
		_, errAdd := s.SetIfNotExists(t.Context(), "absent", value)
		for _, err := range []error{
			errAdd, s.Set(t.Context(), "k", value), s.SetMulti(t.Context(), map[string]any{"k": value}),
		} {
			if !errors.Is(err, store.ErrValueType) {
				t.Errorf("storing a %T = %v, want ErrValueType", value, err)
			}
		}
	}
	wantHit(t, s, "k", "old")
	wantMiss(t, s, "absent")
}

func TestErrors_TooLargeLeavesTheOldValue(t *testing.T) {
	_, client := start(t, nil)
	for _, s := range []*store.Store{store.New(client), newStore(t, client, &store.Options{Prefix: "p:"})} {
		for _, tags := range [][]string{nil, {"t"}} {
			mustSet(t, s, "k", "old", libstore.WithTags(tags))
			huge := bytes.Repeat([]byte("x"), 1<<20)
			if err := s.Set(t.Context(), "k", huge, libstore.WithTags(tags)); !errors.Is(err, memcached.ErrTooLarge) {
				t.Errorf("Set of 1 MiB = %v, want ErrTooLarge", err)
			}
			wantHit(t, s, "k", "old")
		}
	}
}

func TestErrors_FlushForbidden(t *testing.T) {
	_, client := start(t, &memcachedtest.Options{DisableFlush: true})
	s := store.New(client)
	mustSet(t, s, "k", "v")
	if err := s.Clear(t.Context()); err == nil || isMiss(err) {
		t.Errorf("Clear on a server that forbids it = %v, want an error", err)
	}
	wantHit(t, s, "k", "v")
	p := newStore(t, client, &store.Options{Prefix: "p:"})
	mustSet(t, p, "k", "v")
	if err := p.Clear(t.Context()); err != nil {
		t.Errorf("Clear of a prefix = %v, want it to need no flush", err)
	}
	wantMiss(t, p, "k")
}

// Other clients can store anything.
func TestErrors_CorruptItems(t *testing.T) {
	server, client := start(t, nil)
	s := store.New(client)
	for name, item := range map[string]memcached.Item{
		"no number":      {Value: []byte("x"), Flags: 0b10<<30 | 7},
		"unknown kind":   {Value: []byte("x"), Flags: 0b10<<30 | 20},
		"empty envelope": {Flags: 0b10<<30 | 31},
		"bad envelope":   {Value: []byte("\x01\x02\x00\x00\x00\x00\x00\xff\xff\xff"), Flags: 0b10<<30 | 31},
		"no codec":       {Value: []byte("x"), Flags: 0b11 << 30},
		"typed no codec": {Value: []byte("x"), Flags: 0b01 << 30},
	} {
		item.Key = "k"
		server.SetItem(&item)
		if v, err := s.Get(t.Context(), "k"); err == nil || isMiss(err) || v != nil {
			t.Errorf("%s: Get = %v, %v, want an error", name, v, err)
		}
		values, err := s.GetMulti(t.Context(), []string{"k", "absent"})
		var failed *memcached.MultiError
		if !errors.As(err, &failed) || failed.Errors["k"] == nil || len(failed.Errors) != 1 || len(values) != 0 {
			t.Errorf("%s: GetMulti = %v, %v, want an error of k", name, values, err)
		}
		mustSet(t, s, "k", "v")
		wantHit(t, s, "k", "v")
	}
}

// A counter overwritten with nonsense is an error, and invalid where it counts.
func TestErrors_CorruptCounters(t *testing.T) {
	server, client := start(t, nil)
	s := newStore(t, client, &store.Options{Prefix: "p:"})
	mustSet(t, s, "k", "v", libstore.WithTags([]string{"t"}))
	var counters []string
	for _, key := range server.Keys() {
		if strings.Contains(key, "~sha256~") {
			counters = append(counters, key)
		}
	}
	if len(counters) != 2 {
		t.Fatalf("the server holds %q, want the counters of generation and tag among them", server.Keys())
	}
	saved := make(map[string]*memcached.Item)
	for _, key := range counters {
		saved[key] = rawItem(t, client, key)
	}
	for _, key := range counters {
		server.SetItem(&memcached.Item{Key: key, Value: []byte("nonsense")})
		if v, err := s.Get(t.Context(), "k"); err == nil {
			t.Errorf("Get with a corrupt counter = %v, want no value", v)
		}
		if err := s.Set(t.Context(), "k", "v", libstore.WithTags([]string{"t"})); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("Set with a corrupt counter = %v, want ErrCorrupt", err)
		}
		server.SetItem(saved[key])
	}
}
