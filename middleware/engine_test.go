package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/sessions"

	"github.com/bmemcached/bmemcached-go/middleware"
	"github.com/bmemcached/bmemcached-go/session"
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

// TestEngine_GetsRequestsAsClientsSentThem: what layers above take from a request, they
// take again.
func TestEngine_GetsRequestsAsClientsSentThem(t *testing.T) {
	tests := map[string]struct {
		above func(http.Handler) http.Handler
		path  string
		want  string
	}{
		"nothing above":    {func(h http.Handler) http.Handler { return h }, "/a?b", "/a?b <nil>"},
		"a language":       {languages, "/de/a", "/a de"},
		"another":          {languages, "/a", "/a en"},
		"a rewritten path": {inPlace, "/a", "/xa?y <nil>"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				s := newHTTPSite(t, &middleware.Options{}, func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(time.Second)
					w.Header().Set("Cache-Control", "max-age=10, stale-while-revalidate=60")
					fmt.Fprint(w, r.URL, " ", r.Context().Value(language{}))
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

// TestEngine_SeesNoSessionOfTheRequestBefore: layers above look at sessions, and go on with
// those that they find in the context of a request, which others change meanwhile.
func TestEngine_SeesNoSessionOfTheRequestBefore(t *testing.T) {
	plain := newSite(t, nil, nil)
	store, err := session.New(plain.client, nil, bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	stores := map[string]sessions.Store{"gorilla": sessions.NewCookieStore(bytes.Repeat([]byte("k"), 32)), "package session": store}
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				opts := &middleware.Options{PersonalCookies: []string{"sid"}}
				s := newHTTPSite(t, opts, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Cache-Control", "max-age=10, stale-while-revalidate=60")
					fmt.Fprint(w, r.Context().Value(language{}))
				})
				inner, n := s.handler, 0
				s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					n++
					looked, _ := store.Get(r, "sid")
					if _, ok := looked.Values["request"]; ok {
						t.Errorf("request %d finds the session of request %d", n, looked.Values["request"])
					}
					looked.Values["request"] = n
					inner.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), language{}, n)))
				})
				for _, want := range []string{"1", "1", "3"} {
					if r := s.get("/a"); r.body != want {
						t.Errorf("GET = %q (%s), want %q", r.body, r.cacheStatus(), want)
					}
					synctest.Wait()
					time.Sleep(11 * time.Second)
				}
			})
		})
	}
}
