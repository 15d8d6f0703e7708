package middleware_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

func TestHEAD_IsAnsweredFromGET(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("hello", "X-A: 1"))
		s.get("/a")
		r := s.do(http.MethodHead, "/a")
		if !r.hit() || r.body != "" || r.Header.Get("X-A") != "1" || r.Header.Get("Content-Length") != "5" {
			t.Errorf("HEAD = %v %q, want the header of the stored GET and its length", r.Header, r.body)
		}
		s.wantRuns(1)
	})
}

func TestHEAD_IsNotStoredAsGET(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("hello"))
		s.do(http.MethodHead, "/a")
		if r := s.get("/a"); r.body != "hello" {
			t.Errorf("GET after HEAD = %q, want %q", r.body, "hello")
		}
		s.wantRuns(2)
	})
}

func TestHEAD_ThatContradictsRemovesTheStoredResponse(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := `"1"`
		s := newSite(t, nil, func(c *gin.Context) {
			setLines(c, "Cache-Control: max-age=10, stale-if-error=600", "ETag: "+version)
			if c.Request.Method == http.MethodGet {
				c.String(http.StatusOK, "x")
			} else {
				c.Status(http.StatusOK)
			}
		})
		s.get("/a")
		time.Sleep(11 * time.Second)
		s.do(http.MethodHead, "/a") // confirms
		if !s.get("/a").hit() {
			t.Error("a HEAD that agrees with the stored response did not freshen it")
		}
		time.Sleep(11 * time.Second)
		version = `"2"`
		s.do(http.MethodHead, "/a") // contradicts
		if r := s.get("/a", "Cache-Control: only-if-cached, max-stale"); r.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("after a HEAD that contradicts it the stored response is still served: %s", r.cacheStatus())
		}
	})
}

func TestRange_IsCutFromAStoredResponse(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("0123456789", "ETag: \"v1\""))
		s.get("/a")
		tests := map[string]struct {
			lines  []string
			status int
			body   string
		}{
			"first":          {[]string{"Range: bytes=0-1"}, 206, "01"},
			"from":           {[]string{"Range: bytes=7-"}, 206, "789"},
			"last":           {[]string{"Range: bytes=-3"}, 206, "789"},
			"beyond":         {[]string{"Range: bytes=20-"}, 416, "invalid range: failed to overlap\n"},
			"other unit":     {[]string{"Range: lines=0-1"}, 200, "0123456789"},
			"If-Range holds": {[]string{"Range: bytes=0-1", `If-Range: "v1"`}, 206, "01"},
			"If-Range fails": {[]string{"Range: bytes=0-1", `If-Range: "v0"`}, 200, "0123456789"},
		}
		for name, test := range tests {
			r := s.get("/a", test.lines...)
			if r.StatusCode != test.status || r.body != test.body || !r.hit() {
				t.Errorf("%s = %d %q (%s), want %d %q", name, r.StatusCode, r.body, r.cacheStatus(), test.status, test.body)
			}
		}
		r := s.get("/a", "Range: bytes=0-1,4-5")
		if r.StatusCode != 206 || !strings.Contains(r.body, "01") || !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/byteranges") {
			t.Errorf("two ranges = %d %q %q, want both in a multipart body", r.StatusCode, r.Header.Get("Content-Type"), r.body)
		}
		s.wantRuns(1)
	})
}

func TestRange_206IsNeverStored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, func(c *gin.Context) {
			c.Header("Cache-Control", "max-age=60")
			if c.GetHeader("Range") != "" {
				c.Header("Content-Range", "bytes 0-1/4")
				c.String(http.StatusPartialContent, "01")
				return
			}
			c.String(http.StatusOK, "0123")
		})
		if r := s.get("/a", "Range: bytes=0-1"); r.StatusCode != 206 || r.body != "01" {
			t.Errorf("range of what is not stored = %d %q, want the handler's answer", r.StatusCode, r.body)
		}
		if r := s.get("/a"); r.StatusCode != 200 || r.body != "0123" {
			t.Errorf("GET after a range = %d %q, want the whole", r.StatusCode, r.body)
		}
		s.wantRuns(2)
	})
}

// TestRange_OfAnEmptyPageIsThePage: net/http would guess its type.
func TestRange_OfAnEmptyPageIsThePage(t *testing.T) {
	s := newSite(t, minute(), text(""))
	s.listen()
	s.get("/a")
	plain, part := s.get("/a"), s.get("/a", "Range: bytes=0-3")
	if part.StatusCode != http.StatusOK || !slices.Equal(part.Header["Content-Type"], plain.Header["Content-Type"]) || part.Header.Get("Accept-Ranges") != "" {
		t.Errorf("a part of nothing = %d %v, want the same as without Range: %v", part.StatusCode, part.Header, plain.Header)
	}
}

// TestRange_IsNotCutBelowCompression: chi's decides when the header goes out, also
// about a part, whose Content-Range is then wrong.
func TestRange_IsNotCutBelowCompression(t *testing.T) {
	page := strings.Repeat("0123456789", 300)
	s := newHTTPSite(t, minute(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, page)
	})
	compressing := func(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(struct{ http.ResponseWriter }{w}, r) }
	server := httptest.NewServer(http.HandlerFunc(compressing))
	t.Cleanup(server.Close)
	s.get("/a")
	for _, codings := range []string{"gzip", "identity", "identity;q=1, *;q=0", "not said"} {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/a", nil)
		request.Host = "site.example"
		request.Header.Set("Range", "bytes=0-9")
		if codings != "not said" { // gorilla's CompressHandler removes it
			request.Header.Set("Accept-Encoding", codings)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		status := response.Header.Get("Cache-Status")
		if want := map[bool]int{true: http.StatusOK, false: http.StatusPartialContent}[codings == "gzip" || codings == "not said"]; !strings.Contains(status, "hit") || response.StatusCode != want {
			t.Errorf("a part for who accepts %q = %d of %d bytes (%s), want %d", codings, response.StatusCode, len(body), status, want)
		}
	}
}
