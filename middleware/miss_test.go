package middleware_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// answerLate answers after ten seconds, or says why its context has ended before.
func answerLate(c *gin.Context) {
	select {
	case <-time.After(10 * time.Second):
		c.String(http.StatusOK, "x")
	case <-c.Request.Context().Done():
		c.String(http.StatusGatewayTimeout, c.Request.Context().Err().Error())
	}
}

// waits are the ways in which a request waits for the run of another.
var waits = map[string]struct {
	elsewhere bool // the run is in another process
	others    int  // who came before
	lines     []string
}{
	"for a run":                      {others: 1},
	"for a run elsewhere":            {elsewhere: true, others: 1},
	"with others, for one elsewhere": {elsewhere: true, others: 2},
	"for its turn":                   {others: 1, lines: []string{reloads[0]}},
	"for somebody's turn":            {others: 2, lines: []string{reloads[0]}},
}

// whileOthersRun calls do when as many others as a wait has are waiting or running.
func whileOthersRun(t *testing.T, do func(s *site, lines []string)) {
	t.Helper()
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				memory := memcachedtest.Start(t, nil)
				s := newSiteOn(t, memory, minute(), answerLate)
				first := s
				if wait.elsewhere {
					first = newSiteOn(t, memory, minute(), answerLate)
				}
				for i := range wait.others {
					if i > 0 {
						first = s
					}
					go first.get("/a", wait.lines...)
					time.Sleep(time.Millisecond)
				}
				do(s, wait.lines)
				time.Sleep(time.Minute)
			})
		})
	}
}

// TestCollapse_DeadlineOfAFollowerIsForItsHandler: its client is there, and gets what the
// handler makes of the deadline.
func TestCollapse_DeadlineOfAFollowerIsForItsHandler(t *testing.T) {
	whileOthersRun(t, func(s *site, lines []string) {
		ctx, cancel := context.WithTimeout(s.tb.Context(), 500*time.Millisecond)
		defer cancel()
		began := time.Now()
		r := s.send(s.request(ctx, http.MethodGet, "/a", lines...))
		if r.StatusCode != http.StatusGatewayTimeout || r.body != context.DeadlineExceeded.Error() {
			s.tb.Errorf("the follower gets %d %q (%s), want what its handler answers", r.StatusCode, r.body, r.cacheStatus())
		}
		if took := time.Since(began); took > 600*time.Millisecond {
			s.tb.Errorf("after %v, want half a second", took)
		}
	})
}

// TestCollapse_CancelledFollowerGetsNoEmptyPage: it need not be the client that has left.
// A server that stops may cancel all requests.
func TestCollapse_CancelledFollowerGetsNoEmptyPage(t *testing.T) {
	whileOthersRun(t, func(s *site, lines []string) {
		ctx, cancel := context.WithCancel(s.tb.Context())
		time.AfterFunc(500*time.Millisecond, cancel)
		if r := s.send(s.request(ctx, http.MethodGet, "/a", lines...)); r.StatusCode != http.StatusServiceUnavailable {
			s.tb.Errorf("the follower gets %d %q (%s), want 503", r.StatusCode, r.body, r.cacheStatus())
		}
	})
}

// TestCollapse_NobodyWaitsForeverForAHandler that hangs.
func TestCollapse_NobodyWaitsForeverForAHandler(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), nil)
		hang := func(c *gin.Context) {
			if s.runs.Load() == 1 {
				time.Sleep(time.Hour)
			}
			c.String(http.StatusOK, "x")
		}
		s.router.GET("/a", s.cache.Handler(), func(*gin.Context) { s.runs.Add(1) }, hang)
		go s.get("/a")
		synctest.Wait()
		began := time.Now()
		if r := s.get("/a"); r.body != "x" || time.Since(began) > 2*time.Minute+time.Second {
			t.Errorf("the follower gets %q (%s) after %v, want the page after two minutes", r.body, r.cacheStatus(), time.Since(began))
		}
		time.Sleep(time.Hour)
	})
}

// TestCollapse_PanicOfOnEventHoldsNobodyUp: what panics need not be the handler.
func TestCollapse_PanicOfOnEventHoldsNobodyUp(t *testing.T) {
	inTime(t, func(t *testing.T) {
		panicked := false
		opts := minute()
		opts.OnEvent = func(e middleware.Event) {
			if !panicked && e.Kind == middleware.EventMiss {
				panicked = true
				panic("on purpose")
			}
		}
		s := newSite(t, opts, slow(text("x")))
		go s.get("/a")
		synctest.Wait()
		began := time.Now()
		if r := s.get("/a"); r.body != "x" || time.Since(began) > 10*time.Second {
			t.Errorf("the follower gets %q (%s) after %v, want the page soon", r.body, r.cacheStatus(), time.Since(began))
		}
	})
}
