package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/store"
)

// A process that waits for another's load when its prefix is cleared does not wait
// for what is cleared with it.
func TestGetOrLoad_ClearWhileAnotherProcessWaits(t *testing.T) {
	inFleet(t, store.Options{KeepStale: time.Minute}, func(t *testing.T, f *fleet) {
		f.takes.Store(int64(300 * time.Millisecond))
		loads := f.start(0)
		time.Sleep(20 * time.Millisecond)
		waits := f.start(1)
		time.Sleep(50 * time.Millisecond)
		f.value.Store("v2")
		if err := f.stores[0].Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.want(1, "v2", tagged("t"))
		f.want(0, "v2", tagged("t"))
		<-loads
		<-waits
		f.wantQueries(2)
	})
}

// Who comes between the last look at what has changed and the end of the load may
// come after a change that the look has not seen.
func TestGetOrLoad_ChangeBetweenTheLastCheckAndTheLanding(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
				var checked atomic.Bool
				f.hook(0, &hooked{after: func(op string, keys ...string) {
					if op == "get" && f.queries.Load() == 1 && f.running.Load() == 0 && slices.Contains(keys, f.lockKey()) && !checked.Swap(true) {
						time.Sleep(50 * time.Millisecond)
					}
				}})
				first := f.start(0)
				time.Sleep(120 * time.Millisecond) // the load takes 100 ms
				if !checked.Load() {
					t.Fatal("nothing was checked")
				}
				f.value.Store("v2")
				if err := change(t, f.stores[1]); err != nil {
					t.Fatal(err)
				}
				f.want(0, "v2", tagged("t")) // joins
				f.want(1, "v2", tagged("t"))
				<-first
			})
		})
	}
}

// What a Delete has overtaken is at no time a value.
func TestGetOrLoad_WhatIsWithdrawnIsNeverSeen(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
				f.hook(0, &hooked{after: func(op string, keys ...string) {
					if op != "get" && isValue(keys[0]) {
						time.Sleep(50 * time.Millisecond)
					}
				}})
				first := f.start(0)
				time.Sleep(50 * time.Millisecond) // the load takes 100 ms
				f.value.Store("v2")
				if err := change(t, f.stores[1]); err != nil {
					t.Fatal(err)
				}
				time.Sleep(70 * time.Millisecond)
				if got, err := f.stores[1].Get(t.Context(), "k"); got == "v1" || err != nil && !isMiss(err) {
					t.Errorf("Get = %q, %v, want nothing old", got, err)
				}
				if got, err := f.stores[1].GetMulti(t.Context(), []string{"k"}); got["k"] == "v1" || err != nil {
					t.Errorf("GetMulti = %v, %v, want nothing old", got, err)
				}
				f.want(1, "v2", tagged("t"))
				<-first
				f.want(0, "v2", tagged("t"))
			})
		})
	}
}

// The lock lives on while a slow memcached is asked before the load and after it.
func TestGetOrLoad_TheLockIsRenewedAsLongAsItIsHeld(t *testing.T) {
	for name, slow := range map[string]func(op, key string) bool{
		"before the load": func(op, key string) bool { return op == "get" && strings.Contains(key, "~sha256~") },
		"after it":        func(op, key string) bool { return op == "add" && isValue(key) },
	} {
		t.Run(name, func(t *testing.T) {
			inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
				var slept atomic.Bool
				f.hook(0, &hooked{before: func(op string, keys ...string) error {
					if len(keys) == 1 && keys[0] != f.lockKey() && slow(op, keys[0]) && !slept.Swap(true) {
						time.Sleep(8 * time.Second)
					}
					return nil
				}})
				if f.prefix() != "" { // it is read before the lock is taken, too
					wantMiss(t, f.stores[0], "other")
					slept.Store(false)
				}
				first := f.start(0)
				time.Sleep(time.Second)
				f.want(1, "v1", tagged("t"))
				if got := <-first; got != "v1" {
					t.Errorf("GetOrLoad = %q, want v1", got)
				}
				f.wantQueries(1)
				if !slept.Load() {
					t.Error("memcached was not slow")
				}
			})
		})
	}
}

// One operation that fails sends no process to the database: not of a caller that
// finds nothing, and not of one that waits.
func TestGetOrLoad_ALostPacketCausesNoLoad(t *testing.T) {
	for _, op := range []string{"get", "add"} {
		t.Run(op, func(t *testing.T) {
			inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
				f.takes.Store(int64(2 * time.Second))
				var fails atomic.Bool
				f.hook(1, &hooked{before: func(o string, _ ...string) error {
					if o == op && fails.Swap(false) {
						return &memcached.OpError{Op: o, Err: memcached.ErrUnavailable}
					}
					return nil
				}})
				first := f.start(0)
				time.Sleep(time.Second)
				var wg sync.WaitGroup
				fails.Store(true) // the caller's look, or the attempt to take the lock
				for range 10 {
					wg.Go(func() { f.want(1, "v1", tagged("t")) })
				}
				time.Sleep(500 * time.Millisecond)
				fails.Store(true) // while it waits
				wg.Wait()
				if <-first; fails.Load() {
					t.Error("nothing failed")
				}
				f.wantQueries(1)
			})
		})
	}
}

