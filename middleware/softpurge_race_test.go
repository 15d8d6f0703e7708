package middleware_test

import (
	"context"
	"fmt"
	"net/http"
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

func (c *interrupted) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	if before := c.before; before != nil {
		c.before = nil
		before()
	}
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
