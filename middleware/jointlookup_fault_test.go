package middleware_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestHotPage_NobodyWaitsLongerThanLookupTimeout: not for a lookup that does not
// end, nor when all fail after it. When it ends after all, all is well.
func TestHotPage_NobodyWaitsLongerThanLookupTimeout(t *testing.T) {
	for name, silent := range map[string]bool{"one lookup hangs": false, "memcached is silent": true} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				const limit = 300 * time.Millisecond
				s, client := newHotSite(t, &middleware.Options{TTL: time.Hour, LookupTimeout: limit}, text("page"))
				client.before = func(ctx context.Context, n int64) error {
					switch {
					case n == 1:
						time.Sleep(10 * time.Second) // whatever its context says
					case silent:
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				}
				var wg sync.WaitGroup
				go s.get("/a")
				for i := range 40 {
					at(&wg, time.Duration(1+50*i)*time.Millisecond, func() {
						start := time.Now()
						r := s.get("/a")
						if r.body != "page" || r.hit() == silent {
							t.Errorf("GET = %q (%s)", r.body, r.cacheStatus())
						}
						if took := time.Since(start); took > limit {
							t.Errorf("a request took %v, want %v at most", took, limit)
						}
					})
				}
				wg.Wait()
				time.Sleep(10 * time.Second)
				synctest.Wait() // also for the first request
				client.before = nil
				wantHitAtOnce(t, s)
			})
		})
	}
}

// TestHotPage_AFaultIsNotShared: one lookup that fails, or comes late, must not
// send everybody who waits for it to the handler.
func TestHotPage_AFaultIsNotShared(t *testing.T) {
	const limit = 100 * time.Millisecond
	for name, fault := range map[string]func(context.Context, int64) error{
		"reset": func(_ context.Context, n int64) error {
			time.Sleep(time.Millisecond)
			if n == 2 {
				return errors.New("connection reset")
			}
			return nil
		},
		"late": func(_ context.Context, n int64) error {
			if n == 1 {
				time.Sleep(limit)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				s, client := newHotSite(t, &middleware.Options{TTL: time.Hour, LookupTimeout: limit}, text("page"))
				client.before = fault
				var wg sync.WaitGroup
				for i := range 100 {
					at(&wg, time.Duration(i)*limit/1000, func() {
						if r := s.get("/a"); r.body != "page" {
							t.Errorf("GET = %q (%s)", r.body, r.cacheStatus())
						}
					})
				}
				wg.Wait()
				s.wantRuns(1)
			})
		})
	}
}

// TestHotPage_NobodyWaitsForWhoLooksUpForAll: the time of each counts for itself.
func TestHotPage_NobodyWaitsForWhoLooksUpForAll(t *testing.T) {
	inTime(t, func(t *testing.T) {
		const limit = 300 * time.Millisecond
		s, client := newHotSite(t, &middleware.Options{TTL: time.Hour, LookupTimeout: limit}, text("page"))
		client.before = func(_ context.Context, n int64) error {
			switch n {
			case 1:
				time.Sleep(50 * time.Millisecond)
			case 2:
				time.Sleep(10 * time.Second) // whatever its context says
			}
			return nil
		}
		var wg sync.WaitGroup
		wg.Go(func() { s.get("/a") })
		synctest.Wait()
		wg.Go(func() { s.get("/a") }) // is to make the next
		synctest.Wait()
		for range 5 {
			wg.Go(func() {
				start := time.Now()
				if r := s.get("/a"); r.body != "page" || time.Since(start) > limit {
					t.Errorf("GET = %q after %v, want the page within %v", r.body, time.Since(start), limit)
				}
			})
		}
		wg.Wait()
	})
}

func TestHotPage_AClientThatPanicsHoldsNobodyUp(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s, client := newHotSite(t, minute(), text("page"))
		client.after = func(n int64) {
			time.Sleep(100 * time.Millisecond)
			if n == 2 {
				panic("on purpose")
			}
		}
		var wg sync.WaitGroup
		var pages, failures atomic.Int64
		start := time.Now()
		for range 6 {
			wg.Go(func() {
				switch r := s.get("/a"); {
				case r.StatusCode == http.StatusInternalServerError:
					failures.Add(1)
				case r.body == "page":
					pages.Add(1)
				}
			})
		}
		wg.Wait()
		if pages.Load() != 5 || failures.Load() != 1 || time.Since(start) > 300*time.Millisecond {
			t.Errorf("%d pages and %d failures after %v, want 5 and 1", pages.Load(), failures.Load(), time.Since(start))
		}
		client.after = nil
		wantHitAtOnce(t, s)
	})
}
