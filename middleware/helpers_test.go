package middleware_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

func init() { gin.SetMode(gin.TestMode) }

// site is a gin application behind the cache, with a memcached of its own.
type site struct {
	tb     testing.TB
	memory *memcachedtest.Server
	client *memcached.Client
	cache  *middleware.Cache
	router *gin.Engine
	server *httptest.Server
	runs   atomic.Int64 // of the handler
}

// newSite serves handler for every method and path, behind the cache.
func newSite(tb testing.TB, opts *middleware.Options, handler gin.HandlerFunc) *site {
	tb.Helper()
	memory := memcachedtest.Start(tb, nil)
	return newSiteOn(tb, memory, opts, handler)
}

func newSiteOn(tb testing.TB, memory *memcachedtest.Server, opts *middleware.Options, handler gin.HandlerFunc) *site {
	tb.Helper()
	client, err := memcached.New([]string{memory.Addr()}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	s := &site{tb: tb, memory: memory, client: client, router: gin.New()}
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
	o.Engine = s.router
	s.cache = middleware.New(client, &o)
	tb.Cleanup(func() { _ = s.cache.Close() })
	s.router.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) {
		c.AbortWithStatus(http.StatusInternalServerError)
	}))
	s.router.NoRoute(s.cache.Handler(), func(c *gin.Context) {
		s.runs.Add(1)
		handler(c)
	})
	s.server = httptest.NewServer(s.router)
	tb.Cleanup(s.server.Close)
	return s
}

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

func (r response) hit() bool { return strings.Contains(r.cacheStatus(), "; hit") }

// do sends a request with header lines of the form "Name: value".
func (s *site) do(method, path string, lines ...string) response {
	s.tb.Helper()
	request, err := http.NewRequestWithContext(s.tb.Context(), method, s.server.URL+path, nil)
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
	return s.send(request)
}

func (s *site) send(request *http.Request) response {
	s.tb.Helper()
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

// transport neither follows redirects nor asks for compression.
var transport = &http.Transport{DisableCompression: true}

func (s *site) get(path string, lines ...string) response {
	s.tb.Helper()
	return s.do(http.MethodGet, path, lines...)
}

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
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			c.Writer.Header().Add(name, value)
		}
		c.String(http.StatusOK, body)
	}
}
