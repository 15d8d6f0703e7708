package composition_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/csrf"
	"github.com/gorilla/handlers"
	"github.com/gorilla/sessions"
	"github.com/justinas/nosurf"
	"github.com/klauspost/compress/gzhttp"
	rscors "github.com/rs/cors"
	unrolled "github.com/unrolled/secure"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/bmemcached/bmemcached-go/session"
)

const otherOrigin = "https://other.example"

var quiet = log.New(io.Discard, "", 0)

// httpLayers are layers of net/http.
var httpLayers = []layer{
	{name: "fields of our own", http: plainHTTP(httpFields), notBelow: variesUnnamed},
	{name: "a field of our own", http: plainHTTP(chimiddleware.SetHeader("X-Above", "1"))},
	{name: "fields after the handlers", http: plainHTTP(httpLateFields), late: true},
	{name: "a transaction", http: plainHTTP(httpTransaction)},
	{name: "a buffer that makes an ETag", http: plainHTTP(httpETag), holds: true},
	{name: "a cookie of consent", http: plainHTTP(httpConsent), notBelow: sameForAll},
	{name: "http.StripPrefix", http: plainHTTP(func(h http.Handler) http.Handler { return http.StripPrefix("/mount", h) }), mount: "/mount", notBelow: aroundOnly},
	{name: "http.TimeoutHandler", http: plainHTTP(func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "late") }), holds: true, hides: true},
	{name: "http.MaxBytesHandler", http: plainHTTP(func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 1000) })},
	{name: "http.CrossOriginProtection", http: plainHTTP(http.NewCrossOriginProtection().Handler)},
	{name: "gzhttp", http: plainHTTP(func(h http.Handler) http.Handler { return gzhttp.GzipHandler(h) }), holds: true, compressor: true},
	{name: "gorilla/handlers.CompressHandler", http: plainHTTP(handlers.CompressHandler), compressor: true},
	{name: "gorilla/handlers.LoggingHandler", http: plainHTTP(func(h http.Handler) http.Handler { return handlers.CombinedLoggingHandler(io.Discard, h) })},
	{name: "gorilla/handlers.RecoveryHandler", http: plainHTTP(handlers.RecoveryHandler(handlers.RecoveryLogger(quiet)))},
	{name: "gorilla/handlers.ProxyHeaders", http: plainHTTP(handlers.ProxyHeaders)},
	{name: "gorilla/handlers.CORS", http: plainHTTP(handlers.CORS(handlers.AllowedOrigins([]string{otherOrigin}))), notBelow: variesUnnamed},
	{name: "gorilla/csrf", http: plainHTTP(csrf.Protect(secret, csrf.Secure(false), csrf.TrustedOrigins([]string{"other.example"}))), earlyCookie: true},
	{name: "nosurf", http: plainHTTP(func(h http.Handler) http.Handler { return nosurf.New(h) }), earlyCookie: true},
	{name: "rs/cors", http: plainHTTP(rscors.New(rscors.Options{AllowedOrigins: []string{otherOrigin}, AllowCredentials: true}).Handler)},
	{name: "unrolled/secure", http: plainHTTP(unrolled.New(unrolled.Options{FrameDeny: true, ContentTypeNosniff: true, ReferrerPolicy: "same-origin"}).Handler)},
	{name: "otelhttp", http: plainHTTP(otelhttp.NewMiddleware("site"))},
	{name: "chi Logger and Recoverer", http: plainHTTP(func(h http.Handler) http.Handler {
		return chimiddleware.RequestLogger(quietLog{})(chimiddleware.Recoverer(h))
	})},
	{name: "chi RequestID", http: plainHTTP(chimiddleware.RequestID)},
	{name: "chi Compress", http: plainHTTP(chimiddleware.Compress(5)), compressor: true, sometimes: true},
	{name: "chi Timeout", http: plainHTTP(chimiddleware.Timeout(time.Minute))},
	{name: "chi NoCache", http: plainHTTP(chimiddleware.NoCache)},
	{name: "chi StripSlashes", http: plainHTTP(chimiddleware.StripSlashes)},
	{name: "chi Throttle", http: plainHTTP(chimiddleware.Throttle(100))},
	{name: "scs", http: func(*instance) func(http.Handler) http.Handler { return scsLayer(nil) }, lateCookie: true},
	{name: "scs with our store", http: scsWithStore, lateCookie: true},
	{name: "gorilla/sessions (cookie)", http: plainHTTP(func(h http.Handler) http.Handler {
		return withGorilla(h, sessions.NewCookieStore(secret), false)
	})},
	{name: "gorilla/sessions (cookie), looked at", http: plainHTTP(func(h http.Handler) http.Handler {
		return withGorilla(h, sessions.NewCookieStore(secret), true)
	}), looks: true},
	{name: "gorilla/sessions (our store)", http: func(in *instance) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return session.Private(withGorilla(h, newStore(in, "gorilla:"), false))
		}
	}, notBelow: aroundOnly},
	{name: "gorilla/sessions (our store), looked at", http: func(in *instance) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return session.Private(withGorilla(h, newStore(in, "gorilla:"), true))
		}
	}, notBelow: aroundOnly},
	{name: "session.Private", http: plainHTTP(session.Private), notBelow: aroundOnly},
}

