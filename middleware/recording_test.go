package middleware_test

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// TestAbuse_ClientsThatDoNotReadTakeBoundedMemory: of a page that is missing, and of
// one that is stored in chunks.
func TestAbuse_ClientsThatDoNotReadTakeBoundedMemory(t *testing.T) {
	const clients, size, bound = 40, 3 << 20, 8 << 20
	part := strings.Repeat("x", 64<<10)
	inTime(t, func(t *testing.T) {
		s := newSite(t, &middleware.Options{TTL: time.Hour, MaxBody: 4 << 20, MaxRecordings: bound}, func(c *gin.Context) {
			c.Status(http.StatusOK)
			for range size / len(part) {
				_, _ = c.Writer.WriteString(part)
			}
		})
		heap := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		if r := s.get("/stored"); len(r.body) != size {
			t.Fatalf("the page has %d bytes, want %d", len(r.body), size)
		}
		if !s.get("/stored").hit() {
			t.Fatal("the page is not stored")
		}
		before := heap()
		var wg sync.WaitGroup
		for i := range clients {
			for _, path := range []string{"/stored", "/missing" + strconv.Itoa(i)} {
				wg.Go(func() {
					client := &reader{header: http.Header{}, reads: size - len(part)/2, pause: time.Hour}
					s.router.ServeHTTP(client, s.request(t.Context(), http.MethodGet, path))
				})
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if grown := int64(heap()) - int64(before); grown > 3*bound {
			t.Errorf("%d clients that do not read take %d MiB, want about %d", 2*clients, grown>>20, bound>>20)
		}
		if r := s.get("/other"); len(r.body) != size {
			t.Errorf("another visitor gets %d bytes, want %d", len(r.body), size)
		}
		if r := s.get("/other"); !r.hit() {
			t.Logf("another page is not stored meanwhile: %s", r.cacheStatus())
		}
		wg.Wait()
		s.get("/later")
		if r := s.get("/later"); !r.hit() || len(r.body) != size {
			t.Errorf("afterwards %d bytes (%s), want a hit: the memory was given back", len(r.body), r.cacheStatus())
		}
	})
}

// TestRecordings_OfClientsThatDoNotReadGiveWay: others can still store.
func TestRecordings_OfClientsThatDoNotReadGiveWay(t *testing.T) {
	const size = 1 << 20
	part := strings.Repeat("x", 64<<10)
	inTime(t, func(t *testing.T) {
		s := newSite(t, &middleware.Options{TTL: time.Hour, MaxBody: 2 << 20, MaxRecordings: 2 << 20}, func(c *gin.Context) {
			c.Status(http.StatusOK)
			for range size / len(part) {
				_, _ = c.Writer.WriteString(part)
			}
		})
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				client := &reader{header: http.Header{}, reads: size / 2, pause: time.Hour}
				s.router.ServeHTTP(client, s.request(t.Context(), http.MethodGet, "/slow"+strconv.Itoa(i)))
			})
		}
		time.Sleep(10 * time.Second)
		s.get("/a")
		if r := s.get("/a"); !r.hit() || len(r.body) != size {
			t.Errorf("beside clients that do not read: %d bytes (%s), want a hit", len(r.body), r.cacheStatus())
		}
		wg.Wait()
	})
}

// TestAbuse_ClientsThatDoNotReadWhatIsStoredKeepNothingFromBeingStored: the body of a
// response in chunks is theirs until they have read it.
func TestAbuse_ClientsThatDoNotReadWhatIsStoredKeepNothingFromBeingStored(t *testing.T) {
	const size = 2 << 20
	big := text(strings.Repeat("x", size))
	inTime(t, func(t *testing.T) {
		s := newSite(t, &middleware.Options{TTL: time.Hour, MaxBody: size, MaxRecordings: 2 * size}, func(c *gin.Context) {
			if c.Request.URL.Path == "/big" {
				big(c)
				return
			}
			c.String(http.StatusOK, "small")
		})
		s.get("/big")
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				client := &reader{header: http.Header{}, reads: size / 2, pause: time.Hour}
				s.router.ServeHTTP(client, s.request(t.Context(), http.MethodGet, "/big"))
			})
		}
		time.Sleep(time.Minute)
		s.get("/small")
		if r := s.get("/small"); !r.hit() {
			t.Errorf("beside clients that do not read: %s, want a hit", r.cacheStatus())
		}
		wg.Wait()
	})
}

