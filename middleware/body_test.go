package middleware_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
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

func TestBody_OfAnySize(t *testing.T) {
	for _, size := range []int{0, 1, 1 << 10, 1<<20 - 2000, 1<<20 - 1000, 1 << 20, 1<<20 + 1, 3 << 20, 8 << 20} {
		body := noise(size)
		s := newSite(t, minute(), blob(body))
		s.get("/a")
		for range 2 {
			if r := s.get("/a"); r.body != body || !r.hit() {
				t.Errorf("body of %d bytes came back with %d (%s)", size, len(r.body), r.cacheStatus())
			}
		}
		s.wantRuns(1)
	}
}

func TestBody_AboveMaxBodyIsNotStored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, &middleware.Options{TTL: time.Minute, MaxBody: 1000}, blob(noise(1001)))
		for range 2 {
			if r := s.get("/a"); len(r.body) != 1001 {
				t.Errorf("body = %d bytes, want 1001", len(r.body))
			}
		}
		s.wantRuns(2)
		fits := newSite(t, &middleware.Options{TTL: time.Minute, MaxBody: 1000}, blob(noise(1000)))
		fits.get("/a")
		fits.get("/a")
		fits.wantRuns(1)
	})
}

func TestBody_DefaultMaxBodyIs8MiB(t *testing.T) {
	s := newSite(t, minute(), blob(noise(8<<20+1)))
	s.get("/a")
	s.get("/a")
	s.wantRuns(2)
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

func TestStored_OnlyWhenTheHandlerReturned(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.String(http.StatusOK, "half")
			time.Sleep(time.Second)
			c.String(http.StatusOK, " and half")
		})
		go s.get("/a")
		time.Sleep(500 * time.Millisecond)
		for _, key := range s.memory.Keys() {
			if item, _ := s.memory.Item(key); strings.Contains(string(item.Value), "half") {
				t.Error("a part of the response is in memcached while the handler runs")
			}
		}
		if r := s.get("/a"); r.body != "half and half" {
			t.Errorf("body = %q, want the whole", r.body)
		}
	})
}

func TestStored_WhenTheClientLeftButTheHandlerDidNot(t *testing.T) {
	s := newSite(t, minute(), nil)
	goOn, done := make(chan struct{}), make(chan struct{})
	s.router.NoRoute(s.cache.Handler(), func(c *gin.Context) {
		s.runs.Add(1)
		c.Header("Content-Length", "1000000") // by which it is known to be whole
		c.Writer.WriteHeaderNow()
		c.Writer.Flush()
		<-goOn
		for range 100 { // more than buffers between here and the client hold
			if _, err := c.Writer.WriteString(strings.Repeat("x", 10_000)); err != nil {
				t.Errorf("Write = %v, want the client's absence hidden", err)
			}
		}
		close(done)
	})
	s.listen()
	request := s.request(t.Context(), http.MethodGet, "/a")
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	close(goOn)
	<-done
	waitFor(t, "the response in the cache", func() bool { return s.get("/a").hit() })
	if n := len(s.get("/a").body); n != 1_000_000 {
		t.Errorf("stored body = %d bytes, want 1,000,000", n)
	}
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

func TestWrite_ReadFromAndStringsAreRecorded(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Status(http.StatusOK)
			if c.Writer.Written() || c.Writer.Size() != -1 {
				t.Errorf("before the first byte the writer says %d bytes, written %v", c.Writer.Size(), c.Writer.Written())
			}
			_, _ = io.Copy(c.Writer, strings.NewReader("copied "))
			_, _ = c.Writer.WriteString("string ")
			_, _ = c.Writer.Write([]byte("bytes"))
			c.Writer.WriteHeader(500) // too late
			if c.Writer.Size() != 19 || !c.Writer.Written() || c.Writer.Status() != 200 {
				t.Errorf("writer says %d bytes, written %v, status %d", c.Writer.Size(), c.Writer.Written(), c.Writer.Status())
			}
		})
		for range 2 {
			if r := s.get("/a"); r.body != "copied string bytes" {
				t.Errorf("body = %q (%s)", r.body, r.cacheStatus())
			}
		}
		s.wantRuns(1)
	})
}

// TestStored_NotWhatTheHandlerSaysIsUnchanged: a 304 that nobody asked for has no
// body to store.
func TestStored_NotWhatTheHandlerSaysIsUnchanged(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, func(c *gin.Context) {
			setLines(c, "Cache-Control: max-age=60", `ETag: "v1"`)
			c.Status(http.StatusNotModified)
		})
		for range 2 {
			if r := s.get("/a"); r.StatusCode != http.StatusNotModified || r.hit() {
				t.Errorf("response = %d (%s), want the handler's 304", r.StatusCode, r.cacheStatus())
			}
		}
		s.wantRuns(2)
	})
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

// TestBody_OneWriteAboveTheLimitIsNotSaidToBeStored, though nobody stated its
// length: it is known before the header goes out.
func TestBody_OneWriteAboveTheLimitIsNotSaidToBeStored(t *testing.T) {
	for name, write := range map[string]func(w gin.ResponseWriter, s string){
		"Write":       func(w gin.ResponseWriter, s string) { _, _ = w.Write([]byte(s)) },
		"WriteString": func(w gin.ResponseWriter, s string) { _, _ = w.WriteString(s) },
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Repeat("x", 1025)
			s := newSite(t, &middleware.Options{TTL: time.Minute, MaxBody: 1024}, func(c *gin.Context) { write(c.Writer, body) })
			for range 2 {
				r := s.get("/a")
				if r.body != body || strings.Contains(r.cacheStatus(), "stored") {
					t.Errorf("GET = %d bytes (%s), want %d that are not stored", len(r.body), r.cacheStatus(), len(body))
				}
			}
			s.wantRuns(2)
		})
	}
}
