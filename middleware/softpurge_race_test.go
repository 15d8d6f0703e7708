package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestSoftPurge_WhatIsMadeMeanwhileIsNotFresh: it may show what was before.
func TestSoftPurge_WhatIsMadeMeanwhileIsNotFresh(t *testing.T) {
	for by, purge := range softPurges {
		for _, vary := range []string{"", "Lang"} {
			for _, known := range []string{"nothing", "another variant", "stale", "tags"} {
				t.Run(fmt.Sprintf("%s, %s, Vary: %s", by, known, vary), func(t *testing.T) {
					inTime(t, func(t *testing.T) { purgeWhileItIsMade(t, purge, vary, known) })
				})
			}
		}
	}
}

// purgeWhileItIsMade makes /blog/a stale while the handler makes it. known says what was
// stored before.
func purgeWhileItIsMade(t *testing.T, purge func(*site) error, vary, known string) {
	version := newCell("old")
	s := newSite(t, &middleware.Options{TTL: 10 * time.Second, PathTags: true}, func(c *gin.Context) {
		read := version.get()
		if c.Query("at") == "" {
			time.Sleep(2 * time.Second)
		}
		text(read, "Vary: "+vary, "Cache-Tag: tag")(c)
	})
	switch known {
	case "another variant":
		s.get("/blog/a", "Lang: b")
		time.Sleep(11 * time.Second)
	case "stale":
		s.get("/blog/a", "Lang: a")
		time.Sleep(11 * time.Second)
	case "tags":
		s.get("/blog/b?at=once")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.get("/blog/a", "Lang: a")
	}()
	time.Sleep(time.Second)
	version.set("new")
	if err := purge(s); err != nil {
		t.Error(err)
	}
	if r := s.get("/blog/a", "Lang: a"); r.body != "new" {
		t.Errorf("after the purge, while it is made: %q (%s), want new", r.body, r.cacheStatus())
	}
	<-done
	if r := s.get("/blog/a", "Lang: a"); r.body != "new" {
		t.Errorf("when it is made: %q (%s), want new", r.body, r.cacheStatus())
	}
}

// interrupted is a client that does something else before it writes by version.
type interrupted struct {
	middleware.Client
	before func()
}

func (c *interrupted) interrupt() {
	if before := c.before; before != nil {
		c.before = nil
		before()
	}
}

func (c *interrupted) Add(ctx context.Context, item *memcached.Item) error {
	if strings.HasPrefix(item.Key, "page:t") {
		c.interrupt()
	}
	return c.Client.Add(ctx, item)
}

func (c *interrupted) SetMulti(ctx context.Context, items []*memcached.Item) error {
	c.interrupt()
	return c.Client.SetMulti(ctx, items)
}

func (c *interrupted) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	c.interrupt()
	return c.Client.CompareAndSwap(ctx, item)
}

// TestSoftPurge_UndoesNoPurge that runs at the same time.
func TestSoftPurge_UndoesNoPurge(t *testing.T) {
	for _, by := range []string{"by URL", "by tag", "of everything"} {
		opts := &middleware.Options{TTL: time.Hour, StaleWhileRevalidate: time.Hour, PathTags: true}
		other := newSite(t, opts, text("x", "Cache-Tag: tag"))
		client := &interrupted{Client: other.client}
		s := newSiteWith(t, client, opts, nil, text("x", "Cache-Tag: tag"))
		s.get("/blog/a")
		s.wantPage("/blog/a", "x", "hit")
		ran := false
		client.before = func() {
			ran = true
			var err error
			switch by {
			case "by URL":
				err = other.cache.Purge(t.Context(), s.request(t.Context(), http.MethodGet, "/blog/a"))
			case "by tag":
				err = other.cache.PurgeTags(t.Context(), "tag")
			default:
				err = other.cache.PurgeAll(t.Context())
			}
			if err != nil {
				t.Errorf("%s: %v", by, err)
			}
		}
		if err := softPurges[by](s); err != nil || !ran {
			t.Errorf("%s: %v; another purge ran: %v", by, err, ran)
		}
		s.wantPage("/blog/a", "x", "fwd=uri-miss")
	}
}

