package middleware_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestHandler_ThatFailsHalfWayIsNotStored: it says so when it is too late.
func TestHandler_ThatFailsHalfWayIsNotStored(t *testing.T) {
	recovered := gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, _ any) { c.String(http.StatusInternalServerError, "sorry") })
	for name, fail := range map[string]gin.HandlerFunc{
		"http.Error": func(c *gin.Context) { http.Error(c.Writer, "sorry", http.StatusInternalServerError) },
		"String":     func(c *gin.Context) { c.String(http.StatusInternalServerError, "sorry") },
		"Status":     func(c *gin.Context) { c.Status(http.StatusInternalServerError) },
		"recovery":   func(*gin.Context) { panic("on purpose") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), nil, recovered, func(c *gin.Context) {
				c.String(http.StatusOK, "half a page")
				fail(c)
			})
			for range 2 {
				if r := s.get("/a"); r.StatusCode != http.StatusOK || !strings.HasPrefix(r.body, "half a page") {
					t.Errorf("= %d %q, want what it is without the cache", r.StatusCode, r.body)
				}
			}
			s.wantRuns(2)
		})
	}
}

// TestHeader_OfLayersBelowAPanicReachesTheClient: whoever recovers above adds to it.
func TestHeader_OfLayersBelowAPanicReachesTheClient(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("X-Request-Id", "1")
		panic("on purpose")
	})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if r := s.do(method, "/a"); r.StatusCode != http.StatusInternalServerError || r.Header.Get("X-Request-Id") != "1" {
			t.Errorf("%s after a panic = %d %v, want 500 with X-Request-Id", method, r.StatusCode, r.Header)
		}
	}
}

// TestRequest_IsTakenOnEntry: layers below may rewrite it in place.
func TestRequest_IsTakenOnEntry(t *testing.T) {
	rewrite := func(c *gin.Context) {
		c.Request.URL.Path = "/index.php"
		c.Request.Header.Set("Accept-Language", "de")
	}
	s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), nil, rewrite, text("x", "Vary: Accept-Language"))
	s.get("/a", "Accept-Language: fr")
	if r := s.get("/a", "Accept-Language: fr"); !r.hit() {
		t.Errorf("a page of a rewritten request = %s, want a hit", r.cacheStatus())
	}
	s.do(http.MethodPost, "/a")
	if r := s.get("/a", "Accept-Language: fr"); r.hit() {
		t.Errorf("after a POST whose URL was rewritten = %s, want the page invalidated", r.cacheStatus())
	}
}

// TestHeader_OfHitAndMissIsTheSame, on a real connection: net/http has rules of its
// own for these.
func TestHeader_OfHitAndMissIsTheSame(t *testing.T) {
	for name, handler := range map[string]gin.HandlerFunc{
		"no Content-Type": func(c *gin.Context) {
			c.Writer.Header()["Content-Type"] = nil
			_, _ = c.Writer.Write([]byte("<html>"))
		},
		"guessed Content-Type": func(c *gin.Context) { _, _ = c.Writer.Write([]byte("<html>")) },
		"204 with a body": func(c *gin.Context) {
			c.Status(http.StatusNoContent)
			_, _ = c.Writer.Write([]byte("<html>"))
		},
		"late trailer": func(c *gin.Context) {
			c.String(http.StatusOK, strings.Repeat("x", 5000))
			c.Writer.Header().Set(http.TrailerPrefix+"X-Sum", "1")
		},
		"late field": func(c *gin.Context) {
			c.String(http.StatusOK, "x")
			c.Header("X-Late", "1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, minute(), handler).listen()
			var got []response
			for range 3 {
				r := s.get("/a")
				for _, name := range []string{"Age", "Date", "Cache-Status", "Etag", "Content-Length"} {
					delete(r.Header, name)
				}
				got = append(got, r)
			}
			for _, r := range got[1:] {
				if !sameHeader(r.Header, got[0].Header) || !sameHeader(r.Trailer, got[0].Trailer) || r.body != got[0].body {
					t.Errorf("then %v %v %q, at first %v %v %q", r.Header, r.Trailer, r.body, got[0].Header, got[0].Trailer, got[0].body)
				}
			}
		})
	}
}

