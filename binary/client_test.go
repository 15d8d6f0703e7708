package memcached_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

func TestClose_EndsBlockedOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		client := newClient(t, memcached.Options{}, server)
		server.Intercept(mute("GET"))
		errs := make(chan error, 30)
		for range cap(errs) {
			go func() {
				_, err := client.Get(t.Context(), "k")
				errs <- err
			}()
		}
		synctest.Wait()
		if err := client.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		for range cap(errs) {
			if err := <-errs; !errors.Is(err, memcached.ErrClosed) {
				t.Errorf("blocked Get = %v, want ErrClosed", err)
			}
		}
		if _, err := client.Get(t.Context(), "k"); !errors.Is(err, memcached.ErrClosed) {
			t.Errorf("Get after Close = %v, want ErrClosed", err)
		}
		if err := client.Close(); err != nil {
			t.Errorf("second Close = %v", err)
		}
	})
}

func TestOperations_ClosedClient(t *testing.T) {
	for _, used := range []bool{false, true} {
		for _, replicate := range []bool{false, true} {
			server := newServer(t, nil)
			client := newClient(t, memcached.Options{Replicate: replicate}, server)
			if used {
				set(t, client, "k", "v")
			}
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			for name, do := range operations() {
				if replicate && strings.HasPrefix(name, "CompareAnd") {
					continue
				}
				wantPlainError(t, name, do(t.Context(), client), memcached.ErrClosed, "closed")
			}
			if s := client.Stats().Servers[server.Addr()]; s.Conns != 0 || s.InFlight != 0 {
				t.Errorf("Stats() after Close = %+v, want no connections", s)
			}
		}
	}
}

func TestClose_EndsEveryBlockedOperation(t *testing.T) {
	for name, do := range operations() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				client := newClient(t, memcached.Options{Timeout: time.Hour}, server)
				set(t, client, "other", "v")
				server.Intercept(answersNothing)
				done := make(chan error, 1)
				go func() { done <- do(t.Context(), client) }()
				synctest.Wait()
				start := time.Now()
				_ = client.Close()
				if err := <-done; !errors.Is(err, memcached.ErrClosed) {
					t.Errorf("%s = %v, want %v", name, err, memcached.ErrClosed)
				}
				if took := time.Since(start); took > 0 {
					t.Errorf("Close took %v", took)
				}
			})
		})
	}
}
