package middleware_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// raw sends a request as it is and returns the response.
func (s *site) raw(request string) response {
	s.tb.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.server.URL, "http://"))
	if err != nil {
		s.tb.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, request); err != nil {
		s.tb.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
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

// TestPoison sends what an attacker might in the hope that it is stored for
// others, then what a victim sends.
func TestPoison(t *testing.T) {
	echo := func(c *gin.Context) {
		r := c.Request
		c.String(http.StatusOK, "%s %s %s %q %q %v", r.URL, r.RequestURI, r.Host, r.Header.Get("Forwarded"), r.Header.Get("X-Forwarded-Port"), r.URL.User)
	}
	const victim = "GET %s HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n"
	tests := map[string]struct{ attack, path string }{
		"absolute form with a strange scheme": {"GET evil://site.example/a HTTP/1.1\r\nHost: other.example\r\n\r\n", "/a"},
		"absolute form with a user":           {"GET http://user:pass@site.example/a HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a"},
		"Host beside an absolute form":        {"GET http://site.example/a HTTP/1.1\r\nHost: evil.example\r\n\r\n", "/a"},
		"a path that should be escaped":       {"GET /a\"><script> HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a%22%3E%3Cscript%3E"},
		"a fragment":                          {"GET /a#b HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a%23b"},
		"Forwarded":                           {"GET /a HTTP/1.1\r\nHost: site.example\r\nForwarded: host=evil.example;proto=https\r\n\r\n", "/a"},
		"a port":                              {"GET /a HTTP/1.1\r\nHost: site.example\r\nX-Forwarded-Port: 123\r\n\r\n", "/a"},
		"HTTP/1.0":                            {"GET /a HTTP/1.0\r\nHost: site.example\r\n\r\n", "/a"},
		"two slashes":                         {"GET //evil.example/a HTTP/1.1\r\nHost: site.example\r\n\r\n", "/evil.example/a"},
		"an encoded slash":                    {"GET /a%2Fb HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a/b"},
		"an encoded letter":                   {"GET /%61 HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a"},
		"the order of a query":                {"GET /a?x=1&y=2 HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a?y=2&x=1"},
		"a repeated parameter":                {"GET /a?x=1&x=2 HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a?x=1"},
		"a semicolon":                         {"GET /a?x=1;y=2 HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a?x=1&y=2"},
		"an encoded query":                    {"GET /a?%78=1 HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a?x=1"},
		"letters of the path":                 {"GET /A HTTP/1.1\r\nHost: site.example\r\n\r\n", "/a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, minute(), echo).listen()
			request := fmt.Sprintf(victim, test.path)
			clean := newSite(t, nil, echo).listen().raw(request).body
			if attacked := s.raw(test.attack); attacked.StatusCode != http.StatusOK && attacked.StatusCode != http.StatusBadRequest {
				t.Errorf("the attack is answered %d, want 200 or 400", attacked.StatusCode)
			}
			if r := s.raw(request); r.body != clean {
				t.Errorf("the victim gets %q (%s), want %q", r.body, r.cacheStatus(), clean)
			}
		})
	}
}

// TestPoison_AnswerToARangeIsNotStored: a handler that finds the range of one
// client absurd says nothing about the page.
func TestPoison_AnswerToARangeIsNotStored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, func(c *gin.Context) {
			setLines(c, "Cache-Control: max-age=10", "ETag: \""+time.Now().String()+"\"")
			if c.GetHeader("Range") == "bytes=99-" {
				c.String(http.StatusRequestedRangeNotSatisfiable, "no")
				return
			}
			c.String(http.StatusOK, "page")
		})
		s.get("/a")
		time.Sleep(11 * time.Second)
		s.get("/a", "Range: bytes=99-")
		if r := s.get("/a"); r.StatusCode != http.StatusOK || r.body != "page" {
			t.Errorf("then = %d %q, want the page", r.StatusCode, r.body)
		}
	})
}

// TestPoison_RefusedCoding: many handlers look for the name of a coding and
// overlook that it is refused. What they make of that must not reach those who
// merely did not ask for it.
func TestPoison_RefusedCoding(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Header("Vary", "Accept-Encoding")
			if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
				c.Header("Content-Encoding", "gzip")
			}
			c.String(http.StatusOK, "x")
		})
		s.get("/a", "Accept-Encoding: gzip;q=0")
		for _, accept := range []string{"identity", "gzip;q=0", "br", "deflate, gzip;q=0.0"} {
			if r := s.get("/a", "Accept-Encoding: "+accept); r.Header.Get("Content-Encoding") != "" {
				t.Errorf("Accept-Encoding: %s is answered in %s (%s)", accept, r.Header.Get("Content-Encoding"), r.cacheStatus())
			}
		}
		if r := s.get("/a", "Accept-Encoding: br, x-gzip;q=0.5"); r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("the handler does not see that gzip is accepted")
		}
	})
}

