package middleware_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// nowhere is a ResponseWriter without a client, as cheap as one can be.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header { return w.header }

func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }

func (w *nowhere) WriteHeader(int) {}

// BenchmarkHit is a hit without the network to the client: gin, the cache, and
// one round trip to the server in this process.
func BenchmarkHit(b *testing.B) {
	s := newSite(b, &middleware.Options{TTL: time.Hour}, blob(noise(2<<10)))
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
