package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

// fleet is some processes, which have a store each, and a database.
type fleet struct {
	t       *testing.T
	opts    store.Options
	server  *memcachedtest.Server
	stores  []*store.Typed[string]
	value   atomic.Value // what the database has: a string or an error
	takes   atomic.Int64 // how long a query takes
	queries atomic.Int64
	running atomic.Int64
	events  sync.Map // kinds, and their numbers
	faults  atomic.Int64
}

// inFleet runs a test with two processes, whose time passes at once.
func inFleet(t *testing.T, opts store.Options, f func(t *testing.T, f *fleet)) {
	t.Helper()
	for name, prefix := range map[string]string{"plain": "", "prefix": "p:"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fl := &fleet{t: t, server: memcachedtest.Start(t, nil)}
				fl.value.Store("v1")
				fl.takes.Store(int64(100 * time.Millisecond))
				opts.Prefix = prefix
				opts.OnLoadEvent = func(e store.LoadEvent) {
					n, _ := fl.events.LoadOrStore(e.Kind, new(atomic.Int64))
					n.(*atomic.Int64).Add(1)
				}
				opts.OnError = func(string, error) { fl.faults.Add(1) }
				fl.opts = opts
				for range 2 {
					s := newTyped[string](t, fl.connect(), &opts)
					t.Cleanup(func() { s.Close() })
					fl.stores = append(fl.stores, s)
				}
				f(t, fl)
			})
		})
	}
}

// connect returns the client of a process.
func (f *fleet) connect() *memcached.Client {
	return connect(f.t, &memcached.Options{Timeout: time.Second}, f.server)
}

func (f *fleet) prefix() string { return f.opts.Prefix }

// load is a query of the database.
func (f *fleet) load(ctx context.Context) (string, error) {
	f.queries.Add(1)
	f.running.Add(1)
	defer f.running.Add(-1)
	read := f.value.Load() // as it is when the query begins
	select {
	case <-time.After(time.Duration(f.takes.Load())):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if text := read.(string); text != "fails" && text != "none" {
		return text, nil
	} else if text == "none" {
		return "", fmt.Errorf("user 42: %w", store.ErrNotFound)
	}
	return "", errDatabase
}

var errDatabase = errors.New("the database is down")

func (f *fleet) get(process int, options ...libstore.Option) (string, error) {
	return f.stores[process].GetOrLoad(f.t.Context(), "k", time.Minute, f.load, options...)
}

func (f *fleet) want(process int, want string, options ...libstore.Option) {
	f.t.Helper()
	if got, err := f.get(process, options...); got != want || err != nil {
		f.t.Fatalf("GetOrLoad = %q, %v, want %q", got, err, want)
	}
}

func (f *fleet) wantQueries(want int64) {
	f.t.Helper()
	if got := f.queries.Load(); got != want {
		f.t.Fatalf("%d queries, want %d", got, want)
	}
}

func (f *fleet) wantEvents(kind store.LoadEventKind, want int64) {
	f.t.Helper()
	var got int64
	if n, ok := f.events.Load(kind); ok {
		got = n.(*atomic.Int64).Load()
	}
	if got != want {
		f.t.Errorf("%d events %q, want %d", got, kind, want)
	}
}

// everybody calls GetOrLoad n times at once and returns what all got.
func (f *fleet) everybody(n int, options ...libstore.Option) map[string]int {
	var mu sync.Mutex
	answers := make(map[string]int)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			got, err := f.get(i%2, options...)
			if err != nil {
				got = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			answers[got]++
		})
	}
	wg.Wait()
	return answers
}

func TestGetOrLoad_LoadsOnceForAll(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		if got := f.everybody(200); got["v1"] != 200 {
			t.Errorf("answers = %v, want v1 for 200", got)
		}
		f.wantQueries(1)
		f.want(0, "v1")
		f.want(1, "v1")
		wantHit(t, f.stores[0], "k", "v1")
		f.wantQueries(1)
		f.wantEvents(store.LoadEventLoaded, 1)
		f.wantEvents(store.LoadEventStored, 1)
		f.wantEvents(store.LoadEventWaited, 199)
		time.Sleep(time.Minute)
		wantMiss(t, f.stores[0], "k")
		f.want(1, "v1")
		f.wantQueries(2)
	})
}

func TestGetOrLoad_OneRefreshesBeforeTheEnd(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.want(0, "v1")
		f.value.Store("v2")
		time.Sleep(50 * time.Second)
		f.want(0, "v1")
		f.wantQueries(1)
		time.Sleep(5 * time.Second)
		if got := f.everybody(200); got["v1"] != 200 { // nobody waits
			t.Errorf("answers = %v, want v1 for 200", got)
		}
		time.Sleep(3 * time.Second)
		f.wantQueries(2)
		f.want(0, "v2")
		f.want(1, "v2")
		time.Sleep(20 * time.Second)
		f.want(1, "v2")
		f.wantQueries(2)
		f.wantEvents(store.LoadEventRefreshed, 1)
		f.wantEvents(store.LoadEventWaited, 0)
	})
}

