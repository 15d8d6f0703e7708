package middleware_test

import (
	"bytes"
	"context"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// heap is what is in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // also what pools had
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// idlers are clients that read nothing.
type idlers struct {
	s  *site
	wg sync.WaitGroup
}

// come has another client ask, until it waits for its response or for the client.
func (i *idlers) come(path string, lines ...string) {
	i.wg.Go(func() {
		client := &reader{header: http.Header{}, pause: time.Hour}
		i.s.router.ServeHTTP(client, i.s.request(context.Background(), http.MethodGet, path, lines...))
	})
	synctest.Wait()
}

// TestAbuse_ClientsThatDoNotReadStoredPagesTakeBoundedMemory, although each page is one
// item of memcached: of one page, they all take what one does, and of many, what
// MaxRecordings says.
func TestAbuse_ClientsThatDoNotReadStoredPagesTakeBoundedMemory(t *testing.T) {
	const clients, size, bound = 24, 200 << 10, 600 << 10
	big := bytes.Repeat([]byte("x"), size) // the handler takes no memory
	ways := map[string]struct {
		lines []string // of the response
		ask   []string // of requests after the first
	}{
		"a plain page":   {},
		"a page of tags": {lines: []string{"Cache-Tag: tag"}},
		"a variant":      {lines: []string{"Vary: X-Of"}, ask: []string{"X-Of: "}},
		"for a while":    {lines: []string{"Cache-Control: max-age=600"}, ask: []string{"Cache-Control: max-stale"}},
		"confirmed":      {lines: []string{"Cache-Control: no-cache", `Etag: "1"`}},
		"asked for":      {lines: []string{"Cache-Control: max-age=600", `Etag: "1"`}, ask: []string{"Cache-Control: no-cache"}},
	}
	for name, way := range ways {
		for _, pages := range []int{1, clients} {
			t.Run(name+"/"+strconv.Itoa(pages), func(t *testing.T) {
				inTime(t, func(t *testing.T) {
					opts := &middleware.Options{TTL: time.Hour, MaxBody: bound, MaxRecordings: bound}
					s := newSiteAbove(t, memcachedtest.Start(t, nil), opts, nil, func(c *gin.Context) {
						setLines(c, way.lines...)
						if c.GetHeader("If-None-Match") != "" {
							c.Status(http.StatusNotModified)
							return
						}
						c.Status(http.StatusOK)
						_, _ = c.Writer.Write(big)
					})
					for i := range pages {
						for range 2 {
							s.get("/"+strconv.Itoa(i), way.ask...)
						}
					}
					before := heap()
					idle := &idlers{s: s}
					for i := range clients {
						idle.come("/"+strconv.Itoa(i%pages), way.ask...)
					}
					// What else is in use varies by megabytes.
					if grown := heap() - before; grown > clients*size/2 {
						t.Errorf("%d clients that do not read take %d KiB, want at most about %d, as without a bound %d",
							clients, grown>>10, bound>>10, clients*size>>10)
					}
					r := s.get("/0", way.ask...)
					if len(r.body) != size {
						t.Errorf("another visitor gets %d bytes, want %d", len(r.body), size)
					}
					idle.wg.Wait()
				})
			})
		}
	}
}

// TestBodies_SmallOnesAreNotCounted: clients that do not read them do not send others to
// the handler. Those of a byte more do.
func TestBodies_SmallOnesAreNotCounted(t *testing.T) {
	const most = 64 << 10
	inTime(t, func(t *testing.T) {
		opts := &middleware.Options{TTL: 24 * time.Hour, MaxBody: 2 * most, MaxRecordings: 2 * most}
		s := newSite(t, opts, func(c *gin.Context) {
			size := most
			if strings.HasPrefix(c.Request.URL.Path, "/large") {
				size++
			}
			text(strings.Repeat("x", size))(c)
		})
		idle := &idlers{s: s}
		for i, path := range []string{"/small0", "/small1", "/small2", "/large0", "/large1", "/large2"} {
			s.get(path)
			if r, want := s.get(path), i < 4; r.hit() != want {
				t.Errorf("%s: %s, want a hit: %v", path, r.cacheStatus(), want)
			} else if !want && r.cacheStatus() != "bmemcached; fwd=bypass; detail=no-room" {
				t.Errorf("%s: %s, want it to say that there is no room", path, r.cacheStatus())
			}
			idle.come(path)
		}
		idle.wg.Wait()
		if r := s.get("/large2"); !r.hit() {
			t.Errorf("afterwards: %s, want a hit", r.cacheStatus())
		}
	})
}

// TestBodies_TheLargestFits, although it comes with a header, and in room that may be larger.
func TestBodies_TheLargestFits(t *testing.T) {
	for _, size := range []int{70 << 10, 200 << 10, 900 << 10} {
		opts := &middleware.Options{TTL: time.Minute, MaxBody: int64(size), MaxRecordings: int64(size)}
		s := newSite(t, opts, text(strings.Repeat("x", size), "X-Field: "+strings.Repeat("y", 1<<10)))
		s.get("/a")
		for range 3 {
			if n, r := roundTrips(s, http.MethodGet, "/a"); !r.hit() || len(r.body) != size || n != 1 {
				t.Errorf("%d bytes of %d in %d round trips: %s, want a hit in one", len(r.body), size, n, r.cacheStatus())
			}
		}
	}
}

// TestAbuse_ClientsThatShareARunAndDoNotReadTakeBoundedMemory: the response of a handler
// is in memory until the last of those who waited for it has read it.
func TestAbuse_ClientsThatShareARunAndDoNotReadTakeBoundedMemory(t *testing.T) {
	const pages, size, bound = 60, 200 << 10, 1 << 20
	big := bytes.Repeat([]byte("x"), size)
	inTime(t, func(t *testing.T) {
		opts := &middleware.Options{TTL: 24 * time.Hour, MaxBody: bound, MaxRecordings: bound}
		s := newSite(t, opts, func(c *gin.Context) {
			time.Sleep(time.Second)
			c.Status(http.StatusOK)
			_, _ = c.Writer.Write(big)
		})
		before := heap()
		idle := &idlers{s: s}
		var stored int64
		for i := range pages {
			path := "/" + strconv.Itoa(i)
			var first sync.WaitGroup
			first.Go(func() { s.get(path) })
			synctest.Wait()
			for range 3 {
				idle.come(path)
			}
			first.Wait()
			synctest.Wait()
			stored += size
		}
		// What else is in use varies by megabytes.
		if grown := heap() - before - stored; grown > pages*size/2 {
			t.Errorf("%d clients that do not read take %d KiB, want about %d, as without a bound %d", 3*pages, grown>>10, bound>>10, pages*size>>10)
		}
		idle.wg.Wait()
		if r := s.get("/0"); !r.hit() || len(r.body) != size {
			t.Errorf("afterwards %d bytes (%s), want a hit", len(r.body), r.cacheStatus())
		}
	})
}

// checker is a client that takes its time, and looks at what it was given before and after.
type checker struct {
	header http.Header
	wait   func()
	body   []byte
	bad    bool
}

func (c *checker) Header() http.Header { return c.header }

func (c *checker) WriteHeader(int) {}

func (c *checker) Write(p []byte) (int, error) {
	c.body = bytes.Clone(p)
	c.wait()
	c.bad = c.bad || !bytes.Equal(p, c.body)
	return len(p), nil
}

// TestHold_NobodyWritesToWhatIsBeingSent: room for bodies is used again when the last
// client has its response, and not before, whichever way the requests come.
func TestHold_NobodyWritesToWhatIsBeingSent(t *testing.T) {
	const pages, visits = 6, 60
	inTime(t, func(t *testing.T) {
		var version atomic.Int64
		opts := &middleware.Options{TTL: time.Hour, MaxRecordings: 64 << 20}
		s := newSite(t, opts, func(c *gin.Context) {
			n, _ := strconv.Atoi(c.Request.URL.Path[1:])
			if n%3 == 1 {
				c.Header("Cache-Tag", "tag")
			}
			char := byte('a' + n)
			c.Header("X-Page", string(char)+strconv.FormatInt(version.Load(), 10))
			c.Header("Etag", `"1"`)
			if c.GetHeader("If-None-Match") != "" {
				c.Status(http.StatusNotModified)
				return
			}
			c.Status(http.StatusOK)
			_, _ = c.Writer.Write(bytes.Repeat([]byte{char}, (60+n*20)<<10))
		})
		var wg sync.WaitGroup
		for i := range visits {
			for n := range pages {
				var ask []string
				if i%5 == 4 {
					ask = []string{"Cache-Control: no-cache"}
				}
				wg.Go(func() {
					client := &checker{header: http.Header{}, wait: func() { time.Sleep(time.Duration(i*7%11) * 100 * time.Millisecond) }}
					s.router.ServeHTTP(client, s.request(context.Background(), http.MethodGet, "/"+strconv.Itoa(n), ask...))
					char := byte('a' + n)
					page := client.header.Get("X-Page")
					if client.bad || len(page) == 0 || page[0] != char || len(client.body) != (60+n*20)<<10 || bytes.Count(client.body, []byte{char}) != len(client.body) {
						t.Errorf("page %d: %q and %d bytes, of which %d are its own; changed while it was sent: %v",
							n, page, len(client.body), bytes.Count(client.body, []byte{char}), client.bad)
					}
				})
			}
			version.Add(1)
			if i%4 == 3 {
				time.Sleep(150 * time.Millisecond)
			}
		}
		wg.Wait()
	})
}
