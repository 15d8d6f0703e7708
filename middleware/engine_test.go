package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// language is in the context of requests whose path began with one.
type language struct{}

// languages takes /de from the path, and says so in the context.
func languages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := "en"
		if rest, ok := strings.CutPrefix(r.URL.Path, "/de/"); ok {
			url := *r.URL
			url.Path = "/" + rest
			r = r.WithContext(r.Context())
			r.URL, said = &url, "de"
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), language{}, said)))
	})
}

// inPlace rewrites the path of the request that it was given, and its query.
func inPlace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.FormValue("x")
		r.URL.Path = strings.Replace(r.URL.Path, "/", "/x", 1)
		r.URL.RawQuery += "y"
		next.ServeHTTP(w, r)
	})
}

// router is a router that keeps what it knows in the context of requests, and uses it
// again, as chi does.
type router struct {
	next http.Handler
	used sync.Pool
}

type way struct{ path string }

func (w *way) Reset()                 { w.path = "" }
func (w *way) RoutePattern() string   { return "" }
func (w *way) URLParam(string) string { return w.path }

type wayKey struct{}

func (s *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	known, found := r.Context().Value(wayKey{}).(*way)
	if !found {
		if known, found = s.used.Get().(*way); !found {
			known = new(way)
		}
		known.path = r.URL.Path
		defer func() { known.path = "/elsewhere"; s.used.Put(known) }()
	}
	s.next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), wayKey{}, known)))
}

// TestEngine_GetsRequestsAsClientsSentThem: what layers above take from a request, they
// take again, and what they have put into its context may be used for others.
func TestEngine_GetsRequestsAsClientsSentThem(t *testing.T) {
	tests := map[string]struct {
		above func(http.Handler) http.Handler
		path  string
		want  string
	}{
		"nothing above":       {func(h http.Handler) http.Handler { return h }, "/a?b", "/a?b <nil> <nil>"},
		"a language":          {languages, "/de/a", "/a de <nil>"},
		"another":             {languages, "/a", "/a en <nil>"},
		"a rewritten path":    {inPlace, "/a", "/xa?y <nil> <nil>"},
		"a router like chi's": {func(h http.Handler) http.Handler { return &router{next: h} }, "/a", "/a <nil> /a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				s := newHTTPSite(t, &middleware.Options{}, func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(time.Second)
					way, _ := r.Context().Value(wayKey{}).(*way)
					var path any
					if way != nil {
						path = way.path
					}
					w.Header().Set("Cache-Control", "max-age=10, stale-while-revalidate=60")
					fmt.Fprint(w, r.URL, " ", r.Context().Value(language{}), " ", path)
				})
				s.handler = test.above(s.handler)
				for i := range 4 {
					if r := s.get(test.path); r.body != test.want || r.hit() != (i > 0) {
						t.Errorf("request %d is answered %q (%s), want %q", i, r.body, r.cacheStatus(), test.want)
					}
					time.Sleep(12 * time.Second)
				}
				s.wantRuns(4)
			})
		})
	}
}

// TestEngine_ClientCanDoWhatThatOfAServerCan: handlers of streams answer with an error
// where it cannot.
func TestEngine_ClientCanDoWhatThatOfAServerCan(t *testing.T) {
	inTime(t, func(t *testing.T) {
		n := 0
		s := newHTTPSite(t, &middleware.Options{}, func(w http.ResponseWriter, _ *http.Request) {
			n++
			w.Header().Set("Cache-Control", "max-age=10, stale-while-revalidate=60")
			flusher, ok := w.(http.Flusher)
			control := http.NewResponseController(w)
			err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{}), control.EnableFullDuplex())
			if !ok || err != nil {
				http.Error(w, "no streams here", http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, n)
			flusher.Flush()
		})
		able := s.handler
		s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, recorded := w.(serverWriter); recorded {
				w = ableWriter{w}
			}
			able.ServeHTTP(w, r)
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		s.get("/a")
		synctest.Wait()
		if r := s.get("/a"); r.body != "2" || !r.hit() || r.Header.Get("Age") != "0" {
			t.Errorf("after the background run %q (%s), want a fresh hit of what it made", r.body, r.cacheStatus())
		}
	})
}

// ableWriter can do what that of a server can.
type ableWriter struct{ http.ResponseWriter }

func (ableWriter) Flush()                           {}
func (ableWriter) SetReadDeadline(time.Time) error  { return nil }
func (ableWriter) SetWriteDeadline(time.Time) error { return nil }
func (ableWriter) EnableFullDuplex() error          { return nil }
