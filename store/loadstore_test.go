package store_test

import (
	"errors"
	"testing"
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
				f.wantEvents(store.EventStored, 2)
				f.wantEvents(store.EventOvertaken, 0)
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
		f.wantEvents(store.EventOvertaken, 0)
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
		f.wantEvents(store.EventOvertaken, 1)
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
		f.wantEvents(store.EventOvertaken, 0)
		f.want(1, "v1")
		f.wantQueries(1)
	})
}