func TestAbuse_ManyRangesAreNotMultiplied(t *testing.T) {
	s := newSite(t, minute(), blob(noise(100<<10)))
	s.get("/a")
	r := s.get("/a", "Range: bytes="+strings.Repeat("0-0,", 20_000)+"0-0")
	if len(r.body) > 110<<10 {
		t.Errorf("a hundred thousand bytes asked for in pieces of one came back as %d", len(r.body))
	}
	if few := s.get("/a", "Range: bytes=0-0,2-3"); few.StatusCode != http.StatusPartialContent || !strings.HasPrefix(few.Header.Get("Content-Type"), "multipart/byteranges") {
		t.Errorf("two ranges = %d %s, want them", few.StatusCode, few.Header.Get("Content-Type"))
	}
}

// TestAbuse_HugeURLsCostOthersNothing: an entry that fits into no item must not
// be taken for a sign that the server takes small items only.
func TestAbuse_HugeURLsCostOthersNothing(t *testing.T) {
	for name, huge := range map[string]string{"URL": "/?" + strings.Repeat("x", 2<<20), "selecting field": "/"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, minute(), func(c *gin.Context) {
				c.Header("Vary", "X-Select")
				c.String(http.StatusOK, strings.Repeat("x", 500_000))
			})
			for range 3 {
				s.get("/page")
				s.get(huge, "X-Select: "+strings.Repeat("x", 2<<20))
			}
			s.cache.PurgeTags(t.Context(), "none")
			s.get("/other")
			s.get("/other")
			if n, r := roundTrips(s, http.MethodGet, "/other"); n != 1 || !r.hit() {
				t.Errorf("afterwards a hit of 500 KB takes %d round trips (%s), want 1", n, r.cacheStatus())
			}
		})
	}
}

// TestAbuse_SlowReaderDoesNotHoldUpOthers: the client that happens to be first
// reads nothing, and the handler cannot go on.
func TestAbuse_SlowReaderDoesNotHoldUpOthers(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Status(http.StatusOK)
			for range 100 {
				_, _ = c.Writer.WriteString(strings.Repeat("x", 10<<10))
			}
		})
		for name, client := range map[string]*reader{
			"stops": {reads: 100 << 10, pause: time.Hour},
			"drips": {reads: 100 << 10, pause: 500 * time.Millisecond},
		} {
			path := "/" + name
			done := make(chan struct{})
			go func() {
				defer close(done)
				client.header = http.Header{}
				s.router.ServeHTTP(client, s.request(t.Context(), http.MethodGet, path))
			}()
			time.Sleep(time.Millisecond)
			began := time.Now()
			if r := s.get(path); len(r.body) != 1000<<10 || time.Since(began) > 3*time.Second {
				t.Errorf("%s: %d bytes after %v, want the page soon", name, len(r.body), time.Since(began))
			}
			time.Sleep(10 * time.Second)
			s.get(path)
			if r := s.get(path); !r.hit() {
				t.Errorf("%s: ten seconds later %s, want a hit", name, r.cacheStatus())
			}
			<-done
		}
	})
}

// reader is a client that takes some bytes at once, and then pauses before each
// write.
type reader struct {
	header http.Header
	reads  int // bytes, before it pauses
	pause  time.Duration
}

func (r *reader) Header() http.Header { return r.header }

func (r *reader) WriteHeader(int) {}

func (r *reader) Write(p []byte) (int, error) {
	if r.reads -= len(p); r.reads < 0 {
		time.Sleep(r.pause)
	}
	runtime.KeepAlive(p) // as a connection does that takes no more
	return len(p), nil
}

// TestAbuse_SlowReaderStillFillsTheCache: without a faster client, what the slow
// one gets is stored in the end.
func TestAbuse_SlowReaderStillFillsTheCache(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Status(http.StatusOK)
			for range 100 {
				_, _ = c.Writer.WriteString(strings.Repeat("x", 10<<10))
			}
		})
		slow := &reader{header: http.Header{}, reads: 100 << 10, pause: 200 * time.Millisecond}
		s.router.ServeHTTP(slow, s.request(t.Context(), http.MethodGet, "/a"))
		if r := s.get("/a"); !r.hit() || len(r.body) != 1000<<10 {
			t.Errorf("after a response that took 18 s to read: %d bytes (%s), want a hit", len(r.body), r.cacheStatus())
		}
	})
}

