package middleware_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
)

// TestStored_NotWhenTheHandlerWasCutShort: a handler that stops because its
// request is over returns like any other, but what it wrote is not all.
func TestStored_NotWhenTheHandlerWasCutShort(t *testing.T) {
	tests := map[string]struct {
		lines  []string
		finish bool
		stored bool
	}{
		"cut short":                         {nil, false, false},
		"cut short of its length":           {[]string{"Content-Length: 10"}, false, false},
		"whole, and its length says so":     {[]string{"Content-Length: 10"}, true, true},
		"perhaps whole, nobody can tell":    {nil, true, false},
		"whole, to a client that gave up":   {[]string{"Content-Length: 10", "X: 1"}, true, true},
		"cut short, without a flush at all": {[]string{"X-No-Flush: 1"}, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				leave := func() {}
				s := newSite(t, minute(), func(c *gin.Context) {
					setLines(c, test.lines...)
					c.String(http.StatusOK, "first")
					leave()
					if c.Writer.Header().Get("X-No-Flush") == "" {
						c.Writer.Flush()
					}
					select {
					case <-c.Request.Context().Done():
						if !test.finish {
							return
						}
					case <-time.After(time.Second):
					}
					c.String(http.StatusOK, " rest")
				})
				ctx, cancel := contextWithCancel(t)
				leave = cancel
				s.send(s.request(ctx, http.MethodGet, "/a"))
				synctest.Wait()
				leave = func() {}
				r := s.get("/a")
				if r.hit() != test.stored || r.body != "first rest" {
					t.Errorf("then = %q (%s), want the whole page, stored before: %v", r.body, r.cacheStatus(), test.stored)
				}
			})
		})
	}
}

// TestStream_OfGinIsNotStoredInPart: gin's Stream stops when the client is gone.
func TestStream_OfGinIsNotStoredInPart(t *testing.T) {
	s := newSite(t, minute(), nil)
	ended := make(chan bool, 1)
	s.router.NoRoute(s.cache.Handler(), func(c *gin.Context) {
		first := s.runs.Add(1) == 1
		n := 0
		gone := c.Stream(func(w io.Writer) bool {
			_, _ = io.WriteString(w, "part\n")
			if n++; n == 2 && first {
				<-c.Request.Context().Done()
			}
			return n < 5 || first && n < 1_000_000
		})
		if first {
			ended <- gone
		}
	})
	s.listen()
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(s.request(t.Context(), http.MethodGet, "/a"))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if gone := <-ended; !gone {
		t.Error("the stream did not notice that its client left")
	}
	for range 3 {
		if r := s.get("/a"); r.body != strings.Repeat("part\n", 5) {
			t.Errorf("body = %q (%s), want all parts", r.body, r.cacheStatus())
		}
	}
}

// TestStream_OfGinIsRevalidatedInTheBackground: where there is no client, none
// can leave.
func TestStream_OfGinIsRevalidatedInTheBackground(t *testing.T) {
	inTime(t, func(t *testing.T) {
		n := 0
		s := newSite(t, nil, func(c *gin.Context) {
			n++
			c.Header("Cache-Control", "max-age=10, stale-while-revalidate=60")
			c.Stream(func(w io.Writer) bool {
				_, _ = fmt.Fprint(w, n)
				return false
			})
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		s.get("/a")
		synctest.Wait()
		if r := s.get("/a"); r.body != "2" || !r.hit() {
			t.Errorf("after the background run %q (%s), want a hit of what it made", r.body, r.cacheStatus())
		}
	})
}
