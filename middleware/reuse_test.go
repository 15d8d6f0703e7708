package middleware_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

func TestReuse_EndsWithTheLifetime(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=10"))
		s.get("/a")
		time.Sleep(9 * time.Second)
		s.get("/a")
		s.wantRuns(1)
		time.Sleep(time.Second)
		s.get("/a")
		s.wantRuns(2)
	})
}

func TestReuse_AgeIsEmittedAndDateKept(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=60"))
		date := time.Now().UTC().Format(http.TimeFormat)
		s.get("/a")
		time.Sleep(7 * time.Second)
		hit := s.get("/a")
		if got := hit.Header.Get("Age"); got != "7" {
			t.Errorf("Age = %q after 7 s, want 7", got)
		}
		if got := hit.Header.Get("Date"); got != date {
			t.Errorf("Date = %q, want that of the stored response, %q", got, date)
		}
	})
}

func TestReuse_AgeOfCachesBeforeCounts(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=60", "Age: 40"))
		s.get("/a")
		time.Sleep(10 * time.Second)
		if got := s.get("/a").Header.Get("Age"); got != "50" {
			t.Errorf("Age = %q, want 50: 40 from before and 10 here", got)
		}
		time.Sleep(10 * time.Second)
		s.get("/a")
		s.wantRuns(2)
	})
}

func TestReuse_WithoutTTLOnlyWhatSaysSo(t *testing.T) {
	s := newSite(t, nil, text("x"))
	s.get("/a")
	s.get("/a")
	s.wantRuns(2)
}

func TestReuse_RequestDirectives(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=60"))
		s.get("/a")
		time.Sleep(20 * time.Second)
		runs := int64(1)
		for _, test := range []struct {
			directive string
			runs      bool
		}{
			{"max-age=30", false}, {"min-fresh=30", false}, {"max-stale", false}, {"only-if-cached", false}, {"nothing-to-see", false},
			{"max-age=10", true}, {"max-age=0", true}, {"no-cache", true}, {"no-store", true}, {"min-fresh=61", true},
		} {
			s.get("/a", "Cache-Control: "+test.directive)
			if test.runs {
				runs++
			}
			if got := s.runs.Load(); got != runs {
				t.Errorf("after a request with %q the handler ran %d times, want %d", test.directive, got, runs)
				runs = got
			}
		}
		if !s.get("/a", "Pragma: no-cache").hit() {
			runs++
		}
		s.wantRuns(runs)
	})
}

func TestReuse_MaxStaleAcceptsWhatIsOld(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=10"))
		s.get("/a")
		time.Sleep(15 * time.Second)
		r := s.get("/a", "Cache-Control: max-stale=10")
		if !r.hit() || r.cacheStatus() != "bmemcached; hit; ttl=-5; detail=stale" {
			t.Errorf("Cache-Status = %q, want a stale hit", r.cacheStatus())
		}
		s.wantRuns(1)
	})
}

func TestOnlyIfCached_WithoutAnEntryIs504(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=10"))
		if r := s.get("/a", "Cache-Control: only-if-cached"); r.StatusCode != http.StatusGatewayTimeout || r.body != "" {
			t.Errorf("response = %d %q, want 504 and no body", r.StatusCode, r.body)
		}
		s.get("/a")
		time.Sleep(11 * time.Second)
		if r := s.get("/a", "Cache-Control: only-if-cached"); r.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("status for a stale response = %d, want 504", r.StatusCode)
		}
		s.wantRuns(1)
	})
}

func TestVary_SelectsVariants(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Header("Vary", "Foo, Bar")
			c.String(http.StatusOK, "%q %q", c.Request.Header["Foo"], c.Request.Header["Bar"])
		})
		requests := [][]string{{}, {"Foo: "}, {"Foo: 1"}, {"Bar: 1"}, {"Foo: 1", "Bar: 1"}, {"Foo: 2"}}
		want := []string{`[] []`, `[""] []`, `["1"] []`, `[] ["1"]`, `["1"] ["1"]`, `["2"] []`}
		for round := range 3 {
			for i, lines := range requests {
				if r := s.get("/a", lines...); r.body != want[i] || r.hit() != (round > 0) {
					t.Errorf("round %d, request with %q = %q (%s), want %q", round, lines, r.body, r.cacheStatus(), want[i])
				}
			}
		}
		s.wantRuns(int64(len(requests)))
	})
}

func TestVary_OnMoreThanBefore(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Header("Vary", "A")
			if c.GetHeader("A") == "1" {
				c.Header("Vary", "A, B")
			}
			c.String(http.StatusOK, c.GetHeader("A")+c.GetHeader("B"))
		})
		for range 3 {
			for _, lines := range [][]string{{"A: 0"}, {"A: 1", "B: x"}, {"A: 1", "B: y"}} {
				want := ""
				for _, line := range lines {
					want += strings.TrimSpace(line[2:])
				}
				if r := s.get("/a", lines...); r.body != want {
					t.Errorf("request with %q = %q, want %q", lines, r.body, want)
				}
			}
		}
		if runs := s.runs.Load(); runs > 4 {
			t.Errorf("handler ran %d times, want 4 at most: a new field costs one more run of what was stored before", runs)
		}
	})
}

func TestVary_OnTooMuchIsNotStored(t *testing.T) {
	var fields []string
	for i := range 20 {
		fields = append(fields, "F"+strconv.Itoa(i))
	}
	s := newSite(t, minute(), text("x", "Vary: "+strings.Join(fields, ",")))
	s.get("/a")
	s.get("/a")
	s.wantRuns(2)
}

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
			"other unit":     {[]string{"Range: lines=0-1"}, 416, "invalid range\n"},
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

