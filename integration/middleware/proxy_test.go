package middleware_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	contribgzip "github.com/gin-contrib/gzip"
	"github.com/gin-gonic/gin"
)

// halves is an origin whose page comes in two halves without a length. The
// first time it waits between them until it may go on.
type halves struct {
	calls  atomic.Int64
	asked  atomic.Int64
	gone   chan (<-chan struct{}) // closed when the server knows that the first client has left
	sent   chan struct{}          // closed when the first half is out
	goOn   chan struct{}
	broken bool // it hangs up then instead of going on
}

func newHalves() *halves {
	return &halves{gone: make(chan (<-chan struct{}), 1), sent: make(chan struct{}), goOn: make(chan struct{})}
}

// meet is middleware above the cache, where requests end with their clients.
func (h *halves) meet(c *gin.Context) {
	if h.asked.Add(1) == 1 {
		h.gone <- c.Request.Context().Done()
	}
}

const half = "half a page. "

var bothHalves = strings.Repeat(half, 400)

// first writes the first half, and waits where it has to.
func (h *halves) first(w io.Writer, flush func()) {
	_, _ = io.WriteString(w, bothHalves[:len(bothHalves)/2])
	flush()
	if h.calls.Add(1) == 1 {
		close(h.sent)
		<-h.goOn
		if h.broken {
			panic(http.ErrAbortHandler)
		}
	}
}

func (*halves) second(w io.Writer) { _, _ = io.WriteString(w, bothHalves[len(bothHalves)/2:]) }

func (h *halves) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h.first(w, func() { _ = http.NewResponseController(w).Flush() })
	h.second(w)
}

// proxy is a handler that asks a server.
func proxy(t *testing.T, to http.Handler) gin.HandlerFunc {
	t.Helper()
	origin := httptest.NewServer(to)
	t.Cleanup(origin.Close)
	target, err := url.Parse(origin.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(target)
	p.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	return gin.WrapH(p)
}

// leaveHalfway asks for a page, leaves when the first half of it is out, and lets
// the origin go on.
func leaveHalfway(t *testing.T, url string, h *halves) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "site.example" // as fetch has it
	request.Header.Set("Accept-Encoding", "gzip")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	}()
	<-h.sent
	leave()
	<-ended
	<-<-h.gone
	close(h.goOn)
}

// TestProxy_NothingIsServedInPart although the client, or the origin, leaves in
// the middle of a page whose length nobody knows.
func TestProxy_NothingIsServedInPart(t *testing.T) {
	for name, broken := range map[string]bool{"the client leaves": false, "the origin breaks off": true} {
		t.Run(name, func(t *testing.T) {
			h := newHalves()
			h.broken = broken
			handler := proxy(t, h)
			url, _ := contrib(t, func(cache, _ gin.HandlerFunc) []gin.HandlerFunc { return []gin.HandlerFunc{h.meet, cache, handler} })
			leaveHalfway(t, url, h)
			wantWhole(t, url)
		})
	}
}

// TestGzip_StreamOfWhoLeftIsNotServedInPart: gin's Stream ends when its client
// leaves, as if all had been written.
func TestGzip_StreamOfWhoLeftIsNotServedInPart(t *testing.T) {
	h := newHalves()
	stream := func(c *gin.Context) {
		second := false
		c.Stream(func(w io.Writer) bool {
			if second {
				h.second(w)
				return false
			}
			h.first(w, c.Writer.Flush)
			second = true
			return true
		})
	}
	url, _ := contrib(t, func(cache, _ gin.HandlerFunc) []gin.HandlerFunc {
		return []gin.HandlerFunc{h.meet, cache, contribgzip.Gzip(contribgzip.DefaultCompression), stream}
	})
	leaveHalfway(t, url, h)
	wantWhole(t, url)
}

// wantWhole asks for the page until it is a hit: each time it has to be whole.
func wantWhole(t *testing.T, url string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		a := fetch(t, url, "Accept-Encoding: gzip")
		if a.status != http.StatusOK || plain(t, a) != bothHalves {
			t.Fatalf("GET = %d with %d bytes (%s), want %d bytes", a.status, len(a.body), a.header.Get("Cache-Status"), len(bothHalves))
		}
		if a.hit() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("Cache-Status = %q, want a hit at last", a.header.Get("Cache-Status"))
		}
	}
}
