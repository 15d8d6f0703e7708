package middleware

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

const (
	defaultMaxBody       = 8 << 20
	defaultLookupTimeout = 100 * time.Millisecond
	defaultPrefix        = "page:"
)

// Options configures a Cache. The zero value stores what responses declare
// cacheable and nothing else.
type Options struct {
	// TTL is the freshness of responses that state none and whose status permits
	// a guess (200, 203, 204, 300, 301, 308, 404, 405, 410, 414 and 501, or any
	// with Cache-Control: public). 0: such responses are kept only if their
	// Last-Modified allows a guess, a tenth of their age and at most a day.
	TTL time.Duration

	// StaleWhileRevalidate is for how long after its lifetime a response is sent
	// while a fresh one is made (RFC 5861), when the response does not say.
	// 0: only as responses say. See Engine.
	StaleWhileRevalidate time.Duration

	// StaleIfError is for how long after its lifetime a response is sent instead
	// of an answer 500, 502, 503 or 504 or a panic (RFC 5861), when the response
	// does not say. 0: only as responses say.
	StaleIfError time.Duration

	// StaleIfUnreachable sends a stale response, of any age, when the handler
	// panics or answers 502 or 504 and nothing forbids it. The panic is then
	// logged and goes no further.
	StaleIfUnreachable bool

	// StoreSetCookie stores and shares responses with Set-Cookie that are
	// cacheable otherwise: everyone then gets the same cookie. false: a response
	// with Set-Cookie is neither stored nor shared.
	StoreSetCookie bool

	// MaxBody is the length of the largest body that is stored, in bytes. Larger
	// responses stream through. 0: 8 MiB.
	MaxBody int64

	// Targeted lists the targeted cache-control fields (RFC 9213) that this cache
	// obeys, most important first. nil: CDN-Cache-Control.
	Targeted []string

	// Key returns what takes the place of path and query in the cache's key, or
	// false to leave a request alone. Scheme and host stay in the key. nil: path
	// and query as they came.
	Key func(r *http.Request) (key string, ok bool)

	// Engine receives the requests by which stale responses are revalidated in
	// the background: the router that this cache is a part of. They carry the
	// header of the request that found the response stale, and a context that
	// outlives it. nil: one of the requests that find a response stale validates
	// it before it is answered, the others are answered at once.
	Engine http.Handler

	// Prefix begins every key in memcached. "": "page:".
	Prefix string

	// LookupTimeout is how long a request waits for the cache, in all, before it
	// goes on without. 0: 100 ms.
	LookupTimeout time.Duration

	// OnEvent is called with what happened to each request, and to each entry, as
	// it happens, from the goroutine it happened in. It must be quick.
	OnEvent func(Event)

	// Logger receives faults of the cache, at most one every ten seconds, and
	// panics that a stale response covered up. nil: slog.Default.
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.MaxBody == 0 {
		opts.MaxBody = defaultMaxBody
	}
	if opts.LookupTimeout <= 0 {
		opts.LookupTimeout = defaultLookupTimeout
	}
	if opts.Targeted == nil {
		opts.Targeted = []string{"Cdn-Cache-Control"}
	}
	if opts.Prefix == "" {
		opts.Prefix = defaultPrefix
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	return opts
}

func (o *Options) policy() *policy.Config {
	return &policy.Config{
		TTL:                  o.TTL,
		StaleWhileRevalidate: o.StaleWhileRevalidate,
		StaleIfError:         o.StaleIfError,
		StaleIfUnreachable:   o.StaleIfUnreachable,
		StoreSetCookie:       o.StoreSetCookie,
		Targeted:             o.Targeted,
	}
}
