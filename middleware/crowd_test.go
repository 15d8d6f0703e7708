package middleware_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// crowdPage writes a page that says whose it is, in pieces, in one of the ways in
// which handlers write.
func crowdPage(c *gin.Context) {
	id := c.Request.URL.Path
	n, _ := strconv.Atoi(c.Query("n"))
	c.Header("Cache-Control", "max-age=1, stale-while-revalidate=1, stale-if-error=1")
	c.Header("Vary", "X-Variant")
	c.Header("Cache-Tag", "tag"+id)
	c.Header("X-Page", id)
	mark := id + " " + c.GetHeader("X-Variant") + "\n"
	switch rand.IntN(20) {
	case 0:
		panic("on purpose")
	case 1:
		c.AbortWithStatus(http.StatusServiceUnavailable)
		return
	case 2:
		c.Header("Set-Cookie", "private=1")
	case 3:
		time.Sleep(5 * time.Millisecond)
	case 4:
		c.Header("Content-Length", strconv.Itoa(n*len(mark)))
	}
	c.Status(http.StatusOK)
	for i := range n {
		_, _ = io.WriteString(c.Writer, mark)
		if i == n/2 && rand.IntN(20) == 0 {
			c.Writer.Flush()
		}
	}
}

// TestCrowd_EveryResponseBelongsToItsRequest has many clients use, leave and
// purge a site with two processes while memcached misbehaves. Whatever is
// answered must be the page that was asked for, whole, and no one else's.
func TestCrowd_EveryResponseBelongsToItsRequest(t *testing.T) {
	memory := memcachedtest.Start(t, nil)
	var sites []*site
	for range 2 {
		opts := &middleware.Options{LookupTimeout: 200 * time.Millisecond, MaxBody: 64 << 10}
		above := func(c *gin.Context) { c.Header("X-Request-Id", c.GetHeader("X-Request-Id")) }
		sites = append(sites, newSiteAbove(t, memory, opts, above, crowdPage).listen())
	}
	memory.Intercept(func(memcachedtest.Request) memcachedtest.Action {
		switch rand.IntN(2000) {
		case 0:
			return memcachedtest.Action{Close: true, Edit: func(b []byte) []byte { return b[:len(b)/2] }}
		case 1:
			return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
		case 2:
			return memcachedtest.Action{Delay: 300 * time.Millisecond}
		}
		return memcachedtest.Action{}
	})
	requests := 100
	if testing.Short() {
		requests = 25
	}
	var hits, answered atomic.Int64
	var wg sync.WaitGroup
	enough := func() bool { return answered.Load() >= 100 && hits.Load() > 0 }
	end := time.Now().Add(10 * time.Second) // a busy machine does less, but enough
	for worker := range 16 {
		wg.Go(func() {
			for i := range requests {
				if enough() && time.Now().After(end) {
					return
				}
				s := sites[rand.IntN(2)]
				hit, ok := crowdRequest(t, s, fmt.Sprint(worker, ".", i))
				if ok {
					answered.Add(1)
				}
				if hit {
					hits.Add(1)
				}
				switch rand.IntN(100) {
				case 0:
					_ = s.cache.Purge(t.Context(), s.request(t.Context(), http.MethodGet, "/"+strconv.Itoa(rand.IntN(8))+"?n=10"))
				case 1:
					_ = s.cache.PurgeTags(t.Context(), "tag/"+strconv.Itoa(rand.IntN(8)))
				}
			}
		})
	}
	wg.Wait()
	if !enough() {
		t.Errorf("%d requests were answered, %d from the cache: this shows nothing", answered.Load(), hits.Load())
	}
}

// crowdRequest asks for a random page in a random way and checks the answer. It
// reports whether it was a hit, and whether there was an answer.
func crowdRequest(t *testing.T, s *site, id string) (hit, ok bool) {
	n := []int{0, 1, 10, 1000, 12_000}[rand.IntN(5)]
	page := "/" + strconv.Itoa(rand.IntN(8))
	variant := strconv.Itoa(rand.IntN(3))
	ctx := t.Context()
	if rand.IntN(20) == 0 {
		short, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(3000))*time.Microsecond)
		defer cancel()
		ctx = short
	}
	request := s.request(ctx, http.MethodGet, page+"?n="+strconv.Itoa(n), "X-Variant: "+variant, "X-Request-Id: "+id)
	ranged := rand.IntN(20) == 0
	if ranged {
		request.Header.Set("Range", "bytes=0-3")
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return false, false
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if got := answer.Header.Get("X-Request-Id"); got != id {
		t.Errorf("request %s got the response to %s", id, got)
	}
	if err != nil || answer.StatusCode >= 500 {
		return false, false
	}
	want := strings.Repeat(page+" "+variant+"\n", n)
	if answer.StatusCode == http.StatusPartialContent {
		want = want[:4]
	}
	if answer.StatusCode != http.StatusRequestedRangeNotSatisfiable && string(body) != want {
		t.Errorf("%s, variant %s, %d lines: %d with %d bytes beginning %.12q (%s), want %d", page, variant, n,
			answer.StatusCode, len(body), body, answer.Header["Cache-Status"], len(want))
	}
	return strings.Contains(answer.Header.Get("Cache-Status"), "; hit"), true
}