func TestGetOrLoad_NoRefreshWhereItIsOff(t *testing.T) {
	inFleet(t, store.Options{RefreshAhead: -1}, func(t *testing.T, f *fleet) {
		f.want(0, "v1")
		time.Sleep(59 * time.Second)
		f.want(1, "v1")
		time.Sleep(2 * time.Second)
		f.wantQueries(1)
	})
}

func TestGetOrLoad_AFailedRefreshDisturbsNobody(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.want(0, "v1")
		f.value.Store("fails")
		time.Sleep(53 * time.Second)
		for range 60 {
			f.want(0, "v1")
			f.want(1, "v1")
			time.Sleep(100 * time.Millisecond)
		}
		if n := f.queries.Load(); n > 5 {
			t.Errorf("%d queries, want few while the database fails", n)
		}
		time.Sleep(time.Second)
		if got, err := f.get(0); !errors.Is(err, errDatabase) {
			t.Errorf("after the end of the value: %q, %v, want the database's error", got, err)
		}
	})
}

func TestGetOrLoad_OldValueWhenLoadFails(t *testing.T) {
	inFleet(t, store.Options{KeepStale: time.Minute}, func(t *testing.T, f *fleet) {
		f.want(0, "v1")
		time.Sleep(80 * time.Second)
		wantMiss(t, f.stores[1], "k") // of Get
		f.value.Store("fails")
		if got := f.everybody(100); got["v1"] != 100 {
			t.Errorf("answers = %v, want the old value for all", got)
		}
		for range 20 {
			f.want(0, "v1")
			f.want(1, "v1")
			time.Sleep(100 * time.Millisecond)
		}
		f.wantQueries(2) // it is left alone for a moment
		f.wantEvents(store.LoadEventStale, 140)
		f.wantEvents(store.LoadEventFailed, 1)
		time.Sleep(50 * time.Second)
		if got, err := f.get(0); !errors.Is(err, errDatabase) {
			t.Errorf("beyond KeepStale: %q, %v, want the database's error", got, err)
		}
		f.value.Store("v2")
		f.want(1, "v2")
	})
}

func TestGetOrLoad_ErrorWithoutOldValue(t *testing.T) {
	inFleet(t, store.Options{KeepStale: time.Minute}, func(t *testing.T, f *fleet) {
		f.value.Store("fails")
		if got, err := f.get(0); got != "" || err != errDatabase { //nolint:errorlint // as it is
			t.Errorf("GetOrLoad = %q, %v, want the database's error as it is", got, err)
		}
		f.value.Store("v1")
		began := time.Now()
		f.want(1, "v1") // the lock was given back
		if took := time.Since(began); took > 200*time.Millisecond {
			t.Errorf("the next load took %v", took)
		}
		if f.faults.Load() != 0 {
			t.Errorf("OnError got %d errors, want none of load", f.faults.Load())
		}
	})
}

func TestGetOrLoad_ThereIsNoneIsAnAnswer(t *testing.T) {
	inFleet(t, store.Options{NotFoundTTL: 10 * time.Second}, func(t *testing.T, f *fleet) {
		f.value.Store("none")
		for range 20 {
			for process := range 2 {
				if got, err := f.get(process); got != "" || err != store.ErrNotFound { //nolint:errorlint // as it is
					t.Fatalf("GetOrLoad = %q, %v, want ErrNotFound", got, err)
				}
			}
		}
		f.wantQueries(1)
		wantMiss(t, f.stores[0], "k")
		if got, err := f.stores[0].GetMulti(t.Context(), []string{"k"}); err != nil || len(got) != 0 {
			t.Errorf("GetMulti = %v, %v, want nothing", got, err)
		}
		f.value.Store("v1")
		time.Sleep(10 * time.Second)
		f.want(0, "v1")
	})
}

func TestGetOrLoad_NilPointerSaysThereIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := start(t, nil)
		type user struct{ Name string }
		s := newTyped[*user](t, client, nil)
		defer s.Close()
		loads := 0
		for range 3 {
			u, err := s.GetOrLoad(t.Context(), "k", 0, func(context.Context) (*user, error) { loads++; return nil, nil })
			if u != nil || !errors.Is(err, store.ErrNotFound) {
				t.Errorf("GetOrLoad = %v, %v, want ErrNotFound", u, err)
			}
		}
		if loads != 1 {
			t.Errorf("loaded %d times, want once", loads)
		}
		mustSet(t, s, "k", &user{"Ada"})
		wantFresh := func(u *user, err error) {
			if err != nil || u.Name != "Ada" {
				t.Errorf("GetOrLoad = %v, %v, want what was set", u, err)
			}
		}
		wantFresh(s.GetOrLoad(t.Context(), "k", 0, func(context.Context) (*user, error) { return nil, nil }))
	})
}
