package middleware_test

import (
	"net/http"
	"testing"
	"time"

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
