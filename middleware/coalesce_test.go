package middleware_test

import (
	"context"
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
	before  func(n int64) // of the nth, before it asks memcached; nil: nothing
	after   func(n int64)
}

func (c *lookupClient) AppendValue(ctx context.Context, dst []byte, key string) (value []byte, flags uint32, err error) {
	n := c.lookups.Add(1)
	if c.before != nil {
		c.before(n)
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
		client.after = func(int64) { time.Sleep(time.Second) }
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
		if n, took := client.lookups.Load(), time.Since(start); n != 2 || took > 2*time.Second {
			t.Errorf("51 requests made %d lookups in %v, want 2 in 2s", n, took)
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
		client.after = func(int64) { time.Sleep(time.Second) } // after it has read
		var wg sync.WaitGroup
		get := func(ms time.Duration, want string) {
			at(&wg, ms*time.Millisecond, func() {
				if r := s.get("/a"); r.body != want {
					t.Errorf("GET after %d ms = %q (%s), want %q", ms, r.body, r.cacheStatus(), want)
				}
			})
		}
		get(0, "old")   // reads at once
		get(100, "old") // reads after a second, and so does the next
		get(200, "old")
		at(&wg, 1500*time.Millisecond, func() {
			version.set("new")
			s.purge("/a")
		})
		get(1600, "new")
		get(1700, "new")
		wg.Wait()
	})
}

// TestHotPage_APurgeBeforeASharedLookupIsSeen: those who wait for it when the
// page is purged do not get the old one.
func TestHotPage_APurgeBeforeASharedLookupIsSeen(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := newCell("old")
		s, client := newHotSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, version.get()) })
		client.after = func(int64) { time.Sleep(time.Second) }
		var wg sync.WaitGroup
		wg.Go(func() { s.get("/a") })
		for range 3 {
			at(&wg, 100*time.Millisecond, func() {
				if r := s.get("/a"); r.body != "new" {
					t.Errorf("GET = %q (%s), want new", r.body, r.cacheStatus())
				}
			})
		}
		at(&wg, 500*time.Millisecond, func() {
			version.set("new")
			s.purge("/a")
		})
		wg.Wait()
	})
}

// TestHotPage_NobodyWaitsLongerThanLookupTimeout: not for a lookup that does not
// end, nor for one that waits for it. When it ends after all, all is well.
func TestHotPage_NobodyWaitsLongerThanLookupTimeout(t *testing.T) {
	inTime(t, func(t *testing.T) {
		const limit = 300 * time.Millisecond
		s, client := newHotSite(t, &middleware.Options{TTL: time.Hour, LookupTimeout: limit}, text("page"))
		client.before = func(n int64) {
			if n == 1 {
				time.Sleep(10 * time.Second) // whatever its context says
			}
		}
		var wg sync.WaitGroup
		go s.get("/a")
		for i := range 40 {
			at(&wg, time.Duration(1+50*i)*time.Millisecond, func() {
				start := time.Now()
				if r := s.get("/a"); r.StatusCode != http.StatusOK || r.body != "page" {
					t.Errorf("GET = %d %q, want the page", r.StatusCode, r.body)
				}
				if took := time.Since(start); took > limit+100*time.Millisecond {
					t.Errorf("a request took %v, want %v", took, limit)
				}
			})
		}
		wg.Wait()
		if n := client.lookups.Load(); n != 1 {
			t.Errorf("%d lookups, want none but the one that hangs", n)
		}
		time.Sleep(10 * time.Second)
		if r := s.get("/a"); !r.hit() {
			t.Errorf("afterwards: %s, want a hit", r.cacheStatus())
		}
	})
}

// TestHotPage_NobodyWaitsForWhoLooksUpForAll: the time of each counts for itself.
func TestHotPage_NobodyWaitsForWhoLooksUpForAll(t *testing.T) {
	inTime(t, func(t *testing.T) {
		const limit = 300 * time.Millisecond
		s, client := newHotSite(t, &middleware.Options{TTL: time.Hour, LookupTimeout: limit}, text("page"))
		client.before = func(n int64) {
			switch n {
			case 1:
				time.Sleep(100 * time.Millisecond)
			case 2:
				time.Sleep(10 * time.Second) // whatever its context says
			}
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
		client.after = func(int64) { time.Sleep(time.Second) }
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
			time.Sleep(time.Second)
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
		if pages.Load() != 5 || failures.Load() != 1 || time.Since(start) > 3*time.Second {
			t.Errorf("%d pages and %d failures after %v, want 5 and 1", pages.Load(), failures.Load(), time.Since(start))
		}
		if r := s.get("/a"); !r.hit() {
			t.Errorf("afterwards: %s, want a hit", r.cacheStatus())
		}
	})
}

// TestHotPage_WhatIsSharedStaysAsItIs although middleware above does to each
// response what it likes.
func TestHotPage_WhatIsSharedStaysAsItIs(t *testing.T) {
	body := strings.Repeat("page ", 2000)
	above := func(c *gin.Context) {
		c.Next()
		for name, values := range c.Writer.Header() {
			for i := range values {
				values[i] = strings.ToUpper(values[i])
			}
			c.Writer.Header()[name] = append(values, "more")
		}
	}
	plain := newSite(t, nil, text(body, "X-Page: a"))
	client := &lookupClient{Client: plain.client}
	s := newSiteWith(t, client, minute(), above, text(body, "X-Page: a")).listen()
	s.get("/a")
	client.lookups.Store(0)
	client.after = func(int64) { time.Sleep(time.Millisecond) }
	const workers, each = 16, 50
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				r := s.get("/a")
				if r.body != body || fmt.Sprint(r.Header["X-Page"]) != "[a]" || !r.hit() {
					t.Errorf("GET gave %d bytes, X-Page %q (%s)", len(r.body), r.Header["X-Page"], r.cacheStatus())
				}
			}
		})
	}
	wg.Wait()
	if n := client.lookups.Load(); n >= workers*each {
		t.Errorf("%d requests made %d lookups: nothing was shared", workers*each, n)
	}
}