func sameHeader(a, b http.Header) bool {
	for name := range a {
		if !slices.Equal(a[name], b[name]) {
			return false
		}
	}
	return len(a) == len(b)
}

// holding holds a response back until the chain has ended, as ETag middleware does.
type holding struct {
	gin.ResponseWriter
	status int
	body   bytes.Buffer
}

func (w *holding) Write(p []byte) (int, error)       { return w.body.Write(p) }
func (w *holding) WriteString(s string) (int, error) { return w.body.WriteString(s) }
func (w *holding) WriteHeader(status int)            { w.status = status }
func (w *holding) WriteHeaderNow()                   {}
func (w *holding) Status() int                       { return w.status }

func hold(c *gin.Context) {
	w := &holding{ResponseWriter: c.Writer, status: http.StatusOK}
	c.Writer = w
	c.Next()
	w.Header().Set("X-Length", http.StatusText(w.status))
	w.ResponseWriter.WriteHeader(w.status)
	_, _ = w.ResponseWriter.Write(w.body.Bytes())
}

// TestAbove_LayerThatHoldsTheResponseBack can still change it after the first byte.
func TestAbove_LayerThatHoldsTheResponseBack(t *testing.T) {
	for name, test := range map[string]struct {
		handler gin.HandlerFunc
		status  int
		runs    int64
	}{
		"page": {text("x"), http.StatusOK, 1},
		"404":  {func(c *gin.Context) { c.String(http.StatusNotFound, "x") }, http.StatusNotFound, 1},
		"fails late": {func(c *gin.Context) {
			_, _ = c.Writer.WriteString("x")
			c.Status(http.StatusInternalServerError)
		}, http.StatusInternalServerError, 2},
		"late field": {func(c *gin.Context) {
			_, _ = c.Writer.WriteString("x")
			c.Header("X-Late", "1")
		}, http.StatusOK, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), hold, test.handler)
			for range 2 {
				r := s.get("/a")
				if r.StatusCode != test.status || r.body != "x" || r.Header.Get("X-Length") != http.StatusText(test.status) {
					t.Errorf("= %d %q %v, want %d", r.StatusCode, r.body, r.Header, test.status)
				}
				if name == "late field" && r.Header.Get("X-Late") != "1" {
					t.Errorf("header = %v, want X-Late: it has not gone out yet", r.Header)
				}
			}
			s.wantRuns(test.runs)
		})
	}
}

// TestHeader_ChangedAfterTheFirstByte counts where a layer above still holds the response
// back, also one of net/http under gin.
func TestHeader_ChangedAfterTheFirstByte(t *testing.T) {
	late := func(c *gin.Context) {
		c.String(http.StatusOK, "x")
		c.Header("X-Late", "1")
	}
	buffer := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			held := httptest.NewRecorder()
			next.ServeHTTP(&headerOf{held, w.Header()}, r)
			_, _ = held.Body.WriteTo(w)
		})
	}
	for name, above := range map[string]func(http.Handler) http.Handler{
		"held back": buffer,
		"sent":      func(next http.Handler) http.Handler { return next },
	} {
		s := newSite(t, minute(), late)
		server := httptest.NewServer(above(s.router))
		t.Cleanup(server.Close)
		s.server = server
		s.get("/a")
		r := s.get("/a")
		if held := name == "held back"; r.hit() == held || (r.Header.Get("X-Late") == "1") != held {
			t.Errorf("%s: %s with X-Late %q, want it as without the cache", name, r.cacheStatus(), r.Header.Get("X-Late"))
		}
	}
}

// headerOf writes into a buffer, and has the header of another.
type headerOf struct {
	*httptest.ResponseRecorder
	header http.Header
}

func (h *headerOf) Header() http.Header { return h.header }
