package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// reloads are the request lines that ask for the handler's word on a page that is fresh.
var reloads = []string{"Cache-Control: no-cache", "Cache-Control: max-age=0", "Cache-Control: max-age=1", "Pragma: no-cache"}

// clock is a handler that takes a second and answers when it began.
func clock(lines ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		began := time.Now()
		time.Sleep(time.Second)
		text(began.Format(time.RFC3339Nano), lines...)(c)
	}
}

// wantLater checks that a response was made after its request came.
func wantLater(t *testing.T, sent time.Time, r response) {
	t.Helper()
	made, err := time.Parse(time.RFC3339Nano, r.body)
	if err != nil || made.Before(sent) {
		t.Errorf("sent at %v, made at %s (%s), %v", sent, r.body, r.cacheStatus(), err)
	}
}

// TestReload_ThoseAtOnceShareRuns: with what is fresh, stale, missing, or being made.
func TestReload_ThoseAtOnceShareRuns(t *testing.T) {
	for _, line := range reloads {
		for _, known := range []string{"fresh", "stale", "missing", "being made", "a variant"} {
			if line == "Cache-Control: max-age=1" && known != "fresh" && known != "a variant" {
				continue // asks for nothing there
			}
			t.Run(line+", "+known, func(t *testing.T) {
				inTime(t, func(t *testing.T) {
					vary := "Vary: "
					if known == "a variant" {
						vary += "Lang"
					}
					s := newSite(t, minute(), clock(vary))
					switch known {
					case "being made":
						go s.get("/a", "Lang: a")
						time.Sleep(10 * time.Millisecond)
					case "fresh", "stale", "a variant":
						s.get("/a", "Lang: a")
						time.Sleep(map[string]time.Duration{"stale": 2 * time.Minute}[known] + 5*time.Second)
					}
					runs := s.runs.Load()
					var clients sync.WaitGroup
					for range 50 {
						clients.Go(func() {
							time.Sleep(time.Millisecond)
							sent := time.Now()
							wantLater(t, sent, s.get("/a", line, "Lang: a"))
						})
					}
					clients.Wait()
					if n := s.runs.Load() - runs; n > 2 {
						t.Errorf("the handler ran %d times for 50 requests, want one run for the first and one for the others", n)
					}
					if r := s.get("/a", "Lang: a"); !r.hit() {
						t.Errorf("then %s, want a hit: the last run was stored", r.cacheStatus())
					}
				})
			})
		}
	}
}

// TestReload_WhoComesDuringARunGetsTheNext, however they follow each other.
func TestReload_WhoComesDuringARunGetsTheNext(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), clock("ETag: W/\"1\""))
		s.get("/a")
		var clients sync.WaitGroup
		for i := range 100 {
			clients.Go(func() {
				time.Sleep(time.Duration(i) * 70 * time.Millisecond)
				sent := time.Now()
				r := s.get("/a", reloads[i%2])
				wantLater(t, sent, r)
				if took := time.Since(sent); took > 2*time.Second+10*time.Millisecond {
					t.Errorf("request %d took %v, want two runs at most", i, took)
				}
			})
		}
		clients.Wait()
		if runs := s.runs.Load(); runs > 10 {
			t.Errorf("the handler ran %d times in seven seconds, want one run after the other", runs-1)
		}
	})
}

// TestReload_OneThatHangsHoldsUpNobody for longer than a second.
func TestReload_OneThatHangsHoldsUpNobody(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var runs atomic.Int64
		s := newSite(t, minute(), func(c *gin.Context) {
			if runs.Add(1) == 2 {
				time.Sleep(time.Hour)
			}
			clock()(c)
		})
		s.get("/a")
		go s.get("/a", reloads[0])
		time.Sleep(time.Millisecond)
		var clients sync.WaitGroup
		for range 10 {
			clients.Go(func() {
				sent := time.Now()
				wantLater(t, sent, s.get("/a", reloads[0]))
				if took := time.Since(sent); took > 3*time.Second {
					t.Errorf("a request took %v while another's run hangs", took)
				}
			})
		}
		clients.Wait()
		if n := runs.Load(); n != 3 {
			t.Errorf("the handler ran %d times, want 3: stored, hanging, and one for ten requests", n)
		}
		time.Sleep(2 * time.Hour)
	})
}

// TestReload_ClientsThatLeaveOrDoNotReadHoldUpNobody: those who lead, wait to lead, or
// follow.
func TestReload_ClientsThatLeaveOrDoNotReadHoldUpNobody(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			clock()(c)
			_, _ = c.Writer.WriteString(strings.Repeat(" ", 100<<10))
		})
		s.get("/a")
		visit := func(limit time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			s.send(s.request(ctx, http.MethodGet, "/a", reloads[0]))
		}
		slow := func() {
			client := &reader{header: http.Header{}, reads: 10 << 10, pause: time.Hour}
			s.router.ServeHTTP(client, s.request(t.Context(), http.MethodGet, "/a", reloads[0]))
		}
		for name, others := range map[string][]func(){
			"the leader leaves":       {func() { visit(10 * time.Millisecond) }},
			"all leave":               {func() { visit(500 * time.Millisecond) }, func() { visit(10 * time.Millisecond) }, func() { visit(20 * time.Millisecond) }},
			"the leader reads slowly": {slow},
			"and the next":            {slow, slow},
		} {
			for _, other := range others {
				go other()
				time.Sleep(time.Millisecond)
			}
			for range 3 {
				sent := time.Now()
				r := s.get("/a", reloads[0])
				r.body = strings.TrimSpace(r.body)
				wantLater(t, sent, r)
				if took := time.Since(sent); took > 6*time.Second {
					t.Errorf("%s: a request took %v", name, took)
				}
			}
			time.Sleep(3 * time.Hour)
			synctest.Wait()
		}
	})
}

