package middleware_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// httpSite is a site of net/http behind the cache.
type httpSite struct {
	tb      testing.TB
	handler http.Handler
	runs    atomic.Int64
}

// newHTTPSite serves page for every method and path.
func newHTTPSite(tb testing.TB, opts *middleware.Options, page http.HandlerFunc) *httpSite {
	tb.Helper()
	memory := memcachedtest.Start(tb, nil)
	client, err := memcached.New([]string{memory.Addr()}, &memcached.Options{DialContext: memory.DialContext})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	s := &httpSite{tb: tb}
	o := *opts
	o.Engine = s
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.LookupTimeout = 5 * time.Second
	cache, err := middleware.New(client, &o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = cache.Close() })
	s.handler = cache.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.runs.Add(1)
		page(w, r)
	}))
	return s
}

func (s *httpSite) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *httpSite) do(method, path string, lines ...string) response {
	s.tb.Helper()
	request := httptest.NewRequestWithContext(s.tb.Context(), method, "http://site.example"+path, nil)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Add(name, value)
	}
	recorder := httptest.NewRecorder()
	s.ServeHTTP(serverWriter{recorder}, request)
	return received(request, recorder)
}

func (s *httpSite) get(path string, lines ...string) response {
	s.tb.Helper()
	return s.do(http.MethodGet, path, lines...)
}

func (s *httpSite) wantRuns(want int64) {
	s.tb.Helper()
	if got := s.runs.Load(); got != want {
		s.tb.Errorf("handler ran %d times, want %d", got, want)
	}
}

func TestWrap_StoresAndReuses(t *testing.T) {
	for name, page := range map[string]http.HandlerFunc{
		"Write":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) },
		"WriteString": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
		"ReadFrom":    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader("hello")) },
		"status":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); _, _ = io.WriteString(w, "hello") },
	} {
		s := newHTTPSite(t, minute(), page)
		s.get("/a")
		if r := s.get("/a"); r.body != "hello" || !r.hit() {
			t.Errorf("%s: then %d %q (%s), want a hit", name, r.StatusCode, r.body, r.cacheStatus())
		}
		if r := s.get("/a", "Range: bytes=1-2"); r.body != "el" || r.StatusCode != http.StatusPartialContent {
			t.Errorf("%s: range = %d %q, want a part of what is stored", name, r.StatusCode, r.body)
		}
		if r := s.do(http.MethodHead, "/a"); r.body != "" || !r.hit() {
			t.Errorf("%s: HEAD = %q (%s), want a hit", name, r.body, r.cacheStatus())
		}
		if r := s.get("/a", "If-None-Match: "+s.get("/a").Header.Get("ETag")); r.StatusCode != http.StatusNotModified {
			t.Errorf("%s: conditional = %d, want 304", name, r.StatusCode)
		}
		s.wantRuns(1)
		s.do(http.MethodPost, "/a")
		if s.get("/a").hit() {
			t.Errorf("%s: a successful POST invalidates nothing", name)
		}
	}
}

// TestWrap_WhatIsNotStored: as with gin.
func TestWrap_WhatIsNotStored(t *testing.T) {
	for name, page := range map[string]http.HandlerFunc{
		"cookie": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a"})
			fmt.Fprint(w, 1)
		},
		"late cookie": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, 1)
			http.SetCookie(w, &http.Cookie{Name: "a"})
		},
		"late trailer": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, 1)
			w.Header().Set(http.TrailerPrefix+"A", "1")
		},
		"late status": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, 1); http.Error(w, "", 500) },
		"nothing":     func(http.ResponseWriter, *http.Request) {},
		"panic":       func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, 1); panic(http.ErrAbortHandler) },
		"short":       func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "5"); fmt.Fprint(w, 1) },
		"500":         func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newHTTPSite(t, minute(), page)
			for range 2 {
				func() {
					defer func() { _ = recover() }()
					s.get("/a")
				}()
			}
			s.wantRuns(2)
		})
	}
}

func TestWrap_CollapsesAndRevalidates(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var n atomic.Int64
		s := newHTTPSite(t, &middleware.Options{}, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			w.Header().Set("Cache-Control", "max-age=10, stale-while-revalidate=60, stale-if-error=600")
			if n.Add(1) == 3 {
				http.Error(w, "bad", http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, n.Load())
		})
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if r := s.get("/a"); r.body != "1" {
					t.Errorf("at once = %q (%s), want one run for all", r.body, r.cacheStatus())
				}
			})
		}
		wg.Wait()
		time.Sleep(15 * time.Second)
		if r := s.get("/a"); r.body != "1" || !r.hit() {
			t.Errorf("stale = %q (%s), want what is stored, and a run in the background", r.body, r.cacheStatus())
		}
		time.Sleep(2 * time.Second)
		if r := s.get("/a"); r.body != "2" || !r.hit() {
			t.Errorf("then %q (%s), want what the background made", r.body, r.cacheStatus())
		}
		time.Sleep(100 * time.Second)
		if r := s.get("/a"); r.body != "2" || !strings.Contains(r.cacheStatus(), "detail=stale-if-error") {
			t.Errorf("failing = %d %q (%s), want the stale one", r.StatusCode, r.body, r.cacheStatus())
		}
		synctest.Wait()
	})
}

