package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// lookupClient is a client whose lookups of pages a test counts and holds up.
type lookupClient struct {
	middleware.Client
	lookups atomic.Int64
	before  func(ctx context.Context, n int64) error // the nth asks memcached; nil: nothing
	after   func(n int64)
}

func (c *lookupClient) AppendValue(ctx context.Context, dst []byte, key string) (value []byte, flags uint32, err error) {
	n := c.lookups.Add(1)
	if c.before != nil {
		if err := c.before(ctx, n); err != nil {
			return dst, 0, err
		}
	}
	value, flags, err = c.Client.AppendValue(ctx, dst, key)
	if c.after != nil {
		c.after(n)
	}
	return value, flags, err
}

// newHotSite returns a site that has stored /a, and the client that it looks
// into memcached with.
func newHotSite(t *testing.T, opts *middleware.Options, handler gin.HandlerFunc) (*site, *lookupClient) {
	t.Helper()
	plain := newSite(t, nil, handler)
	client := &lookupClient{Client: plain.client}
	s := newSiteWith(t, client, opts, nil, handler)
	s.get("/a")
	if r := s.get("/a"); !r.hit() {
		t.Fatalf("the page is not stored: %s", r.cacheStatus())
	}
	client.lookups.Store(0)
	s.runs.Store(0)
	return s, client
}

// wantHitAtOnce checks that nobody waits for the past.
func wantHitAtOnce(t *testing.T, s *site) {
	t.Helper()
	start := time.Now()
	if r := s.get("/a"); !r.hit() || time.Since(start) > 0 {
		t.Errorf("afterwards: %s after %v, want a hit at once", r.cacheStatus(), time.Since(start))
	}
}

// at runs f after d.
func at(wg *sync.WaitGroup, d time.Duration, f func()) {
	wg.Go(func() {
		time.Sleep(d)
		f()
	})
}

func TestHotPage_RequestsShareLookups(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s, client := newHotSite(t, minute(), text("page"))
		client.after = func(int64) { time.Sleep(500 * time.Millisecond) }
		var wg sync.WaitGroup
		want := func() {
			if r := s.get("/a"); !r.hit() || r.body != "page" {
				t.Errorf("GET = %q (%s), want a hit", r.body, r.cacheStatus())
			}
		}
		start := time.Now()
		wg.Go(want)
		for i := range 50 {
			at(&wg, time.Duration(1+i)*time.Millisecond, want)
		}
		wg.Wait()
		if n, took := client.lookups.Load(), time.Since(start); n != 2 || took > time.Second {
			t.Errorf("51 requests made %d lookups in %v, want 2 in 1s", n, took)
		}
		s.get("/a")
		if n := client.lookups.Load(); n != 3 {
			t.Errorf("one more request made %d lookups, want 1", n-2)
		}
	})
}

func TestHotPage_PagesDoNotWaitForOthers(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s, client := newHotSite(t, minute(), text("page"))
		s.get("/b")
		client.lookups.Store(0)
		client.after = func(int64) { time.Sleep(time.Second) }
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { s.get("/a") })
		wg.Go(func() { s.get("/b") })
		wg.Wait()
		if took := time.Since(start); took != time.Second {
			t.Errorf("two pages took %v, want 1s", took)
		}
	})
}

// TestHotPage_WhoComesAfterAPurgeSharesNoOlderLookup: a shared lookup that has
// read the page already is not for those who come later.
func TestHotPage_WhoComesAfterAPurgeSharesNoOlderLookup(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := newCell("old")
		s, client := newHotSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, version.get()) })
		client.after = func(int64) { time.Sleep(250 * time.Millisecond) } // after it has read
		var wg sync.WaitGroup
		get := func(ms time.Duration, want string) {
			at(&wg, ms*time.Millisecond, func() {
				if r := s.get("/a"); r.body != want {
					t.Errorf("GET after %d ms = %q (%s), want %q", ms, r.body, r.cacheStatus(), want)
				}
			})
		}
		get(0, "old")  // reads at once
		get(25, "old") // reads after 250 ms, and so does the next
		get(50, "old")
		at(&wg, 375*time.Millisecond, func() {
			version.set("new")
			s.purge("/a")
		})
		get(400, "new")
		get(425, "new")
		wg.Wait()
	})
}

// TestHotPage_APurgeBeforeASharedLookupIsSeen: those who wait for it when the
// page is purged do not get the old one.
func TestHotPage_APurgeBeforeASharedLookupIsSeen(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := newCell("old")
		s, client := newHotSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, version.get()) })
		client.after = func(int64) { time.Sleep(250 * time.Millisecond) }
		var wg sync.WaitGroup
		wg.Go(func() { s.get("/a") })
		for range 3 {
			at(&wg, 25*time.Millisecond, func() {
				if r := s.get("/a"); r.body != "new" {
					t.Errorf("GET = %q (%s), want new", r.body, r.cacheStatus())
				}
			})
		}
		at(&wg, 125*time.Millisecond, func() {
			version.set("new")
			s.purge("/a")
		})
		wg.Wait()
	})
}

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

func TestHotPage_AClientThatLeavesLeavesTheLookupToTheOthers(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s, client := newHotSite(t, minute(), text("page"))
		client.after = func(int64) { time.Sleep(100 * time.Millisecond) }
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { s.get("/a") })
		synctest.Wait()
		wg.Go(func() { s.send(s.request(ctx, http.MethodGet, "/a")) }) // is to make the next
		synctest.Wait()
		for range 5 {
			wg.Go(func() {
				if r := s.get("/a"); !r.hit() {
					t.Errorf("GET: %s, want a hit", r.cacheStatus())
				}
			})
		}
		synctest.Wait()
		leave()
		wg.Wait()
		if n := client.lookups.Load(); n != 2 {
			t.Errorf("%d lookups, want 2", n)
		}
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

// TestHotPage_WhatIsSharedStaysAsItIs although middleware above does to each
// response what it likes, and other pages are looked up meanwhile.
func TestHotPage_WhatIsSharedStaysAsItIs(t *testing.T) {
	body := func(path string) string { return strings.Repeat(path+" ", 800) }
	page := func(c *gin.Context) {
		c.Header("X-Page", c.Request.URL.Path)
		c.String(http.StatusOK, body(c.Request.URL.Path))
	}
	above := func(c *gin.Context) {
		c.Next()
		for name, values := range c.Writer.Header() {
			for i := range values {
				values[i] = strings.ToUpper(values[i])
			}
			c.Writer.Header()[name] = append(values, "more")
		}
	}
	plain := newSite(t, nil, page)
	client := &lookupClient{Client: plain.client}
	s := newSiteWith(t, client, minute(), above, page).listen()
	s.get("/a")
	s.get("/b")
	client.lookups.Store(0)
	client.after = func(int64) { time.Sleep(time.Millisecond) }
	const workers, each = 16, 50
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			path := []string{"/a", "/b"}[worker%2]
			for range each {
				r := s.get(path)
				if r.body != body(path) || fmt.Sprint(r.Header["X-Page"]) != "["+path+"]" || !r.hit() {
					t.Errorf("GET %s gave %d bytes, X-Page %q (%s)", path, len(r.body), r.Header["X-Page"], r.cacheStatus())
				}
			}
		})
	}
	wg.Wait()
	if n := client.lookups.Load(); n >= workers*each {
		t.Errorf("%d requests made %d lookups: nothing was shared", workers*each, n)
	}
}
