package middleware_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// roundTrips returns how often a request for path waits for memcached. Requests
// that one multi-get pipelines count as one.
func roundTrips(s *site, method, path string) (n int, r response) {
	s.memory.ForgetRequests()
	r = s.do(method, path)
	for _, request := range s.memory.Requests() {
		if request.Op != "GETQ" && request.Op != "GETKQ" { // quiet ones do not end a batch
			n++
		}
	}
	return n, r
}

func TestHit_IsOneRoundTrip(t *testing.T) {
	tests := map[string]struct {
		lines []string
		body  string
		want  int
	}{
		"plain":             {nil, "x", 1},
		"of 900 KB":         {nil, noise(900_000), 1},
		"variant":           {[]string{"Vary: A"}, "x", 1},
		"tagged":            {[]string{"Cache-Tag: a, b"}, "x", 1},
		"variant and tags":  {[]string{"Vary: A", "Cache-Tag: a, b"}, "x", 1},
		"chunked":           {nil, noise(3 << 20), 2},
		"chunked, tagged":   {[]string{"Cache-Tag: a"}, noise(3 << 20), 2},
		"of a HEAD request": {nil, "x", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, minute(), text("", test.lines...))
			s.router.NoRoute(s.cache.Handler(), text("", test.lines...), blob(test.body))
			s.get("/a")
			s.get("/a") // learns what the page needs
			method := http.MethodGet
			if name == "of a HEAD request" {
				method = http.MethodHead
			}
			n, r := roundTrips(s, method, "/a")
			if !r.hit() || n != test.want {
				t.Errorf("a hit took %d round trips (%s), want %d", n, r.cacheStatus(), test.want)
			}
		})
	}
}

// TestHit_Allocations holds what a hit allocates: one for the header that is decoded,
// two for the values of the response's and those that are computed, the key, the context
// of the lookup, and what gin, net/http and the server need, which is in this process.
func TestHit_Allocations(t *testing.T) {
	s := newSiteAbove(t, memcachedtest.Start(t, nil), &middleware.Options{TTL: time.Hour, OnEvent: func(middleware.Event) {}}, nil,
		text("hello", "Content-Type: text/plain", "Link: </a>", "X-A: 1"))
	request := s.request(t.Context(), http.MethodGet, "/a")
	w := &nowhere{http.Header{}}
	s.router.ServeHTTP(w, request)
	got := testing.AllocsPerRun(500, func() {
		clear(w.header)
		s.router.ServeHTTP(w, request)
	})
	s.wantRuns(1)
	if limit := 9.0; got > limit && !raceDetector {
		t.Errorf("a hit allocates %.0f times, want %.0f at most", got, limit)
	}
}

// nowhere is a ResponseWriter without a client, as cheap as one can be.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header { return w.header }

func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }

func (w *nowhere) WriteHeader(int) {}

// BenchmarkHit is a hit without the network to the client: gin, the cache, and
// one round trip to the server in this process.
func BenchmarkHit(b *testing.B) { benchmarkHit(b, &middleware.Options{TTL: time.Hour}) }

// BenchmarkHitSealed is BenchmarkHit with Options.SealKeys.
func BenchmarkHitSealed(b *testing.B) {
	benchmarkHit(b, &middleware.Options{TTL: time.Hour, SealKeys: [][]byte{sealKey(1)}})
}

func benchmarkHit(b *testing.B, opts *middleware.Options) {
	s := newSite(b, opts, blob(noise(2<<10)))
	request := s.request(b.Context(), http.MethodGet, "/a")
	w := &nowhere{http.Header{}}
	s.router.ServeHTTP(w, request)
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		s.router.ServeHTTP(w, request)
	}
	s.wantRuns(1)
}

// gone is a client that leaves, of whose response something is read yet when the write
// has failed: HTTP/2 does that.
type gone struct {
	serverWriter
	panics     bool
	read, want []byte
}

func (g *gone) Write(p []byte) (int, error) {
	g.read, g.want = p, bytes.Clone(p)
	if g.panics {
		panic(http.ErrAbortHandler)
	}
	return 0, net.ErrClosed
}

// TestHit_WhatAFailedWriteMayReadIsNotUsedAgain for other pages.
func TestHit_WhatAFailedWriteMayReadIsNotUsedAgain(t *testing.T) {
	for _, size := range []int{3 << 10, 100 << 10} {
		for _, joint := range []int64{1, 2, 3} {
			for _, panics := range []bool{false, true} {
				t.Run(fmt.Sprint(size, joint, panics), func(t *testing.T) {
					inTime(t, func(t *testing.T) {
						page := func(c *gin.Context) { c.String(http.StatusOK, strings.Repeat(c.Request.URL.Path+" ", size/3)) }
						plain := newSite(t, minute(), page)
						client := &lookupClient{Client: plain.client}
						s := newSiteWith(t, client, minute(), nil, page)
						for range 2 { // the second time shows how large it is
							s.get("/a")
						}
						s.get("/b")
						client.after = func(int64) { time.Sleep(100 * time.Millisecond) }
						leavers := make([]*gone, joint)
						var wg sync.WaitGroup
						for i := range leavers {
							leavers[i] = &gone{serverWriter: serverWriter{httptest.NewRecorder()}, panics: panics}
							wg.Go(func() { s.router.ServeHTTP(leavers[i], s.request(context.Background(), http.MethodGet, "/a")) })
							synctest.Wait()
						}
						wg.Wait()
						for range 20 {
							for range 3 {
								wg.Go(func() { s.get("/b") })
							}
							wg.Wait()
						}
						for i, g := range leavers {
							if len(g.read) == 0 || !bytes.Equal(g.read, g.want) {
								t.Errorf("client %d reads %d bytes, %.12q, want those of its page, %.12q", i, len(g.read), g.read, g.want)
							}
						}
					})
				})
			}
		}
	}
}