// TestPoison_OrderOfLanguages: many handlers take the first language that they
// know, whatever its weight. What they make of that must not reach those who
// prefer another.
func TestPoison_OrderOfLanguages(t *testing.T) {
	s := newSite(t, minute(), func(c *gin.Context) {
		c.Header("Vary", "Accept-Language")
		first, _, _ := strings.Cut(c.GetHeader("Accept-Language"), ",")
		c.String(http.StatusOK, first)
	})
	for _, test := range [][2]string{
		{"en;q=0.9,de", "de"}, {"de,en;q=0.9", "de"}, {",de, en;q=0.90", "de"}, {"DE-de,en;q=0.9", "de-DE"}, {"de-DE,en;q=0.9", "de-DE"},
	} {
		if r := s.get("/a", "Accept-Language: "+test[0]); r.body != test[1] {
			t.Errorf("Accept-Language: %s is answered in %s (%s), want %s", test[0], r.body, r.cacheStatus(), test[1])
		}
	}
	s.wantRuns(2)
}

// TestPoison_FieldsThatConnectionNames: httputil.ReverseProxy removes them, and
// middleware that ran before it has seen them.
func TestPoison_FieldsThatConnectionNames(t *testing.T) {
	attacks := [][]string{
		{"Connection: X-Tenant, Accept-Language", "X-Tenant: evil", "Accept-Language: de"},
		{"Connection: close, x-tenant", "X-Tenant: evil"},
		{"Connection: x-forwarded-proto", "X-Forwarded-Proto: https"},
		{"Connection: Authorization", "Authorization: Bearer 1"},
	}
	victims := [][]string{nil, {"X-Tenant: evil"}, {"Accept-Language: de"}, {"X-Forwarded-Proto: https"}}
	for name, proxied := range map[string]bool{"a proxy below": true, "middleware above": false} {
		t.Run(name, func(t *testing.T) {
			for _, attack := range attacks {
				var seen http.Header
				s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), func(c *gin.Context) { seen = c.Request.Header.Clone() }, func(c *gin.Context) {
					h := seen
					if proxied {
						h = c.Request.Header.Clone()
						for _, field := range strings.Split(h.Get("Connection"), ",") {
							h.Del(strings.TrimSpace(field))
						}
					}
					c.Header("Vary", "X-Tenant, Accept-Language")
					c.String(http.StatusOK, "%q %q %q", h.Get("X-Tenant"), h.Get("Accept-Language"), h.Get("X-Forwarded-Proto"))
				})
				s.get("/a")
				s.get("/b", attack...)
				for _, victim := range victims {
					want := s.request(t.Context(), http.MethodGet, "/", victim...).Header
					if r := s.get("/b", victim...); r.body != fmt.Sprintf("%q %q %q", want.Get("X-Tenant"), want.Get("Accept-Language"), want.Get("X-Forwarded-Proto")) {
						t.Errorf("after %q, %q is answered %s (%s)", attack, victim, r.body, r.cacheStatus())
					}
				}
			}
		})
	}
}

// TestPoison_ParametersThatALayerAboveHasTaken: from the URL, but not from all places
// where handlers see them.
func TestPoison_ParametersThatALayerAboveHasTaken(t *testing.T) {
	shows := map[string]gin.HandlerFunc{
		"RequestURI": func(c *gin.Context) { c.String(http.StatusOK, c.Request.RequestURI) },
		"Form":       func(c *gin.Context) { c.String(http.StatusOK, c.Request.FormValue("utm")) },
		"gin":        func(c *gin.Context) { c.String(http.StatusOK, c.Query("utm")) },
	}
	for name, handler := range shows {
		for _, attack := range []string{"utm=evil&a=1", "utm=ev;il&a=1", "a=1&a=evil"} {
			above := func(c *gin.Context) {
				_, _ = c.Request.FormValue("utm"), c.Query("utm")
				c.Request.URL.RawQuery = "tenant=x&a=1"
			}
			s := newSiteAbove(t, memcachedtest.Start(t, nil), minute(), above, handler).listen()
			s.get("/a?" + attack)
			want := s.get("/a?a=1").body
			if strings.Contains(want, "evil") || strings.Contains(want, "il") {
				t.Errorf("%s, %s: the victim gets %q", name, attack, want)
			}
			if r := s.get("/a?a=1"); !r.hit() || r.body != want {
				t.Errorf("%s, %s: then %q (%s), want a hit %q: nothing was taken", name, attack, r.body, r.cacheStatus(), want)
			}
			if r := s.get("/a?" + attack); !r.hit() || r.body != want {
				t.Errorf("%s, %s: then %q (%s), want a hit: %q", name, attack, r.body, r.cacheStatus(), want)
			}
		}
	}
}
