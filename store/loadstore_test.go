package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/store"
)

// An item that has expired stays on the server for a moment. When the server
// forgets it during a load, nobody has deleted it: what was loaded is kept.
func TestGetOrLoad_TheServerForgetsTheOldValueDuringTheLoad(t *testing.T) {
	for name, keep := range map[string]time.Duration{"at once": 0, "later": time.Minute} {
		t.Run(name, func(t *testing.T) {
			inFleet(t, store.Options{KeepStale: keep, RefreshAhead: -1}, func(t *testing.T, f *fleet) {
				f.want(0, "v1")
				time.Sleep(61*time.Second + keep) // the server keeps it for another second
				f.takes.Store(int64(3 * time.Second))
				f.value.Store("v2")
				f.want(0, "v2")
				f.want(1, "v2")
				f.wantQueries(2)
				f.wantEvents(store.LoadEventStored, 2)
				f.wantEvents(store.LoadEventOvertaken, 0)
			})
		})
	}
}

func TestGetOrLoad_TheOldValueEndsDuringARefresh(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.want(0, "v1")
		time.Sleep(55 * time.Second)
		f.takes.Store(int64(10 * time.Second))
		f.value.Store("v2")
		f.want(0, "v1") // begins to load the value anew
		time.Sleep(11 * time.Second)
		f.want(1, "v2")
		f.wantQueries(2)
		f.wantEvents(store.LoadEventOvertaken, 0)
	})
}

// What another client has deleted while it was there is not put back.
func TestGetOrLoad_AnotherClientDeletesTheValueDuringARefresh(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.want(0, "v1")
		time.Sleep(55 * time.Second)
		f.takes.Store(int64(2 * time.Second))
		f.want(0, "v1")
		time.Sleep(time.Second)
		for _, key := range f.server.Keys() {
			if item, _ := f.server.Item(key); string(item.Value) == "v1" {
				if err := f.connect().Delete(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(2 * time.Second)
		f.wantEvents(store.LoadEventOvertaken, 1)
		if got, err := f.stores[1].Get(t.Context(), "k"); !isMiss(err) {
			t.Errorf("Get = %q, %v, want a miss", got, err)
		}
	})
}

// A store that is closed keeps what it has loaded: other processes need not load
// it again.
func TestGetOrLoad_CloseWaitsForStoring(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
			if r.Op == "ADD" && r.ValueLen == len("v1") {
				return memcachedtest.Action{Delay: 500 * time.Millisecond}
			}
			return memcachedtest.Action{}
		})
		answers := make(chan error, 1)
		go func() { _, err := f.get(0); answers <- err }()
		time.Sleep(300 * time.Millisecond) // the load takes 100 ms
		if err := f.stores[0].Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := <-answers; err != nil && !errors.Is(err, memcached.ErrClosed) {
			t.Errorf("GetOrLoad = %v, want the value or ErrClosed", err)
		}
		f.want(1, "v1")
		f.wantQueries(1)
		if n := f.faults.Load(); n != 0 {
			t.Errorf("%d faults, want none", n)
		}
	})
}

// The limit that the documentation names: a Store knows nothing of loads.
func TestGetOrLoad_DeleteOfAStoreLeavesTheLock(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		first := make(chan string, 1)
		go func() { got, _ := f.get(0); first <- got }()
		time.Sleep(50 * time.Millisecond) // the load takes 100 ms
		if err := prefixed(t, f.connect(), f.prefix()).Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		if got := <-first; got != "v1" {
			t.Errorf("GetOrLoad = %q, want v1", got)
		}
		f.wantEvents(store.LoadEventOvertaken, 0)
		f.want(1, "v1")
		f.wantQueries(1)
	})
}

// A Delete leaves the lock with its owner: the next load begins when the one that it
// has overtaken ends.
func TestGetOrLoad_ADeleteDuringALoadCausesOneMore(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		var most atomic.Int64
		load := func(ctx context.Context) (string, error) {
			for n := f.running.Load() + 1; ; {
				if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
					break
				}
			}
			return f.load(ctx)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, s := range f.stores {
			for range 20 {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, err := s.GetOrLoad(ctx, "k", time.Minute, load); err != nil && ctx.Err() == nil {
							t.Errorf("GetOrLoad = %v", err)
						}
						time.Sleep(7 * time.Millisecond)
					}
				})
			}
		}
		time.Sleep(50 * time.Millisecond) // the load takes 100 ms
		if err := f.stores[1].Delete(t.Context(), "k"); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		cancel()
		wg.Wait()
		f.wantQueries(2)
		if n := most.Load(); n > 1 {
			t.Errorf("%d queries at once, want one", n)
		}
		wantHit(t, f.stores[0], "k", "v1")
	})
}

// A load that stores while a Delete is under way finds that its lock is gone,
// also where lock and value are on different servers.
func TestGetOrLoad_DeleteRemovesTheLockBeforeTheValue(t *testing.T) {
	for name, remove := range map[string]func(ctx context.Context, s *store.Typed[string], key string) error{
		"Delete": func(ctx context.Context, s *store.Typed[string], key string) error { return s.Delete(ctx, key) },
		"DeleteMulti": func(ctx context.Context, s *store.Typed[string], key string) error {
			return s.DeleteMulti(ctx, []string{key})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
				loads := newTyped[string](t, connect(t, nil, a, b), nil)
				defer loads.Close()
				client := connect(t, nil, a, b)
				deletes := newTyped[string](t, client, nil)
				defer deletes.Close()
				key := keyApartFromLock(t, client, a, b)
				a.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
					if strings.HasPrefix(r.Op, "DELETE") {
						return memcachedtest.Action{Delay: 50 * time.Millisecond}
					}
					return memcachedtest.Action{}
				})
				loaded := make(chan error, 1)
				go func() {
					_, err := loads.GetOrLoad(t.Context(), key, time.Minute, func(context.Context) (string, error) {
						time.Sleep(100 * time.Millisecond)
						return "old", nil
					})
					loaded <- err
				}()
				time.Sleep(90 * time.Millisecond)
				if err := remove(t.Context(), deletes, key); err != nil {
					t.Error(err)
				}
				if err := <-loaded; err != nil {
					t.Error(err)
				}
				wantMiss(t, deletes, key)
			})
		})
	}
}

// keyApartFromLock returns a key that is on server b and whose lock is on a.
func keyApartFromLock(t *testing.T, client *memcached.Client, a, b *memcachedtest.Server) string {
	t.Helper()
	for i := range 1000 {
		key := fmt.Sprint("k", i)
		lock := memcached.SafeKey("", "\x00lock\x00"+key)
		for _, key := range []string{key, lock} {
			if err := client.Set(t.Context(), &memcached.Item{Key: key}); err != nil {
				t.Fatal(err)
			}
		}
		_, lockOnA := a.Item(lock)
		_, keyOnB := b.Item(key)
		if err := client.DeleteMulti(t.Context(), []string{key, lock}); err != nil {
			t.Fatal(err)
		}
		if lockOnA && keyOnB {
			return key
		}
	}
	t.Fatal("no key is apart from its lock")
	return ""
}