// A process that waits loads for itself when memcached has not answered for a while.
func TestGetOrLoad_MemcachedIsAwayForAWaitingProcess(t *testing.T) {
	inFleet(t, store.Options{}, func(t *testing.T, f *fleet) {
		f.takes.Store(int64(time.Minute / 4))
		var away atomic.Bool
		f.hook(1, &hooked{before: func(o string, _ ...string) error {
			if away.Load() {
				return &memcached.OpError{Op: o, Err: memcached.ErrUnavailable}
			}
			return nil
		}})
		first := f.start(0)
		time.Sleep(time.Second)
		waits := f.start(1)
		time.Sleep(time.Second)
		away.Store(true)
		time.Sleep(500 * time.Millisecond)
		f.wantQueries(1)
		time.Sleep(time.Second)
		f.wantQueries(2)
		if got := <-waits; got != "v1" {
			t.Errorf("GetOrLoad = %q, want v1", got)
		}
		<-first
	})
}

// Whatever another client has put in the place of a lock, nobody waits for ever.
func TestGetOrLoad_ALockThatDoesNotEnd(t *testing.T) {
	for name, value := range map[string]string{"a number": "4611686018427387904", "no number": "x"} {
		t.Run(name, func(t *testing.T) {
			inFleet(t, store.Options{LoadTimeout: 10 * time.Second}, func(t *testing.T, f *fleet) {
				f.server.SetItem(&memcached.Item{Key: f.lockKey(), Value: []byte(value)})
				began := time.Now()
				if got := f.everybody(20); got["v1"] != 20 {
					t.Errorf("answers = %v, want v1 for 20", got)
				}
				if took := time.Since(began); took > 16*time.Second {
					t.Errorf("took %v, want LoadTimeout and 5 s", took)
				}
				f.wantQueries(2)
				if err := f.stores[0].Delete(t.Context(), "k"); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// After a load has failed nobody loads for a while, unless the old value is gone.
func TestGetOrLoad_AChangeAfterAFailedLoadIsLoadedAtOnce(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			inFleet(t, store.Options{KeepStale: time.Minute}, func(t *testing.T, f *fleet) {
				f.want(0, "v1", tagged("t"))
				time.Sleep(55 * time.Second)
				f.value.Store("fails")
				f.want(0, "v1", tagged("t"))
				time.Sleep(time.Second)
				f.wantQueries(2)
				f.value.Store("v2")
				f.want(1, "v1", tagged("t")) // and does not load
				time.Sleep(500 * time.Millisecond)
				f.wantQueries(2)
				if err := change(t, f.stores[0]); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				f.want(1, "v2", tagged("t"))
				if took := time.Since(began); took > 110*time.Millisecond {
					t.Errorf("GetOrLoad took %v for a load of 100 ms", took)
				}
				f.want(0, "v2", tagged("t"))
			})
		})
	}
}

// A load whose context has ended has a moment to return before the next one begins.
func TestGetOrLoad_ALoadThatIsCancelledReturnsBeforeTheNext(t *testing.T) {
	inFleet(t, store.Options{LoadTimeout: 2 * time.Second}, func(t *testing.T, f *fleet) {
		var running atomic.Bool
		go func() {
			_, err := f.stores[0].GetOrLoad(t.Context(), "k", time.Minute, func(ctx context.Context) (string, error) {
				running.Store(true)
				<-ctx.Done()
				time.Sleep(500 * time.Millisecond) // the query is cancelled
				running.Store(false)
				return "", ctx.Err()
			})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("GetOrLoad = %v, want an error of the deadline", err)
			}
		}()
		time.Sleep(time.Second)
		_, err := f.stores[1].GetOrLoad(t.Context(), "k", time.Minute, func(context.Context) (string, error) {
			if running.Load() {
				t.Error("two loads at once")
			}
			return "v1", nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// While a load ignores its context, its process loads the key no second time.
func TestGetOrLoad_ALoadThatIgnoresItsContext(t *testing.T) {
	inFleet(t, store.Options{LoadTimeout: 2 * time.Second}, func(t *testing.T, f *fleet) {
		began := time.Now()
		ignores := func(context.Context) (string, error) {
			f.queries.Add(1)
			time.Sleep(time.Minute)
			return "late", nil
		}
		_, err := f.stores[0].GetOrLoad(t.Context(), "k", time.Minute, ignores)
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second {
			t.Errorf("GetOrLoad = %v after %v, want an error after LoadTimeout", err, took)
		}
		for range 3 {
			began = time.Now()
			_, err = f.get(0)
			if took := time.Since(began); err == nil || took > 2500*time.Millisecond {
				t.Errorf("GetOrLoad = %v after %v, want an error after LoadTimeout", err, took)
			}
		}
		f.wantQueries(1)
		f.want(1, "v1") // another process is not held up
		f.want(0, "v1") // and this one finds what it has loaded
		if err := f.stores[1].Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(began.Add(time.Minute)))
		f.value.Store("v2")
		f.want(0, "v2")
		f.wantQueries(3)
	})
}