func TestWrap_OnlyIfCached(t *testing.T) {
	s := newHTTPSite(t, minute(), func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, 1) })
	if r := s.get("/a", "Cache-Control: only-if-cached"); r.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("= %d, want 504", r.StatusCode)
	}
	s.wantRuns(0)
}

// TestWrap_WriterCanDoWhatTheOneBelowCan: handlers ask.
func TestWrap_WriterCanDoWhatTheOneBelowCan(t *testing.T) {
	type plain struct{ http.ResponseWriter }
	type flushing struct {
		http.ResponseWriter
		http.Flusher
	}
	type hijacking struct {
		http.ResponseWriter
		http.Hijacker
	}
	type both struct {
		http.ResponseWriter
		http.Flusher
		http.Hijacker
	}
	var flushes, hijacks bool
	s := newHTTPSite(t, minute(), func(w http.ResponseWriter, _ *http.Request) {
		_, flushes = w.(http.Flusher)
		_, hijacks = w.(http.Hijacker)
	})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		recorder := httptest.NewRecorder()
		for _, below := range []http.ResponseWriter{
			plain{recorder}, flushing{recorder, recorder}, hijacking{recorder, nil}, both{recorder, recorder, nil},
		} {
			s.ServeHTTP(below, httptest.NewRequestWithContext(t.Context(), method, "/a", nil))
			_, wantFlushes := below.(http.Flusher)
			_, wantHijacks := below.(http.Hijacker)
			if flushes != wantFlushes || hijacks != wantHijacks {
				t.Errorf("%s on %T: Flusher %v, Hijacker %v", method, below, flushes, hijacks)
			}
		}
	}
}

// TestWrap_Streams: what is flushed arrives at once, through a ResponseController,
// too, and a connection can be taken over.
func TestWrap_Streams(t *testing.T) {
	goOn := make(chan struct{})
	s := newHTTPSite(t, minute(), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hijack" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 299 Mine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_ = conn.Close()
			return
		}
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "first ")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-goOn
		_, _ = io.WriteString(w, "last")
	})
	server := httptest.NewServer(s)
	defer server.Close()
	answer, err := http.Get(server.URL + "/a")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, 6)
	if _, err := io.ReadFull(answer.Body, first); err != nil || string(first) != "first " {
		t.Fatalf("read %q, %v, want what was flushed", first, err)
	}
	close(goOn)
	if rest, err := io.ReadAll(answer.Body); err != nil || string(rest) != "last" {
		t.Errorf("then %q, %v", rest, err)
	}
	taken, err := http.Get(server.URL + "/hijack")
	if err != nil {
		t.Fatal(err)
	}
	_ = taken.Body.Close()
	if taken.StatusCode != 299 {
		t.Errorf("a hijacked connection answers %d, want 299", taken.StatusCode)
	}
}

// TestWrap_AroundGin: gin's own writer stands on the cache's.
func TestWrap_AroundGin(t *testing.T) {
	router := gin.New()
	router.GET("/a", text("page", "X-Page: 1"))
	router.GET("/stream", func(c *gin.Context) {
		c.Stream(func(w io.Writer) bool { _, _ = io.WriteString(w, "part"); return false })
	})
	s := newHTTPSite(t, minute(), router.ServeHTTP)
	for _, path := range []string{"/a", "/stream", "/missing"} {
		first := s.get(path)
		if r := s.get(path); r.body != first.body || r.StatusCode != first.StatusCode || !r.hit() {
			t.Errorf("%s = %d %q (%s), at first %d %q", path, r.StatusCode, r.body, r.cacheStatus(), first.StatusCode, first.body)
		}
	}
}

// TestWrap_LayersAboveSeeThePatternOfAMuxBelow, by which they name what they measure. On
// hits the mux is not asked.
func TestWrap_LayersAboveSeeThePatternOfAMuxBelow(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "panics" {
			panic("on purpose")
		}
		_, _ = io.WriteString(w, "x")
	})
	s := newHTTPSite(t, &middleware.Options{TTL: time.Minute}, mux.ServeHTTP)
	cached, pattern := s.handler, ""
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { _, pattern = recover(), r.Pattern }()
		cached.ServeHTTP(w, r)
	})
	for _, test := range []struct{ method, path, want string }{
		{http.MethodGet, "/a", "/{id}"},
		{http.MethodGet, "/a", ""}, // a hit
		{http.MethodPost, "/a", "/{id}"},
		{http.MethodGet, "/panics", "/{id}"},
	} {
		if s.do(test.method, test.path); pattern != test.want {
			t.Errorf("%s %s: pattern %q, want %q", test.method, test.path, pattern, test.want)
		}
	}
}

// A handler may set fields and leave the response to a layer above, as echo's do that
// return an error: the client's condition is not answered then in its place.
func TestWrap_WhatTheHandlerLeavesToOthersIsTheirs(t *testing.T) {
	s := newHTTPSite(t, &middleware.Options{TTL: time.Minute}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Etag", `"1"`)
	})
	cached := s.handler
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cached.ServeHTTP(w, r)
		w.WriteHeader(http.StatusNotFound)
	})
	r := s.do(http.MethodGet, "/", `If-None-Match: "1"`)
	if want := "bmemcached; fwd=uri-miss; detail=empty"; r.StatusCode != http.StatusNotFound || r.cacheStatus() != want {
		t.Errorf("GET = %d, Cache-Status %q, want 404, %q", r.StatusCode, r.cacheStatus(), want)
	}
}
