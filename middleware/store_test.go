package middleware_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

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

// TestVary_CodedResponsesVaryOnAcceptEncoding: a layer around the handler codes, and
// another between it and the cache has set Vary anew, as http.TimeoutHandler does.
func TestVary_CodedResponsesVaryOnAcceptEncoding(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			c.Header("Vary", "Cookie")
			if c.GetHeader("Accept-Encoding") == "gzip" {
				c.Header("Content-Encoding", "gzip")
				c.String(http.StatusOK, "coded")
				return
			}
			c.String(http.StatusOK, "plain")
		})
		for round := range 3 {
			for _, coding := range []string{"gzip", ""} {
				want, lines := "plain", []string(nil)
				if coding != "" {
					want, lines = "coded", []string{"Accept-Encoding: " + coding}
				}
				r := s.get("/a", lines...)
				if r.body != want || r.hit() != (round > 0) || r.Header.Get("Content-Encoding") != coding || r.Header.Get("Vary") != "Cookie" {
					t.Errorf("round %d, Accept-Encoding %q: %q, %v (%s), want %q", round, coding, r.body, r.Header, r.cacheStatus(), want)
				}
			}
		}
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

func TestStore_IsWaitedForAsLongAsTheRequestMay(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, quick(), text("x"))
		s.memory.Intercept(slowOps(500*time.Millisecond, "SET"))
		began := time.Now()
		s.get("/a")
		if took := time.Since(began); took > lookupTimeout {
			t.Errorf("a response that takes long to store took %v, want %v at most", took, lookupTimeout)
		}
		time.Sleep(time.Second)
		if r := s.get("/a"); !r.hit() {
			t.Errorf("a second later %s, want a hit: storing went on by itself", r.cacheStatus())
		}
	})
}

func TestStored_NotWhatTookMinutesToMake(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			time.Sleep(3 * time.Minute)
			c.String(http.StatusOK, "x")
		})
		s.get("/a")
		if r := s.get("/a"); r.hit() {
			t.Errorf("what took three minutes is stored: %s", r.cacheStatus())
		}
	})
}

func TestStored_NotWithAHugeHeader(t *testing.T) {
	s := newSite(t, minute(), text("x", "X-Huge: "+strings.Repeat("x", 100<<10)))
	for _, detail := range []string{"too-large", "hit-for-miss"} {
		if r := s.get("/a"); r.hit() || len(r.Header.Get("X-Huge")) != 100<<10 || !strings.HasSuffix(r.cacheStatus(), "detail="+detail) {
			t.Errorf("response = %s with %d bytes, want the handler's, for %s", r.cacheStatus(), len(r.Header.Get("X-Huge")), detail)
		}
	}
}

// Whenever in a second of the server's clock it was stored.
func TestStored_ForItsWholeLifetime(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, text("x", "Cache-Control: max-age=3, must-revalidate"))
		time.Sleep(950 * time.Millisecond)
		s.get("/a")
		time.Sleep(3*time.Second - 50*time.Millisecond)
		if r := s.get("/a"); !r.hit() {
			t.Errorf("just before its end: %s, want a hit", r.cacheStatus())
		}
		time.Sleep(50 * time.Millisecond)
		if r := s.get("/a"); r.hit() {
			t.Errorf("after its end: %s, want a miss", r.cacheStatus())
		}
	})
}
