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

func TestHotPage_RequestsJoinLookups(t *testing.T) {
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

// TestHotPage_WhoComesAfterAPurgeJoinsNoOlderLookup: a joint lookup that has
// read the page already is not for those who come later.
func TestHotPage_WhoComesAfterAPurgeJoinsNoOlderLookup(t *testing.T) {
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

// TestHotPage_APurgeBeforeAJointLookupIsSeen: those who wait for it when the
// page is purged do not get the old one.
func TestHotPage_APurgeBeforeAJointLookupIsSeen(t *testing.T) {
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
		t.Errorf("%d requests made %d lookups: nobody joined", workers*each, n)
	}
}

// slowWriter lets time pass before it takes what it is given.
type slowWriter struct{ gin.ResponseWriter }

func (w *slowWriter) Write(p []byte) (int, error) {
	time.Sleep(time.Second)
	return w.ResponseWriter.Write(p)
}

// TestHotPage_WhatIsSharedIsNotUsedAgain while somebody still writes it.
func TestHotPage_WhatIsSharedIsNotUsedAgain(t *testing.T) {
	inTime(t, func(t *testing.T) {
		body := func(path string) string { return strings.Repeat(path+" ", 800) }
		page := func(c *gin.Context) { c.String(http.StatusOK, body(c.Request.URL.Path)) }
		above := func(c *gin.Context) {
			if c.GetHeader("X-Slow") != "" {
				c.Writer = &slowWriter{c.Writer}
			}
		}
		plain := newSite(t, nil, page)
		client := &lookupClient{Client: plain.client}
		s := newSiteWith(t, client, minute(), above, page)
		s.get("/a")
		s.get("/b")
		client.after = func(int64) { time.Sleep(100 * time.Millisecond) }
		var wg sync.WaitGroup
		wg.Go(func() { s.get("/a") })
		synctest.Wait()
		wg.Go(func() { s.get("/a") }) // looks up for all
		synctest.Wait()
		wg.Go(func() {
			if r := s.get("/a", "X-Slow: 1"); r.body != body("/a") || !r.hit() {
				t.Errorf("GET /a = %.20q (%s)", r.body, r.cacheStatus())
			}
		})
		at(&wg, 500*time.Millisecond, func() {
			for range 8 {
				wg.Go(func() { s.get("/b") })
			}
		})
		wg.Wait()
	})
}