// httpFields sets fields before the handlers run, some of them lists.
func httpFields(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setAboveFields(w.Header(), r)
		h.ServeHTTP(w, r)
	})
}

func setAboveFields(h http.Header, r *http.Request) {
	h.Set("X-Above", "1")
	h.Add("Link", "</style.css>; rel=preload")
	h.Add("Cache-Tag", "site")
	if r.Header.Get("Origin") != "" {
		h.Add("Vary", "Origin")
		h.Set("X-Cross", r.Header.Get("Origin"))
	}
}

func httpLateFields(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		w.Header().Set("X-After", "1")
	})
}

func httpTransaction(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, commit := withTransaction(r)
		h.ServeHTTP(w, r)
		commit()
	})
}

// httpConsent asks each visitor once.
func httpConsent(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("consent"); err != nil {
			http.SetCookie(w, &http.Cookie{Name: "consent", Value: "asked"})
		}
		h.ServeHTTP(w, r)
	})
}

// httpETag holds the response back to give it a tag.
func httpETag(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := &heldHTTP{header: w.Header()}
		h.ServeHTTP(held, r)
		if held.status == 0 {
			held.status = http.StatusOK
		}
		if held.status == http.StatusOK && w.Header().Get("ETag") == "" {
			w.Header().Set("ETag", sumOf(held.body.Bytes()))
			if r.Header.Get("If-None-Match") == w.Header().Get("ETag") {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		w.WriteHeader(held.status)
		_, _ = w.Write(held.body.Bytes())
	})
}

// sumOf is an ETag for a body. Tokens against CSRF are random.
func sumOf(body []byte) string {
	return fmt.Sprintf(`"sum-%x"`, crc32.ChecksumIEEE(tokens.ReplaceAll(body, nil)))
}

type heldHTTP struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *heldHTTP) Header() http.Header { return w.header }

func (w *heldHTTP) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
}

func (w *heldHTTP) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// managerKey is where pages find the sessions of scs.
type managerKey struct{}

// scsLayer is LoadAndSave of scs.
func scsLayer(store scs.Store) func(http.Handler) http.Handler {
	manager := scs.New()
	if store != nil {
		manager.Store = store
	}
	manager.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, "session: "+err.Error(), http.StatusInternalServerError)
	}
	return func(h http.Handler) http.Handler {
		return manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), managerKey{}, manager)))
		}))
	}
}

// gorillaKey is where pages find the store of gorilla/sessions, and lookedKey what a
// layer has seen in the session.
type (
	gorillaKey struct{}
	lookedKey  struct{}
)

// gorillaName is that of the sessions of gorilla/sessions and of their cookie.
const gorillaName = "gid"

// withGorilla makes a store known to those below, and looks at the session if told so.
func withGorilla(h http.Handler, store sessions.Store, look bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if look {
			s, _ := store.Get(r, gorillaName)
			visits, _ := s.Values["visits"].(int)
			r = r.WithContext(context.WithValue(r.Context(), lookedKey{}, visits))
		}
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), gorillaKey{}, store)))
	})
}

// newStore returns a store of package session.
func newStore(in *instance, prefix string) *session.Store {
	store, err := session.New(in.client, &session.Options{Prefix: in.prefix + prefix, Logger: slog.New(slog.DiscardHandler)}, secret)
	if err != nil {
		panic(err)
	}
	return store
}

func scsWithStore(in *instance) func(http.Handler) http.Handler {
	store, err := session.NewSCS(in.client, &session.Options{Prefix: in.prefix + "scs:"}, secret)
	if err != nil {
		panic(err)
	}
	return scsLayer(store)
}

// quietLog is a log of chi that nobody reads.
type quietLog struct{}

func (quietLog) NewLogEntry(*http.Request) chimiddleware.LogEntry { return quietLog{} }
func (quietLog) Write(int, int, http.Header, time.Duration, any)  {}
func (quietLog) Panic(any, []byte)                                {}
