package middleware_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// open sends a request and returns when the header of the response is there.
func (s *site) open(path string) *http.Response {
	s.tb.Helper()
	answer, err := transport.RoundTrip(s.request(s.tb.Context(), http.MethodGet, path))
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// firstByteOf reads one byte of a response whose handler goes on only when told.
func firstByteOf(t *testing.T, s *site, goOn chan struct{}) {
	t.Helper()
	answer := s.open("/a")
	first := make([]byte, 1)
	if _, err := io.ReadFull(answer.Body, first); err != nil {
		t.Errorf("the first byte: %v", err)
	}
	close(goOn)
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Errorf("the rest: %v", err)
	}
}

func TestStream_FirstByteAtOnce(t *testing.T) {
	for name, write := range map[string]func(c *gin.Context, goOn chan struct{}){
		"events": func(c *gin.Context, goOn chan struct{}) {
			c.SSEvent("message", "one")
			c.Writer.Flush()
			<-goOn
			c.SSEvent("message", "two")
		},
		"flush": func(c *gin.Context, goOn chan struct{}) {
			c.String(http.StatusOK, "one")
			c.Writer.Flush()
			<-goOn
			c.String(http.StatusOK, "two")
		},
		"response controller": func(c *gin.Context, goOn chan struct{}) {
			c.String(http.StatusOK, "one")
			rc := http.NewResponseController(c.Writer)
			if err := errors.Join(rc.Flush(), rc.SetWriteDeadline(time.Now().Add(time.Minute)), rc.SetReadDeadline(time.Now().Add(time.Minute)), rc.EnableFullDuplex()); err != nil {
				t.Errorf("response controller: %v", err)
			}
			<-goOn
		},
		"large": func(c *gin.Context, goOn chan struct{}) {
			_, _ = c.Writer.WriteString(strings.Repeat("x", 64<<10))
			<-goOn
			_, _ = c.Writer.WriteString("end")
		},
		"gin's stream": func(c *gin.Context, goOn chan struct{}) {
			n := 0
			c.Stream(func(w io.Writer) bool {
				_, _ = io.WriteString(w, "one")
				if n++; n == 2 {
					<-goOn
				}
				return n < 3
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			goOn := make(chan struct{})
			s := newSite(t, &middleware.Options{TTL: time.Minute, MaxBody: 1 << 10}, func(c *gin.Context) {
				c.Status(http.StatusOK)
				write(c, goOn)
			}).listen()
			firstByteOf(t, s, goOn)
		})
	}
}

func TestStream_OthersDoNotWaitForIt(t *testing.T) {
	for name, begin := range map[string]func(*gin.Context){
		"flushed":   func(c *gin.Context) { c.String(http.StatusOK, "one"); c.Writer.Flush() },
		"too large": func(c *gin.Context) { c.String(http.StatusOK, strings.Repeat("x", 100<<10)) },
		"events":    func(c *gin.Context) { c.SSEvent("message", "one"); c.Writer.Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				memory := memcachedtest.Start(t, nil)
				handler := func(c *gin.Context) {
					begin(c)
					time.Sleep(time.Hour)
				}
				opts := &middleware.Options{TTL: time.Minute, MaxBody: 10 << 10}
				one, two := newSiteOn(t, memory, opts, handler), newSiteOn(t, memory, opts, handler)
				began := time.Now()
				together(3, "/a", one, two)
				if took := time.Since(began); took > time.Hour+time.Second {
					t.Errorf("took %v, want all at once for an hour", took)
				}
			})
		})
	}
}

func TestStream_FlushedResponseIsStoredAtItsEnd(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.String(http.StatusOK, "head ")
			c.Writer.Flush()
			time.Sleep(time.Second)
			c.String(http.StatusOK, "rest")
		})
		s.get("/a")
		if r := s.get("/a"); r.body != "head rest" || !r.hit() {
			t.Errorf("then = %q (%s), want a hit of the whole", r.body, r.cacheStatus())
		}
	})
}

func TestStream_MemoryIsBounded(t *testing.T) {
	chunk := strings.Repeat("x", 1<<20)
	var before, during runtime.MemStats
	s := newSite(t, &middleware.Options{TTL: time.Minute, MaxBody: 4 << 20}, func(c *gin.Context) {
		c.Status(http.StatusOK)
		for i := range 256 {
			_, _ = c.Writer.WriteString(chunk)
			if i == 200 {
				runtime.GC()
				runtime.ReadMemStats(&during)
			}
		}
	}).listen()
	runtime.GC()
	runtime.ReadMemStats(&before)
	answer := s.open("/a")
	n, err := io.Copy(io.Discard, answer.Body)
	if err != nil || n != 256<<20 {
		t.Errorf("received %d bytes, %v, want 256 MiB", n, err)
	}
	if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB for a response above MaxBody, want less than 32", grown>>20)
	}
}