// TestPurges_AnEarlierOneThatIsSlowUndoesNoLaterOne: a response whose making began
// between the two is not stored.
func TestPurges_AnEarlierOneThatIsSlowUndoesNoLaterOne(t *testing.T) {
	for _, known := range []bool{false, true} {
		for name, purge := range map[string]func(*middleware.Cache, context.Context, ...string) error{
			"purge": (*middleware.Cache).PurgeTags, "soft purge": (*middleware.Cache).SoftPurgeTags,
		} {
			t.Run(fmt.Sprint(name, ", the tag is known: ", known), func(t *testing.T) {
				inTime(t, func(t *testing.T) {
					version := newCell("old")
					handler := func(c *gin.Context) {
						read := version.get()
						if c.Request.URL.Path == "/slow" {
							time.Sleep(time.Second)
						}
						text(read, "Cache-Tag: tag")(c)
					}
					other := newSite(t, minute(), handler)
					client := &interrupted{Client: other.client}
					s := newSiteWith(t, client, minute(), nil, handler)
					if known {
						other.get("/a")
					}
					var wg sync.WaitGroup
					client.before = func() {
						wg.Go(func() { other.get("/slow") })
						time.Sleep(100 * time.Millisecond)
						version.set("new")
						if err := other.cache.PurgeTags(t.Context(), "tag"); err != nil {
							t.Error(err)
						}
					}
					if err := purge(s.cache, t.Context(), "tag"); err != nil || client.before != nil {
						t.Errorf("the earlier purge = %v, and began to write: %v", err, client.before == nil)
					}
					wg.Wait()
					if r := other.get("/slow"); r.body != "new" {
						t.Errorf("after both purges: %q (%s)", r.body, r.cacheStatus())
					}
				})
			})
		}
	}
}

// TestSoftPurge_BesideAHandlerThatConfirms: who comes after the purge does not get what
// a handler confirms that was asked before.
func TestSoftPurge_BesideAHandlerThatConfirms(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := newCell("old")
		s := newSite(t, &middleware.Options{TTL: 10 * time.Second}, func(c *gin.Context) {
			read := version.get()
			time.Sleep(2 * time.Second)
			c.Header("Cache-Tag", "tag")
			c.Header("ETag", strconv.Quote(read))
			if c.GetHeader("If-None-Match") == strconv.Quote(read) {
				c.Status(http.StatusNotModified)
				return
			}
			c.String(http.StatusOK, read)
		})
		s.get("/a")
		time.Sleep(11 * time.Second)
		var wg sync.WaitGroup
		wg.Go(func() { s.get("/a") })
		time.Sleep(time.Second)
		version.set("new")
		if err := s.cache.SoftPurgeTags(t.Context(), "tag"); err != nil {
			t.Fatal(err)
		}
		if r := s.get("/a"); r.body != "new" {
			t.Errorf("after the purge: %q (%s)", r.body, r.cacheStatus())
		}
		wg.Wait()
	})
}

// TestSoftPurge_ManyAtOnce all have their effect.
func TestSoftPurge_ManyAtOnce(t *testing.T) {
	opts := &middleware.Options{TTL: time.Hour, StaleIfError: time.Hour, PathTags: true}
	s := newSite(t, opts, text("x", "Cache-Tag: tag"))
	for by, purge := range softPurges {
		s.get("/blog/a")
		var purges sync.WaitGroup
		for range 2 * 16 {
			purges.Go(func() {
				if err := purge(s); err != nil {
					t.Errorf("%s: %v", by, err)
				}
			})
		}
		purges.Wait()
		if r := s.get("/blog/a"); r.hit() {
			t.Errorf("after many soft purges %s: %s", by, r.cacheStatus())
		}
	}
}
