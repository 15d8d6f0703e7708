package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestEmpty_WhoeverWritesNothingIsNotStored: a layer below that writes no bytes is not the
// handler, and gin answers for that one later.
func TestEmpty_WhoeverWritesNothingIsNotStored(t *testing.T) {
	for name, test := range map[string]struct {
		handler gin.HandlerFunc
		stored  bool
	}{
		"a layer writes nothing":      {func(c *gin.Context) { _, _ = c.Writer.Write(nil) }, false},
		"the handler states a status": {func(c *gin.Context) { c.Writer.WriteHeader(http.StatusOK); _, _ = c.Writer.Write(nil) }, true},
	} {
		s := newSite(t, minute(), test.handler)
		s.get("/a")
		if r := s.get("/a"); r.hit() != test.stored {
			t.Errorf("%s: %s, want a hit: %v", name, r.cacheStatus(), test.stored)
		}
	}
}

// TestUnsent_WhatOthersSendLaterIsNotStored: sessions of scs around gin set their cookie
// when the header goes out, and that of a mere status does when gin is done.
func TestUnsent_WhatOthersSendLaterIsNotStored(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) { c.Status(http.StatusNoContent) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.router.ServeHTTP(&cookieSetter{w}, r)
	}))
	t.Cleanup(server.Close)
	s.server = server
	for range 2 {
		if r := s.get("/a"); r.hit() || r.Header.Get("Set-Cookie") == "" {
			t.Errorf("%s, Set-Cookie %q, want a cookie each time", r.cacheStatus(), r.Header.Get("Set-Cookie"))
		}
	}
}

// cookieSetter sets a cookie when the header goes out.
type cookieSetter struct{ http.ResponseWriter }

func (w *cookieSetter) WriteHeader(status int) {
	http.SetCookie(w.ResponseWriter, &http.Cookie{Name: "a", Value: "b"})
	w.ResponseWriter.WriteHeader(status)
}

// TestHit_CallsAreThoseOfTheHandler: layers above decide by them. Gorilla's compression
// guesses the type at a Write before which nobody stated a status.
func TestHit_CallsAreThoseOfTheHandler(t *testing.T) {
	for want, handler := range map[string]http.HandlerFunc{
		"Write 5":         func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
		"WriteHeader 200": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) },
		"WriteHeader 200 Write 5": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			_, _ = io.WriteString(w, "hello")
		},
		"WriteHeader 200 Write 0": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK); _, _ = w.Write(nil) },
		"WriteHeader 404 Write 5": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "hello")
		},
	} {
		s := newHTTPSite(t, minute(), handler)
		for range 2 {
			calls := &callLog{ResponseRecorder: httptest.NewRecorder()}
			s.ServeHTTP(calls, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://site.example/a", nil))
			if got := strings.Join(calls.calls, " "); got != want {
				t.Errorf("%s: the writer above sees %q, want %q", calls.Header().Get("Cache-Status"), got, want)
			}
		}
		s.wantRuns(1)
	}
}

// callLog notes what is called.
type callLog struct {
	*httptest.ResponseRecorder
	calls []string
}

func (w *callLog) WriteHeader(status int) {
	w.calls = append(w.calls, fmt.Sprintf("WriteHeader %d", status))
	w.ResponseRecorder.WriteHeader(status)
}

func (w *callLog) Write(p []byte) (int, error) {
	w.calls = append(w.calls, fmt.Sprintf("Write %d", len(p)))
	return w.ResponseRecorder.Write(p)
}

func (w *callLog) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// TestMiss_CallsAreThoseOfTheHandler: layers above gin's handlers get every call that they
// would get without the cache, those after the first byte as well. gin-contrib/gzip, of
// which the header is to go out, decides what it then says.
func TestMiss_CallsAreThoseOfTheHandler(t *testing.T) {
	for name, handler := range map[string]gin.HandlerFunc{
		"a page":        func(c *gin.Context) { c.String(http.StatusOK, "hello") },
		"a mere status": func(c *gin.Context) { c.Status(http.StatusNotFound) },
		"an abort":      func(c *gin.Context) { c.AbortWithStatus(http.StatusNotFound) },
		"nothing":       func(*gin.Context) {},
		"half a page": func(c *gin.Context) {
			c.String(http.StatusOK, "hel")
			c.AbortWithStatus(http.StatusInternalServerError)
		},
		"a header, again": func(c *gin.Context) {
			c.Writer.WriteHeaderNow()
			c.Writer.WriteHeaderNow()
			c.String(http.StatusOK, "hello")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []string
			above := func(c *gin.Context) { c.Writer = &ginCallLog{c.Writer, &calls} }
			plain := gin.New()
			plain.NoRoute(above, handler)
			plain.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/a", nil))
			want := calls
			calls = nil
			newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, handler).get("/a")
			if !slices.Equal(calls, want) {
				t.Errorf("the writer above sees %q, without the cache %q", calls, want)
			}
		})
	}
}

// ginCallLog notes what gin's handlers call.
type ginCallLog struct {
	gin.ResponseWriter
	calls *[]string
}

func (w *ginCallLog) note(call string) { *w.calls = append(*w.calls, call) }

func (w *ginCallLog) WriteHeader(status int) {
	w.note(fmt.Sprintf("WriteHeader %d", status))
	w.ResponseWriter.WriteHeader(status)
}

func (w *ginCallLog) WriteHeaderNow() {
	w.note("WriteHeaderNow")
	w.ResponseWriter.WriteHeaderNow()
}

func (w *ginCallLog) Write(p []byte) (int, error) {
	w.note(fmt.Sprintf("Write %q", p))
	return w.ResponseWriter.Write(p)
}

func (w *ginCallLog) WriteString(s string) (int, error) {
	w.note(fmt.Sprintf("WriteString %q", s))
	return w.ResponseWriter.WriteString(s)
}