// TestReload_WhatIsNotForAllIsSharedWithNobody.
func TestReload_WhatIsNotForAllIsSharedWithNobody(t *testing.T) {
	for _, private := range []string{"Cache-Control: private", "Cache-Control: no-store", "Set-Cookie: a=b", "Vary: *"} {
		for _, known := range []bool{false, true} {
			inTime(t, func(t *testing.T) {
				var n atomic.Int64
				s := newSite(t, minute(), func(c *gin.Context) {
					run := n.Add(1)
					time.Sleep(time.Second)
					if known && run == 1 {
						text("0")(c)
						return
					}
					text(fmt.Sprint(run), private)(c)
				})
				if known {
					s.get("/a")
				}
				var seen sync.Map
				var clients sync.WaitGroup
				for range 20 {
					clients.Go(func() {
						r := s.get("/a", reloads[0])
						if _, again := seen.LoadOrStore(r.body, true); again {
							t.Errorf("%s, known %v: two visitors get %s (%s)", private, known, r.body, r.cacheStatus())
						}
					})
				}
				clients.Wait()
			})
		}
	}
}

// TestReload_VariantsAreApart.
func TestReload_VariantsAreApart(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), func(c *gin.Context) {
			time.Sleep(time.Second)
			text(c.GetHeader("Lang"), "Vary: Lang")(c)
		})
		var clients sync.WaitGroup
		for round := range 3 {
			for i := range 20 {
				clients.Go(func() {
					lang := fmt.Sprint(i % 2)
					if r := s.get("/a", reloads[0], "Lang: "+lang); r.body != lang {
						t.Errorf("round %d: Lang: %s is answered %q (%s)", round, lang, r.body, r.cacheStatus())
					}
				})
			}
			clients.Wait()
		}
		if runs := s.runs.Load(); runs > 20 {
			t.Errorf("the handler ran %d times for 60 requests", runs)
		}
	})
}

// TestReload_OthersRunEach: the response may be theirs alone, or is only for them.
func TestReload_OthersRunEach(t *testing.T) {
	for _, test := range []struct {
		method string
		lines  []string
	}{
		{http.MethodGet, []string{"Authorization: Bearer x"}},
		{http.MethodGet, []string{"X-Api-Key: x"}},
		{http.MethodGet, []string{"Proxy-Authorization: x"}},
		{http.MethodGet, []string{"If-Match: \"x\""}},
		{http.MethodGet, []string{"If-Unmodified-Since: Thu, 18 Aug 2050 02:01:18 GMT"}},
		{http.MethodGet, []string{"Upgrade: websocket"}},
		{http.MethodGet, []string{"Cache-Control: no-store"}},
		{http.MethodGet, []string{"Cache-Control: no-cache", "Range: bytes=0-1"}},
		{http.MethodHead, []string{"Cache-Control: no-cache"}},
	} {
		inTime(t, func(t *testing.T) {
			s := newSite(t, minute(), clock())
			s.get("/a")
			var clients sync.WaitGroup
			for range 5 {
				clients.Go(func() { s.do(test.method, "/a", test.lines...) })
			}
			clients.Wait()
			s.wantRuns(6)
			if r := s.get("/a"); !r.hit() {
				t.Errorf("%s, %s: then %s, want a hit: what is stored stays", test.method, test.lines, r.cacheStatus())
			}
		})
	}
}

// TestReload_APurgeIsSeen by those who share a run.
func TestReload_APurgeIsSeen(t *testing.T) {
	inTime(t, func(t *testing.T) {
		version := newCell("old")
		s := newSite(t, &middleware.Options{TTL: time.Hour}, func(c *gin.Context) {
			read := version.get()
			time.Sleep(time.Second)
			text(read, "Cache-Tag: tag")(c)
		})
		s.get("/a")
		for range 3 {
			go s.get("/a", reloads[0])
		}
		time.Sleep(500 * time.Millisecond)
		version.set("new")
		s.purgeTags("tag")
		if r := s.get("/a", reloads[0]); r.body != "new" {
			t.Errorf("a reload after the purge = %q (%s)", r.body, r.cacheStatus())
		}
		time.Sleep(10 * time.Second)
		if r := s.get("/a"); r.body != "new" {
			t.Errorf("then = %q (%s)", r.body, r.cacheStatus())
		}
	})
}
