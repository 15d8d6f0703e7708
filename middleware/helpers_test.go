package middleware_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

func init() { gin.SetMode(gin.TestMode) }

// inTime runs a test whose time passes at once.
func inTime(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// site is a gin application behind the cache: one process.
type site struct {
	tb     testing.TB
	memory *memcachedtest.Server
	client *memcached.Client
	cache  *middleware.Cache
	router *gin.Engine
	runs   atomic.Int64     // of the handler
	server *httptest.Server // nil: requests go to the router directly
	events *eventLog
}

// newSite serves handler for every method and path, behind the cache, with a
// memcached of its own.
func newSite(tb testing.TB, opts *middleware.Options, handler gin.HandlerFunc) *site {
	tb.Helper()
	return newSiteOn(tb, memcachedtest.Start(tb, nil), opts, handler)
}

// newSiteOn is newSite on a memcached that others may use too.
func newSiteOn(tb testing.TB, memory *memcachedtest.Server, opts *middleware.Options, handler gin.HandlerFunc) *site {
	tb.Helper()
	return newSiteAbove(tb, memory, opts, nil, handler)
}

// newSiteAbove has other middleware before the cache.
func newSiteAbove(tb testing.TB, memory *memcachedtest.Server, opts *middleware.Options, above gin.HandlerFunc, handler ...gin.HandlerFunc) *site {
	tb.Helper()
	client, err := memcached.New([]string{memory.Addr()}, &memcached.Options{DialContext: memory.DialContext, RetryAfter: time.Millisecond})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	s := newSiteWith(tb, client, opts, above, handler...)
	s.memory, s.client = memory, client
	return s
}

// newSiteWith is newSiteAbove with any client.
func newSiteWith(tb testing.TB, client middleware.Client, opts *middleware.Options, above gin.HandlerFunc, handler ...gin.HandlerFunc) *site {
	tb.Helper()
	s := &site{tb: tb, router: gin.New(), events: new(eventLog)}
	o := middleware.Options{}
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.LookupTimeout == 0 {
		o.LookupTimeout = 5 * time.Second // a busy machine is not a broken cache
	}
	switch o.Engine.(type) {
	case nil:
		o.Engine = s.router
	case noEngine:
		o.Engine = nil
	}
	if o.OnEvent == nil {
		o.OnEvent = s.events.add
	}
	var err error
	if s.cache, err = middleware.New(client, &o); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.cache.Close() })
	s.router.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) {
		c.AbortWithStatus(http.StatusInternalServerError)
	}))
	if above != nil {
		s.router.Use(above)
	}
	chain := []gin.HandlerFunc{s.cache.Handler(), func(*gin.Context) { s.runs.Add(1) }}
	s.router.NoRoute(append(chain, handler...)...)
	return s
}

// noEngine stands for Options.Engine == nil, which sites replace by their own.
type noEngine struct{ http.Handler }

// listen makes the site answer on a real connection.
func (s *site) listen() *site {
	s.server = httptest.NewServer(s.router)
	s.tb.Cleanup(s.server.Close)
	return s
}

// serverWriter stands for the server's own writer, which alone has deadlines.
type serverWriter struct{ *httptest.ResponseRecorder }

func (serverWriter) SetReadDeadline(time.Time) error { return nil }

// response is what a client received.
type response struct {
	*http.Response
	body string
}

// cacheStatus returns what this cache says of the response.
func (r response) cacheStatus() string {
	lines := r.Header["Cache-Status"]
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

func (r response) hit() bool { return strings.HasPrefix(r.cacheStatus(), "bmemcached; hit") }

// request makes a request with header lines of the form "Name: value".
func (s *site) request(ctx context.Context, method, path string, lines ...string) *http.Request {
	s.tb.Helper()
	base := "http://site.example"
	if s.server != nil {
		base = s.server.URL
	}
	request, err := http.NewRequestWithContext(ctx, method, base+path, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			request.Host = value
			continue
		}
		request.Header.Add(name, value)
	}
	return request
}

func (s *site) do(method, path string, lines ...string) response {
	s.tb.Helper()
	return s.send(s.request(s.tb.Context(), method, path, lines...))
}

func (s *site) get(path string, lines ...string) response {
	s.tb.Helper()
	return s.do(http.MethodGet, path, lines...)
}

func (s *site) send(request *http.Request) response {
	s.tb.Helper()
	if s.server == nil {
		recorder := httptest.NewRecorder()
		s.router.ServeHTTP(serverWriter{recorder}, request)
		return received(request, recorder)
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.tb.Fatal(err)
	}
	return response{answer, string(body)}
}

// received is what a client receives of what a recorder holds: a server sends no body
// to HEAD.
func received(request *http.Request, recorder *httptest.ResponseRecorder) response {
	if request.Method == http.MethodHead {
		recorder.Body.Reset()
	}
	return response{recorder.Result(), recorder.Body.String()}
}

// transport neither follows redirects nor asks for compression.
var transport = &http.Transport{DisableCompression: true}

// wantRuns checks how often the handler has run.
func (s *site) wantRuns(want int64) {
	s.tb.Helper()
	if got := s.runs.Load(); got != want {
		s.tb.Errorf("handler ran %d times, want %d", got, want)
	}
}

// text answers with a body and the header lines "Name: value".
func text(body string, lines ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		setLines(c, lines...)
		c.String(http.StatusOK, body)
	}
}

func setLines(c *gin.Context, lines ...string) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		c.Writer.Header().Add(name, value)
	}
}

// minute are the options of most tests.
func minute() *middleware.Options { return &middleware.Options{TTL: time.Minute} }

// cell is a string that a test changes while handlers read it.
type cell struct{ p atomic.Pointer[string] }

func newCell(s string) *cell {
	c := new(cell)
	c.set(s)
	return c
}

func (c *cell) set(s string) { c.p.Store(&s) }

func (c *cell) get() string { return *c.p.Load() }
