package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/gin-gonic/gin"
)

// TestStored_NotWhenTheHandlerWasCutShort: a handler that stops because its
// request is over returns like any other, but what it wrote is not all.
func TestStored_NotWhenTheHandlerWasCutShort(t *testing.T) {
	tests := map[string]struct {
		lines  []string
		finish bool
		stored bool
	}{
		"cut short":                         {nil, false, false},
		"cut short of its length":           {[]string{"Content-Length: 10"}, false, false},
		"whole, and its length says so":     {[]string{"Content-Length: 10"}, true, true},
		"perhaps whole, nobody can tell":    {nil, true, false},
		"whole, to a client that gave up":   {[]string{"Content-Length: 10", "X: 1"}, true, true},
		"cut short, without a flush at all": {[]string{"X-No-Flush: 1"}, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				leave := func() {}
				s := newSite(t, minute(), func(c *gin.Context) {
					setLines(c, test.lines...)
					c.String(http.StatusOK, "first")
					leave()
					if c.Writer.Header().Get("X-No-Flush") == "" {
						c.Writer.Flush()
					}
					select {
					case <-c.Request.Context().Done():
						if !test.finish {
							return
						}
					case <-time.After(time.Second):
					}
					c.String(http.StatusOK, " rest")
				})
				ctx, cancel := contextWithCancel(t)
				leave = cancel
				s.send(s.request(ctx, http.MethodGet, "/a"))
				synctest.Wait()
				leave = func() {}
				r := s.get("/a")
				if r.hit() != test.stored || r.body != "first rest" {
					t.Errorf("then = %q (%s), want the whole page, stored before: %v", r.body, r.cacheStatus(), test.stored)
				}
			})
		})
	}
}

// TestStored_NotWhatALayerMakesOfACutShortOne: one that holds the response back states the
// length of what there is.
func TestStored_NotWhatALayerMakesOfACutShortOne(t *testing.T) {
	inTime(t, func(t *testing.T) {
		leave := func() {}
		s := newSite(t, minute(), func(c *gin.Context) {
			body := "first"
			leave()
			select {
			case <-c.Request.Context().Done():
			case <-time.After(time.Second):
				body += " rest"
			}
			c.Header("Content-Length", strconv.Itoa(len(body)))
			c.String(http.StatusOK, body)
		})
		ctx, cancel := contextWithCancel(t)
		leave = cancel
		s.send(s.request(ctx, http.MethodGet, "/a"))
		leave = func() {}
		if r := s.get("/a"); r.hit() || r.body != "first rest" {
			t.Errorf("then = %q (%s), want the whole page from the handler", r.body, r.cacheStatus())
		}
	})
}

// TestStream_OfGinIsNotStoredInPart: gin's Stream stops when the client is gone.
func TestStream_OfGinIsNotStoredInPart(t *testing.T) {
	s := newSite(t, minute(), nil)
	ended := make(chan bool, 1)
	s.router.NoRoute(s.cache.Handler(), func(c *gin.Context) {
		first := s.runs.Add(1) == 1
		n := 0
		gone := c.Stream(func(w io.Writer) bool {
			_, _ = io.WriteString(w, "part\n")
			if n++; n == 2 && first {
				<-c.Request.Context().Done()
			}
			return n < 5 || first && n < 1_000_000
		})
		if first {
			ended <- gone
		}
	})
	s.listen()
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(s.request(t.Context(), http.MethodGet, "/a"))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if gone := <-ended; !gone {
		t.Error("the stream did not notice that its client left")
	}
	for range 3 {
		if r := s.get("/a"); r.body != strings.Repeat("part\n", 5) {
			t.Errorf("body = %q (%s), want all parts", r.body, r.cacheStatus())
		}
	}
}

// TestStream_OfGinIsRevalidatedInTheBackground: where there is no client, none
// can leave.
func TestStream_OfGinIsRevalidatedInTheBackground(t *testing.T) {
	inTime(t, func(t *testing.T) {
		n := 0
		s := newSite(t, nil, func(c *gin.Context) {
			n++
			c.Header("Cache-Control", "max-age=10, stale-while-revalidate=60")
			c.Stream(func(w io.Writer) bool {
				_, _ = fmt.Fprint(w, n)
				return false
			})
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		s.get("/a")
		synctest.Wait()
		if r := s.get("/a"); r.body != "2" || !r.hit() {
			t.Errorf("after the background run %q (%s), want a hit of what it made", r.body, r.cacheStatus())
		}
	})
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
			c.Writer.WriteHeader(200) // too late, and no other than before
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
