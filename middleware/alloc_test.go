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
	s := newSite(b, &middleware.Options{TTL: time.Hour}, text(string(make([]byte, 2<<10)), "Content-Type: text/plain"))
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://example.com/a", nil)
	if err != nil {
		b.Fatal(err)
	}
	w := &nowhere{http.Header{}}
	s.router.ServeHTTP(w, request)
	b.ReportAllocs()
	for b.Loop() {
		w.header = http.Header{}
		s.router.ServeHTTP(w, request)
	}
	s.wantRuns(1)
}
