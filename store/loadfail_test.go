package store_test

import (
	"errors"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/store"
)

// What happens during a load wins also when the load fails: the value from before
// it is no answer any more.
func TestGetOrLoad_WhatHappensDuringALoadThatFailsWins(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, s *store.Typed[string]) error{
		"Invalidate": func(t *testing.T, s *store.Typed[string]) error {
			return s.Invalidate(t.Context(), libstore.WithInvalidateTags([]string{"t"}))
		},
		"Delete": func(t *testing.T, s *store.Typed[string]) error { return s.Delete(t.Context(), "k") },
		"DeleteMulti": func(t *testing.T, s *store.Typed[string]) error {
			return s.DeleteMulti(t.Context(), []string{"other", "k"})
		},
		"Clear": func(t *testing.T, s *store.Typed[string]) error { return s.Clear(t.Context()) },
		"Set":   func(t *testing.T, s *store.Typed[string]) error { return s.Set(t.Context(), "k", "v2") },
	} {
		for when, age := range map[string]time.Duration{"refresh": 55 * time.Second, "KeepStale": 61 * time.Second} {
			t.Run(name+", "+when, func(t *testing.T) {
				inFleet(t, store.Options{KeepStale: time.Minute}, func(t *testing.T, f *fleet) {
					f.want(0, "v1", tagged("t"))
					time.Sleep(age)
					f.value.Store("fails")
					first := make(chan error, 1)
					go func() {
						got, err := f.get(0, tagged("t"))
						if err == nil && when == "KeepStale" && got == "v1" {
							err = errors.New("the old value")
						}
						first <- err
					}()
					time.Sleep(50 * time.Millisecond)
					f.value.Store("v2")
					if err := change(t, f.stores[1]); err != nil {
						t.Fatal(err)
					}
					f.want(0, "v2", tagged("t")) // joins the load that fails
					f.want(1, "v2", tagged("t"))
					if err := <-first; err != nil && !errors.Is(err, errDatabase) {
						t.Errorf("who called before the change got %v", err)
					}
				})
			})
		}
	}
}

// Nothing has happened as far as anybody can tell.
func TestGetOrLoad_MemcachedStopsDuringALoadThatFails(t *testing.T) {
	inFleet(t, store.Options{KeepStale: time.Minute}, func(t *testing.T, f *fleet) {
		f.want(0, "v1", tagged("t"))
		time.Sleep(61 * time.Second)
		f.value.Store("fails")
		time.AfterFunc(50*time.Millisecond, f.server.Stop)
		f.want(0, "v1", tagged("t"))
	})
}
