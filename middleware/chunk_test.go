package middleware_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// noise returns n bytes that nothing compresses.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// blob answers with a body as it is.
func blob(body string) gin.HandlerFunc {
	return func(c *gin.Context) { c.Data(http.StatusOK, "application/octet-stream", []byte(body)) }
}

func TestChunks_MissingOneIsAMiss(t *testing.T) {
	body := noise(3 << 20)
	s := newSite(t, minute(), blob(body))
	s.get("/a")
	chunks := 0
	for _, key := range s.memory.Keys() {
		if strings.HasPrefix(key, "page:c") {
			chunks++
			if err := s.client.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			if r := s.get("/a"); r.body != body {
				t.Errorf("without one chunk the body has %d bytes, want %d from the handler", len(r.body), len(body))
			}
		}
	}
	if chunks < 3 {
		t.Errorf("3 MiB were stored in %d chunks, want 3 or more", chunks)
	}
	if n := s.runs.Load(); n < 2 {
		t.Errorf("handler ran %d times, want it to replace what was broken", n)
	}
	if !s.get("/a").hit() {
		t.Error("what was broken was not replaced")
	}
}

// TestChunks_OfALargePageAreReplaced: what cannot be put together takes no room from its
// replacement.
func TestChunks_OfALargePageAreReplaced(t *testing.T) {
	body := noise(3 << 20)
	opts := minute()
	opts.MaxBody, opts.MaxRecordings = 4<<20, 4<<20
	s := newSite(t, opts, blob(body))
	s.get("/a")
	for _, key := range s.memory.Keys() {
		if strings.HasPrefix(key, "page:c") {
			if err := s.client.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if r := s.get("/a"); r.body != body || !strings.Contains(r.cacheStatus(), "stored") {
		t.Errorf("without one chunk: %d bytes (%s), want them from the handler, and stored", len(r.body), r.cacheStatus())
	}
	if r := s.get("/a"); !r.hit() {
		t.Errorf("then: %s", r.cacheStatus())
	}
}

func TestChunks_OfAnotherGenerationAreAMiss(t *testing.T) {
	page := noise(2 << 20)
	s := newSite(t, minute(), func(c *gin.Context) { blob(page)(c) })
	s.get("/a")
	saved := chunkItems(s.memory)
	page = noise(2<<20 + 5)
	if err := s.cache.Purge(t.Context(), s.request(t.Context(), http.MethodGet, "/a")); err != nil {
		t.Fatal(err)
	}
	s.get("/a")
	// The new chunks get the content of the old ones.
	for _, item := range chunkItems(s.memory) {
		for _, old := range saved {
			if old.Key != item.Key && strings.HasSuffix(old.Key, item.Key[strings.IndexByte(item.Key, '.'):]) {
				s.memory.SetItem(&memcached.Item{Key: item.Key, Value: old.Value, Flags: old.Flags})
			}
		}
	}
	if r := s.get("/a"); r.body != page {
		t.Errorf("body = %d bytes, want the page of %d", len(r.body), len(page))
	}
}

func chunkItems(memory *memcachedtest.Server) []*memcached.Item {
	var items []*memcached.Item
	for _, key := range memory.Keys() {
		if strings.HasPrefix(key, "page:c") {
			if item, ok := memory.Item(key); ok {
				items = append(items, item)
			}
		}
	}
	return items
}

func TestChunks_FitTheServersItemSize(t *testing.T) {
	body := noise(300 << 10)
	memory := memcachedtest.Start(t, &memcachedtest.Options{MaxItemSize: 64 << 10})
	s := newSiteOn(t, memory, minute(), blob(body))
	s.get("/a") // finds out
	s.get("/a")
	if r := s.get("/a"); r.body != body || !r.hit() {
		t.Errorf("on a server of small items: %d bytes (%s), want a hit of %d", len(r.body), r.cacheStatus(), len(body))
	}
}

func TestChunks_HeadAndRangeAndConditionsWork(t *testing.T) {
	body := noise(2 << 20)
	s := newSite(t, minute(), blob(body))
	s.get("/a")
	if r := s.get("/a", "Range: bytes=1048570-1048580"); r.body != body[1048570:1048581] {
		t.Errorf("range across chunks = %d bytes, want 11 of the body", len(r.body))
	}
	tag := s.do(http.MethodHead, "/a").Header.Get("ETag")
	if r := s.get("/a", "If-None-Match: "+tag); r.StatusCode != 304 {
		t.Errorf("conditional = %d, want 304", r.StatusCode)
	}
	s.wantRuns(1)
}

// waitFor waits for what another goroutine brings about.
func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10 s for %s", what)
		}
	}
}

// TestChunks_OfABodyAboveMaxBodyAreNotFetched: another process may store more
// than this one is to hold in memory.
func TestChunks_OfABodyAboveMaxBodyAreNotFetched(t *testing.T) {
	inTime(t, func(t *testing.T) {
		large := newSite(t, minute(), blob(noise(3<<20)))
		large.get("/a")
		small := newSiteOn(t, large.memory, &middleware.Options{TTL: time.Minute, MaxBody: 1 << 20}, blob(noise(3<<20)))
		if r := small.get("/a"); r.hit() || len(r.body) != 3<<20 {
			t.Errorf("response = %d bytes (%s), want the handler's", len(r.body), r.cacheStatus())
		}
	})
}

// TestChunks_OfTwoPagesDoNotMeet: each body has keys of its own.
func TestChunks_OfTwoPagesDoNotMeet(t *testing.T) {
	one, two := noise(2<<20), noise(2<<20+1)
	s := newSite(t, minute(), func(c *gin.Context) {
		if c.Request.URL.Path == "/one" {
			blob(one)(c)
			return
		}
		blob(two)(c)
	})
	s.get("/one")
	s.get("/two")
	if r := s.get("/one"); r.body != one || !r.hit() {
		t.Errorf("/one = %d bytes (%s), want a hit of its own %d", len(r.body), r.cacheStatus(), len(one))
	}
	if r := s.get("/two"); r.body != two || !r.hit() {
		t.Errorf("/two = %d bytes (%s), want a hit of its own %d", len(r.body), r.cacheStatus(), len(two))
	}
}
