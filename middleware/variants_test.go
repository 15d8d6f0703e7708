package middleware_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

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
