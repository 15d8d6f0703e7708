package middleware_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestTags_WhoComesAfterThePurgeDoesNotGetWhatBeganBefore: nor from the request
// that is still making it.
func TestTags_WhoComesAfterThePurgeDoesNotGetWhatBeganBefore(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := newCell("old")
		s := newSite(t, minute(), func(c *gin.Context) {
			read := version.get()
			time.Sleep(10 * time.Second)
			c.Header("Cache-Tag", "a")
			c.String(http.StatusOK, read)
		})
		go s.get("/a")
		time.Sleep(time.Second)
		version.set("new")
		s.purgeTags("a")
		time.Sleep(time.Second)
		if r := s.get("/a"); r.body != "new" {
			t.Errorf("a second after the purge = %q (%s), want new", r.body, r.cacheStatus())
		}
	})
}

func TestTags_ConcurrentRequestsShareATaggedResponse(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), slow(text("x", "Cache-Tag: a")))
		together(10, "/a", s)
		s.wantRuns(1)
	})
}

func TestTags_NobodyWaitsForAResponseWithTooMany(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), slow(func(c *gin.Context) {
			for i := range 200 {
				c.Writer.Header().Add("Cache-Tag", strconv.Itoa(i))
			}
			c.String(http.StatusOK, "x")
		}))
		began := time.Now()
		together(10, "/a", s)
		if took := time.Since(began); took > 2200*time.Millisecond {
			t.Errorf("10 requests took %v, want two runs of a second: the first, then all others at once", took)
		}
	})
}

// TestPurge_WhoComesAfterItDoesNotGetAnOlderRevalidation: what was purged, made
// anew and stale again is not the entry that a slow run began to revalidate.
func TestPurge_WhoComesAfterItDoesNotGetAnOlderRevalidation(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version, pause := newCell("old"), time.Duration(0)
		s := newSite(t, nil, func(c *gin.Context) {
			read := version.get()
			time.Sleep(pause)
			c.Header("Cache-Control", "max-age=1")
			c.String(http.StatusOK, read)
		})
		s.get("/a")
		time.Sleep(2 * time.Second)
		pause = 10 * time.Second
		go s.get("/a") // validates
		synctest.Wait()
		version.set("new")
		pause = 0
		s.purge("/a")
		s.get("/a")
		time.Sleep(2 * time.Second)
		if r := s.get("/a"); r.body != "new" {
			t.Errorf("after the purge = %q (%s), want new", r.body, r.cacheStatus())
		}
	})
}

// late is a client that gets answers about tags a second after they were true.
type late struct{ middleware.Client }

func (c late) GetMulti(ctx context.Context, keys []string) (map[string]*memcached.Item, error) {
	items, err := c.Client.GetMulti(ctx, keys)
	if strings.HasPrefix(keys[0], "page:t") {
		time.Sleep(time.Second)
	}
	return items, err
}

// TestTags_NobodyJoinsWhileTagsAreChecked: a purge may come between the check and
// the end of the run.
func TestTags_NobodyJoinsWhileTagsAreChecked(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := newCell("old")
		plain := newSite(t, nil, nil)
		s := newSiteWith(t, late{plain.client}, minute(), nil, func(c *gin.Context) {
			read := version.get()
			time.Sleep(2 * time.Second)
			c.Header("Cache-Tag", "a")
			c.String(http.StatusOK, read)
		})
		s.get("/other") // the tag is known
		done := make(chan struct{})
		go func() { s.get("/a"); close(done) }()
		time.Sleep(2500 * time.Millisecond)
		version.set("new")
		s.purgeTags("a")
		if r := s.get("/a"); r.body != "new" {
			t.Errorf("after the purge = %q (%s), want new", r.body, r.cacheStatus())
		}
		<-done
	})
}

// TestPurge_ReachesWhatWasFetchedByTLS, directly or behind a proxy.
func TestPurge_ReachesWhatWasFetchedByTLS(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) { c.String(http.StatusOK, "%v", c.Request.TLS != nil) })
	for _, proto := range []string{"", "http", "https"} {
		secure := func() response {
			r := s.request(t.Context(), http.MethodGet, "/a", "X-Forwarded-Proto: "+proto)
			r.TLS = &tls.ConnectionState{}
			return s.send(r)
		}
		s.get("/a", "X-Forwarded-Proto: "+proto)
		if r := secure(); r.body != "true" {
			t.Errorf("%q: by TLS %q, want a response of its own", proto, r.body)
		}
		if !secure().hit() {
			t.Errorf("%q: by TLS no hit", proto)
		}
		s.purge("/a")
		if secure().hit() {
			t.Errorf("%q: by TLS a hit after the purge", proto)
		}
	}
}

// TestTags_WhatIsLostDuringARunMayHaveBeenAPurge.
func TestTags_WhatIsLostDuringARunMayHaveBeenAPurge(t *testing.T) {
	tests := map[string]func(s *site){
		"the tag":               func(s *site) { s.purgeTags("a"); s.evict("page:t") },
		"the counter goes back": func(s *site) { s.setPurges("5"); s.purgeTags("a") },
		"the counter":           func(s *site) { s.purgeTags("a"); s.evict("page:t"); s.evict("page:n") },
	}
	for name, lose := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				version := newCell("old")
				s := newSite(t, minute(), func(c *gin.Context) {
					read := version.get()
					time.Sleep(2 * time.Second)
					c.Header("Cache-Tag", "a")
					c.String(http.StatusOK, read)
				})
				done := make(chan struct{})
				go func() { s.get("/a"); close(done) }()
				time.Sleep(time.Second)
				version.set("new")
				lose(s)
				<-done
				if r := s.get("/a"); r.body != "new" {
					t.Errorf("after the purge = %q (%s), want new", r.body, r.cacheStatus())
				}
			})
		})
	}
}
