package middleware_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// wrapping is a writer of a layer above that knows nothing of what is behind it.
type wrapping struct{ http.ResponseWriter }

func (w wrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestHijack_ThroughALayerAbove: a ResponseController finds the connection behind a
// writer that has none, and what goes there is not the body of the response.
func TestHijack_ThroughALayerAbove(t *testing.T) {
	s := newHTTPSite(t, minute(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first ")
		control := http.NewResponseController(w)
		if err := control.Flush(); err != nil {
			t.Errorf("Flush: %v", err)
		}
		conn, _, err := control.Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		_, _ = io.WriteString(conn, "3\r\nraw\r\n0\r\n\r\n")
		_ = conn.Close()
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.ServeHTTP(wrapping{w}, r) }))
	defer server.Close()
	for range 2 {
		answer, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || string(body) != "first raw" {
			t.Errorf("%q, %v, want what the handler wrote to the connection, too", body, err)
		}
	}
	s.wantRuns(2)
}

// unhijacked says that its connection can be taken over, which then fails: it is one of
// HTTP/2, say.
type unhijacked struct{ serverWriter }

var errNoHijack = errors.New("not this one")

func (unhijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errNoHijack }

// TestHijack_ThatFailsChangesNothing: the handler answers otherwise.
func TestHijack_ThatFailsChangesNothing(t *testing.T) {
	s := newHTTPSite(t, minute(), func(w http.ResponseWriter, _ *http.Request) {
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, errNoHijack) {
			t.Errorf("Hijack: %v, want %v", err, errNoHijack)
		}
		_, _ = io.WriteString(w, "page")
	})
	for _, want := range []bool{false, true} {
		recorder := httptest.NewRecorder()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/a", nil)
		s.ServeHTTP(unhijacked{serverWriter{recorder}}, request)
		if r := received(request, recorder); r.body != "page" || r.hit() != want {
			t.Errorf("%q (%s), want the page, as a hit: %v", r.body, r.cacheStatus(), want)
		}
	}
}