func TestUnsafe_InvalidatesOnSuccessOnly(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "M-SEARCH", "WHATEVER"} {
		t.Run(method, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				status := http.StatusInternalServerError
				s := newSite(t, minute(), func(c *gin.Context) {
					if c.Request.Method != http.MethodGet {
						c.Status(status)
						return
					}
					c.String(http.StatusOK, "x")
				})
				s.get("/a")
				s.do(method, "/a")
				if !s.get("/a").hit() {
					t.Errorf("a %s that failed invalidated", method)
				}
				status = http.StatusSeeOther
				if r := s.do(method, "/a"); r.cacheStatus() != "bmemcached; fwd=method" {
					t.Errorf("Cache-Status of %s = %q, want fwd=method", method, r.cacheStatus())
				}
				if s.get("/a").hit() {
					t.Errorf("a %s that succeeded did not invalidate", method)
				}
			})
		})
	}
}

func TestUnsafe_IsNeverStored(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=60"))
		s.do(http.MethodPost, "/a")
		s.do(http.MethodPost, "/a")
		s.do(http.MethodOptions, "/a")
		s.do(http.MethodOptions, "/a")
		s.wantRuns(4)
		s.get("/a")
		s.wantRuns(5)
	})
}

func TestSafeMethods_DoNotInvalidate(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x"))
		s.get("/a")
		for _, method := range []string{"OPTIONS", "TRACE", "PROPFIND", "QUERY"} {
			s.do(method, "/a")
			if !s.get("/a").hit() {
				t.Errorf("%s invalidated", method)
			}
		}
	})
}

func TestUnsafe_InvalidatesLocationsOfTheSameHost(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var lines []string
		s := newSite(t, minute(), func(c *gin.Context) {
			if c.Request.Method == http.MethodPost {
				setLines(c, lines...)
			}
			c.String(http.StatusCreated, "x")
		})
		s.router.NoRoute(s.cache.Handler(), func(c *gin.Context) {
			s.runs.Add(1)
			if c.Request.Method == http.MethodPost {
				setLines(c, lines...)
			}
			c.String(http.StatusOK, "x")
		})
		for _, test := range []struct {
			line string
			gone bool
		}{
			{"Location: /b", true}, {"Location: b", true}, {"Content-Location: http://site.example/b", true},
			{"Location: http://other.example/b", false}, {"Location: /c", false}, {"Location: ://", false},
		} {
			s.get("/b")
			s.get("/b", "Host: other.example")
			lines = []string{test.line}
			s.do(http.MethodPost, "/a")
			if got := !s.get("/b").hit(); got != test.gone {
				t.Errorf("POST /a with %s: /b invalidated = %v, want %v", test.line, got, test.gone)
			}
			if !s.get("/b", "Host: other.example").hit() {
				t.Errorf("POST /a with %s invalidated a page of another host", test.line)
			}
		}
	})
}

func TestKey_OfTheOptionsReplacesPathAndQuery(t *testing.T) {
	inTime(t, func(t *testing.T) {
		opts := minute()
		opts.Key = func(r *http.Request) (string, bool) { return r.URL.Path, r.URL.Path != "/never" }
		s := newSite(t, opts, text("x"))
		s.get("/a?utm=1")
		if !s.get("/a?utm=2").hit() {
			t.Error("the query counts although Options.Key leaves it out")
		}
		if s.get("/a?utm=2", "Host: other.example").hit() {
			t.Error("two hosts share a response")
		}
		s.get("/never")
		if r := s.get("/never"); r.hit() || r.cacheStatus() != "bmemcached; fwd=bypass" {
			t.Errorf("Cache-Status of a declined request = %q, want fwd=bypass", r.cacheStatus())
		}
	})
}

func TestGet_WithABodyIsLeftAlone(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x"))
		for range 2 {
			r := s.request(t.Context(), http.MethodGet, "/a")
			r.Body, r.ContentLength = http.NoBody, 5
			s.send(r)
		}
		s.wantRuns(2)
	})
}

func TestGet_WithIfMatchIsLeftAlone(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x", `ETag: "a"`))
		s.get("/a")
		s.get("/a", `If-Match: "b"`)
		s.get("/a", "If-Unmodified-Since: Thu, 18 Aug 2050 02:01:18 GMT")
		s.wantRuns(3)
	})
}

func TestTargeted_CDNCacheControlBeatsCacheControl(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "CDN-Cache-Control: max-age=60", "Cache-Control: no-store"))
		s.get("/a")
		if r := s.get("/a"); !r.hit() || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("response = %s, Cache-Control %q, want a hit that tells clients no-store", r.cacheStatus(), r.Header.Get("Cache-Control"))
		}
		own := newSite(t, &middleware.Options{Targeted: []string{"Site-Cache-Control"}}, text("x", "Site-Cache-Control: max-age=60", "CDN-Cache-Control: no-store"))
		own.get("/a")
		if !own.get("/a").hit() {
			t.Error("a field that Options.Targeted lists is not obeyed")
		}
	})
}

func TestStatus_IsKept(t *testing.T) {
	inTime(t, func(t *testing.T) {
		for _, status := range []int{200, 203, 204, 301, 302, 404, 410, 500, 503, 599} {
			s := newSite(t, nil, func(c *gin.Context) {
				setLines(c, "Cache-Control: max-age=60", "Location: /b")
				c.Status(status)
			})
			s.get("/a")
			if r := s.get("/a"); r.StatusCode != status || !r.hit() {
				t.Errorf("stored %d came back as %d (%s)", status, r.StatusCode, r.cacheStatus())
			}
		}
	})
}
