package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/store"
)

// bad panics when it is encoded.
type bad struct{ N int }

func (bad) MarshalJSON() ([]byte, error) { panic(errDatabase) }

// A codec and the hooks run on the goroutine of the load: their panics are the
// caller's too.
func TestGetOrLoad_PanicsOfCodecsAndHooksAreTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := start(t, nil)
		encodes := newTyped[bad](t, client, nil)
		defer encodes.Close()
		wantPanic(t, func() error {
			_, err := encodes.GetOrLoad(t.Context(), "k", time.Minute, func(context.Context) (bad, error) {
				time.Sleep(time.Second)
				return bad{1}, nil
			})
			return err
		})
		hooked := newTyped[string](t, client, &store.Options{OnLoadEvent: func(e store.LoadEvent) {
			if e.Kind == store.LoadEventLoaded {
				panic(errDatabase)
			}
		}})
		defer hooked.Close()
		wantPanic(t, func() error {
			_, err := hooked.GetOrLoad(t.Context(), "k", time.Minute, func(context.Context) (string, error) {
				time.Sleep(time.Second)
				return "v", nil
			})
			return err
		})
		// The lock was given back.
		began := time.Now()
		s := newTyped[string](t, client, nil)
		defer s.Close()
		got, err := s.GetOrLoad(t.Context(), "k", time.Minute, func(context.Context) (string, error) { return "v", nil })
		if got != "v" || err != nil || time.Since(began) > time.Second {
			t.Errorf("GetOrLoad = %q, %v after %v, want v at once", got, err, time.Since(began))
		}
	})
}

// wantPanic calls get twice at once: one call has to panic, the other one to
// return an error.
func wantPanic(t *testing.T, get func() error) {
	t.Helper()
	ended := make(chan any, 2)
	for range 2 {
		go func() {
			var err error
			defer func() {
				if v := recover(); v != nil {
					ended <- v
				} else {
					ended <- err.Error()
				}
			}()
			err = get()
		}()
	}
	for _, v := range []any{<-ended, <-ended} {
		switch v := v.(type) {
		case error:
			if !errors.Is(v, errDatabase) {
				t.Errorf("the caller panicked with %v, want the panic", v)
			}
		case string:
			if !strings.Contains(v, "load panicked: ") {
				t.Errorf("another caller got %q, want an error that names the panic", v)
			}
		}
	}
}

// While memcached is down, callers share no value that one of them can change.
func TestGetOrLoad_CallersDoNotShareBytesWithoutMemcached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t, nil)
		server.Stop()
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
		time.Sleep(time.Minute)
	})
}