func TestHijack_TheConnectionIsTheHandlers(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		conn, rw, err := c.Writer.Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nraw")
		_ = rw.Flush()
	}).listen()
	for range 2 {
		if r := s.get("/a"); r.body != "raw" {
			t.Errorf("body = %q, want what the handler wrote to the connection", r.body)
		}
	}
	s.wantRuns(2)
}

func TestUpgrade_PassesThrough(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		conn, rw, err := http.NewResponseController(c.Writer).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString(line)
		_ = rw.Flush()
	}).listen()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = fmt.Fprint(conn, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	reader := textproto.NewReader(bufio.NewReader(conn))
	if line, err := reader.ReadLine(); err != nil || line != "HTTP/1.1 101 Switching Protocols" {
		t.Fatalf("answer = %q, %v, want 101", line, err)
	}
	if _, err := reader.ReadMIMEHeader(); err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprint(conn, "hello\n")
	if line, err := reader.ReadLine(); err != nil || line != "hello" {
		t.Errorf("echo = %q, %v", line, err)
	}
}

// interim collects 1xx responses.
func (s *site) interim(path string) (final response, codes []int, headers []textproto.MIMEHeader) {
	s.tb.Helper()
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		codes = append(codes, code)
		headers = append(headers, header)
		return nil
	}}
	request := s.request(httptrace.WithClientTrace(s.tb.Context(), trace), http.MethodGet, path)
	return s.send(request), codes, headers
}

func TestInterimResponses_PassAndAreNotStored(t *testing.T) {
	s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), func(c *gin.Context) { c.Header("X-Above", "1") }, func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("Link", "</style.css>; rel=preload")
		c.Writer.WriteHeader(http.StatusEarlyHints)
		h.Del("Link")
		c.Writer.WriteHeader(http.StatusProcessing)
		c.String(http.StatusOK, "x")
	}).listen()
	final, codes, headers := s.interim("/a")
	if fmt.Sprint(codes) != "[103 102]" || headers[0].Get("Link") != "</style.css>; rel=preload" {
		t.Errorf("interim responses = %v %v, want 103 with a link, then 102", codes, headers)
	}
	if final.StatusCode != 200 || final.body != "x" || final.Header.Get("Link") != "" || final.Header.Get("X-Above") != "1" {
		t.Errorf("final = %d %q %v, want 200 without the link", final.StatusCode, final.body, final.Header)
	}
	hit, codes, _ := s.interim("/a")
	if !hit.hit() || len(codes) != 0 || hit.Header.Get("Link") != "" {
		t.Errorf("hit = %s with %v and Link %q, want neither", hit.cacheStatus(), codes, hit.Header.Get("Link"))
	}
}

// TestInterimResponses_NotForHTTP10: gin sends none at all, and proxies in front that speak
// HTTP/1.0, as nginx does, would take one for the response.
func TestInterimResponses_NotForHTTP10(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Writer.WriteHeader(http.StatusEarlyHints)
		c.String(http.StatusOK, "x")
	}).listen()
	for _, want := range []string{"stored", "hit"} {
		if r := s.raw("GET /a HTTP/1.0\r\nHost: x\r\n\r\n"); r.StatusCode != http.StatusOK || r.body != "x" || !strings.Contains(r.cacheStatus(), want) {
			t.Errorf("response = %d %q (%s), want 200 x, %s", r.StatusCode, r.body, r.cacheStatus(), want)
		}
	}
}

func TestTrailers_PassThrough(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("Trailer", "X-Sum")
		c.String(http.StatusOK, "x")
		c.Writer.Flush()
		c.Writer.Header().Set("X-Sum", "42")
	}).listen()
	for range 2 {
		if r := s.get("/a"); r.Trailer.Get("X-Sum") != "42" {
			t.Errorf("trailer = %v, want X-Sum: 42", r.Trailer)
		}
	}
	s.wantRuns(2)
}

// TestInterim_FieldsOfItAreNotThoseOfAStoredResponse: a handler that is asked
// about a stored response may hint first.
func TestInterim_FieldsOfItAreNotThoseOfAStoredResponse(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10", body: "hello"}
		s := newSite(t, nil, func(c *gin.Context) {
			if c.GetHeader("If-None-Match") != "" {
				c.Header("X-Hint", "1")
				c.Writer.WriteHeader(http.StatusEarlyHints)
				c.Writer.Header().Del("X-Hint")
			}
			v.serve(c)
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		w := &lastHeader{header: http.Header{}}
		s.router.ServeHTTP(w, s.request(t.Context(), http.MethodGet, "/a"))
		if w.header.Get("X-Hint") != "" || w.codes[0] != http.StatusEarlyHints || w.codes[len(w.codes)-1] != http.StatusOK {
			t.Errorf("statuses %v with X-Hint %q at last, want 103, then 200 without it", w.codes, w.header.Get("X-Hint"))
		}
	})
}