// TestAbuse_ClientsThatDoNotReadAPageKeepItFromNobody: they have its body in common.
func TestAbuse_ClientsThatDoNotReadAPageKeepItFromNobody(t *testing.T) {
	const size = 3 << 20
	inTime(t, func(t *testing.T) {
		opts := &middleware.Options{TTL: time.Hour, MaxBody: size, MaxRecordings: 2 * size}
		s := newSite(t, opts, text(strings.Repeat("x", size), "Cache-Tag: tag"))
		s.get("/big")
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				client := &reader{header: http.Header{}, reads: size / 2, pause: time.Hour}
				s.router.ServeHTTP(client, s.request(t.Context(), http.MethodGet, "/big"))
			})
			wg.Go(func() { // beside them, at the same time
				if r := s.get("/big"); len(r.body) != size || !r.hit() {
					t.Errorf("%d bytes (%s), want a hit", len(r.body), r.cacheStatus())
				}
			})
		}
		time.Sleep(time.Minute)
		for range 3 {
			if r := s.get("/big"); len(r.body) != size || !r.hit() {
				t.Errorf("beside clients that do not read: %d bytes (%s), want a hit", len(r.body), r.cacheStatus())
			}
		}
		s.purgeTags("tag") // also of those that are in memory
		if r := s.get("/big"); r.hit() {
			t.Errorf("after a purge: %s", r.cacheStatus())
		}
		s.wantRuns(2)
		wg.Wait()
	})
}

// TestRecordings_RevalidationInTheBackgroundGivesBack what it read.
func TestRecordings_RevalidationInTheBackgroundGivesBack(t *testing.T) {
	const size = 2 << 20
	inTime(t, func(t *testing.T) {
		opts := &middleware.Options{
			TTL: 10 * time.Second, StaleWhileRevalidate: time.Minute, MaxBody: size, MaxRecordings: 2 * size,
		}
		s := newSite(t, opts, text(strings.Repeat("x", size)))
		for range 5 {
			s.get("/a")
			time.Sleep(time.Second)
			if r := s.get("/a"); !strings.HasPrefix(r.cacheStatus(), "bmemcached; hit; ttl=9") {
				t.Errorf("after a revalidation: %s, want a fresh hit", r.cacheStatus())
			}
			time.Sleep(15 * time.Second)
		}
	})
}

// TestRecordings_GiveBackWhatTheyTook: whatever way a response ends.
func TestRecordings_GiveBackWhatTheyTook(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	ends := map[string]gin.HandlerFunc{
		"stored":    text(big),
		"private":   text(big, "Cache-Control: private"),
		"panic":     func(c *gin.Context) { c.String(http.StatusOK, big); panic("on purpose") },
		"aborted":   func(c *gin.Context) { c.String(http.StatusOK, big); c.Abort() },
		"truncated": func(c *gin.Context) { c.Header("Content-Length", "2097152"); c.String(http.StatusOK, big) },
		"too large": text(big + big + "x"),
		"flushed":   func(c *gin.Context) { c.String(http.StatusOK, big); c.Writer.Flush() },
		"restated":  func(c *gin.Context) { c.String(http.StatusOK, big); c.Status(http.StatusInternalServerError) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, &middleware.Options{TTL: time.Minute, MaxBody: 2 << 20, MaxRecordings: 2 << 20}, func(c *gin.Context) {
				if c.Request.URL.Path == "/last" {
					text(big + big)(c)
					return
				}
				end(c)
			})
			for i := range 4 {
				s.get("/" + strconv.Itoa(i))
				s.get("/" + strconv.Itoa(i))
			}
			s.get("/last")
			if r := s.get("/last"); !r.hit() {
				t.Errorf("afterwards %s, want a hit: there is no room left", r.cacheStatus())
			}
		})
	}
}
