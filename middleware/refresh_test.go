package middleware_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// counting answers with how often it was called.
func counting(lines ...string) gin.HandlerFunc {
	var n atomic.Int64
	return func(c *gin.Context) {
		setLines(c, lines...)
		c.String(http.StatusOK, strconv.FormatInt(n.Add(1), 10))
	}
}

func TestStaleWhileRevalidate_ClientDoesNotWait(t *testing.T) {
	inTime(t, func(t *testing.T) {
		counts := counting("Cache-Control: max-age=10, stale-while-revalidate=30")
		s := newSite(t, nil, func(c *gin.Context) {
			time.Sleep(2 * time.Second)
			counts(c)
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		began := time.Now()
		r := s.get("/a")
		if took := time.Since(began); took != 0 || r.body != "1" {
			t.Errorf("response = %q after %v, want the stale one at once", r.body, took)
		}
		if r.cacheStatus() != "bmemcached; hit; ttl=-5; detail=stale" && !strings.HasPrefix(r.cacheStatus(), "bmemcached; hit; ttl=-") {
			t.Errorf("Cache-Status = %q, want a stale hit", r.cacheStatus())
		}
		time.Sleep(3 * time.Second)
		if r := s.get("/a"); r.body != "2" || !r.hit() {
			t.Errorf("later = %q (%s), want a hit of what was made meanwhile", r.body, r.cacheStatus())
		}
		s.wantRuns(2)
	})
}

func TestStaleWhileRevalidate_OnceForAllProcesses(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		handler := func(c *gin.Context) {
			time.Sleep(time.Second)
			text("x", "Cache-Control: max-age=10, stale-while-revalidate=300")(c)
		}
		one, two := newSiteOn(t, memory, nil, handler), newSiteOn(t, memory, nil, handler)
		one.get("/a")
		time.Sleep(20 * time.Second)
		for range 10 {
			one.get("/a")
			two.get("/a")
		}
		time.Sleep(5 * time.Second)
		if n := one.runs.Load() + two.runs.Load(); n != 2 {
			t.Errorf("handlers ran %d times, want 2: once to fill and once to revalidate", n)
		}
	})
}

func TestStaleWhileRevalidate_AfterTheWindowTheClientWaits(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, nil, counting("Cache-Control: max-age=10, stale-while-revalidate=30"))
		s.get("/a")
		time.Sleep(41 * time.Second)
		if r := s.get("/a"); r.body != "2" {
			t.Errorf("response = %q, want a new one", r.body)
		}
	})
}

func TestStaleWhileRevalidate_ConfirmsBy304(t *testing.T) {
	inTime(t, func(t *testing.T) {
		v := &versioned{etag: `"v1"`, control: "max-age=10, stale-while-revalidate=30", body: "hello"}
		s := newSite(t, nil, v.serve)
		s.get("/a")
		time.Sleep(15 * time.Second)
		s.get("/a", "Range: bytes=0-1", `If-None-Match: "v0"`, "Cookie: a=b")
		synctest.Wait()
		s.wantRuns(2)
		asked := v.seen[1]
		if asked.Get("If-None-Match") != `"v1"` || asked.Get("Range") != "" || asked.Get("Cookie") != "a=b" {
			t.Errorf("the handler was asked with %v, want the stored validator, no range and the rest of the request", asked)
		}
		if r := s.get("/a"); !r.hit() || r.Header.Get("Age") != "0" {
			t.Errorf("then = %s, Age %s, want a fresh hit", r.cacheStatus(), r.Header.Get("Age"))
		}
	})
}

func TestStaleWhileRevalidate_FailureIsNotRepeatedAtOnce(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fail := false
		s := newSite(t, nil, func(c *gin.Context) {
			if fail {
				panic("on purpose")
			}
			text("x", "Cache-Control: max-age=10, stale-while-revalidate=300")(c)
		})
		s.get("/a")
		time.Sleep(20 * time.Second)
		fail = true
		for range 20 {
			if r := s.get("/a"); r.body != "x" {
				t.Errorf("response = %q, want the stale one", r.body)
			}
			synctest.Wait()
		}
		s.wantRuns(2)
		time.Sleep(10 * time.Second)
		s.get("/a")
		synctest.Wait()
		s.wantRuns(3)
	})
}

func TestStaleWhileRevalidate_OutlivesTheRequestAndItsContext(t *testing.T) {
	inTime(t, func(t *testing.T) {
		contexts := make(chan error, 10)
		counts := counting("Cache-Control: max-age=10, stale-while-revalidate=30")
		s := newSite(t, nil, func(c *gin.Context) {
			time.Sleep(time.Second)
			contexts <- c.Request.Context().Err()
			counts(c)
		})
		s.get("/a")
		<-contexts
		time.Sleep(15 * time.Second)
		ctx, cancel := contextWithCancel(t)
		s.send(s.request(ctx, http.MethodGet, "/a"))
		cancel()
		if err := <-contexts; err != nil {
			t.Errorf("the background run's context = %v, want it alive after the client left", err)
		}
		synctest.Wait()
		if r := s.get("/a"); r.body != "2" {
			t.Errorf("then = %q, want what the background run made", r.body)
		}
	})
}

func TestStaleWhileRevalidate_WithoutEngineOneRequestWaits(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		opts := &middleware.Options{Engine: noEngine{}}
		counts := counting("Cache-Control: max-age=10, stale-while-revalidate=30")
		s := newSiteOn(t, memory, opts, func(c *gin.Context) {
			time.Sleep(time.Second)
			counts(c)
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		bodies := make(chan string, 5)
		for range 5 {
			go func() { bodies <- s.get("/a").body }()
		}
		seen := map[string]int{}
		for range 5 {
			seen[<-bodies]++
		}
		if seen["1"] != 4 || seen["2"] != 1 {
			t.Errorf("bodies = %v, want four stale ones and one new", seen)
		}
		s.wantRuns(2)
	})
}

func TestClose_EndsBackgroundWork(t *testing.T) {
	inTime(t, func(t *testing.T) {
		ended := false
		s := newSite(t, nil, func(c *gin.Context) {
			text("x", "Cache-Control: max-age=10, stale-while-revalidate=300")(c)
			if time.Since(time.Time{}) > 0 && c.GetHeader("Slow") != "" {
				<-c.Request.Context().Done()
				ended = true
			}
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		s.get("/a", "Slow: 1")
		synctest.Wait()
		if err := s.cache.Close(); err != nil || !ended {
			t.Errorf("Close = %v with the background run over: %v", err, ended)
		}
		if r := s.get("/a"); r.body != "x" {
			t.Errorf("after Close = %q, want the site to go on", r.body)
		}
	})
}

func TestStaleIfError_CoversFailures(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var fail func(*gin.Context)
		s := newSite(t, nil, func(c *gin.Context) {
			if fail != nil {
				fail(c)
				return
			}
			text("good", "Cache-Control: max-age=10, stale-if-error=600", "X-Good: 1")(c)
		})
		s.get("/a")
		time.Sleep(15 * time.Second)
		failures := map[string]func(*gin.Context){
			"panic": func(*gin.Context) { panic("on purpose") },
			"error and a mere status": func(c *gin.Context) {
				setLines(c, "X-Bad: 1", "Set-Cookie: a=b")
				_ = c.AbortWithError(http.StatusInternalServerError, errors.New("on purpose")).SetType(gin.ErrorTypePublic)
			},
			"error and a status that gin sends": func(c *gin.Context) {
				setLines(c, "X-Bad: 1", "Set-Cookie: a=b")
				_ = c.Error(errors.New("on purpose"))
				c.Status(http.StatusInternalServerError)
			},
		}
		for _, status := range []int{500, 502, 503, 504} {
			failures[strconv.Itoa(status)] = func(c *gin.Context) {
				setLines(c, "X-Bad: 1", "Set-Cookie: a=b")
				c.String(status, "bad")
			}
		}
		for name, f := range failures {
			fail = f
			r := s.get("/a")
			if r.StatusCode != 200 || r.body != "good" || r.Header.Get("X-Good") != "1" || r.Header.Get("X-Bad") != "" {
				t.Errorf("%s: response = %d %q %v, want the stale one and nothing of the failure", name, r.StatusCode, r.body, r.Header)
			}
			if cookie := r.Header.Get("Set-Cookie"); name != "panic" && cookie != "a=b" {
				t.Errorf("%s: Set-Cookie = %q, want the visitor's own: it says nothing of the failure", name, cookie)
			}
			if !strings.HasPrefix(r.cacheStatus(), "bmemcached; fwd=stale; fwd-status=5") {
				t.Errorf("%s: Cache-Status = %q, want fwd=stale with the handler's status", name, r.cacheStatus())
			}
		}
		fail = func(c *gin.Context) { c.String(404, "gone") }
		if r := s.get("/a"); r.StatusCode != 404 {
			t.Errorf("404 = %d, want it passed on: it is an answer", r.StatusCode)
		}
	})
}

func TestStaleIfError_EndsWithItsWindow(t *testing.T) {
	inTime(t, func(t *testing.T) {
		status := 200
		s := newSite(t, &middleware.Options{StaleIfError: time.Minute}, func(c *gin.Context) {
			c.Header("Cache-Control", "max-age=10")
			c.String(status, "x")
		})
		s.get("/a")
		status = 500
		time.Sleep(69 * time.Second)
		if r := s.get("/a"); r.StatusCode != 200 {
			t.Errorf("within the window = %d, want 200", r.StatusCode)
		}
		time.Sleep(2 * time.Second)
		if r := s.get("/a"); r.StatusCode != 500 {
			t.Errorf("after the window = %d, want 500", r.StatusCode)
		}
	})
}

func TestStaleIfUnreachable(t *testing.T) {
	tests := map[string]struct {
		control string
		allowed bool
		fail    func(*gin.Context)
		covered bool
	}{
		"502":                    {"max-age=2", true, func(c *gin.Context) { c.Status(502) }, true},
		"504":                    {"max-age=2", true, func(c *gin.Context) { c.Status(504) }, true},
		"panic":                  {"max-age=2", true, func(*gin.Context) { panic("on purpose") }, true},
		"503":                    {"max-age=2", true, func(c *gin.Context) { c.Status(503) }, false},
		"not asked for":          {"max-age=2", false, func(c *gin.Context) { c.Status(502) }, false},
		"must-revalidate":        {"max-age=2, must-revalidate", true, func(c *gin.Context) { c.Status(502) }, false},
		"proxy-revalidate":       {"max-age=2, proxy-revalidate", true, func(c *gin.Context) { c.Status(502) }, false},
		"s-maxage":               {"s-maxage=2", true, func(c *gin.Context) { c.Status(502) }, false},
		"no-cache":               {"no-cache", true, func(c *gin.Context) { c.Status(502) }, false},
		"must-revalidate, panic": {"max-age=2, must-revalidate", true, func(*gin.Context) { panic("on purpose") }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				var log bytes.Buffer
				broken := false
				opts := &middleware.Options{StaleIfUnreachable: test.allowed, Logger: slog.New(slog.NewTextHandler(&log, nil))}
				s := newSite(t, opts, func(c *gin.Context) {
					if broken {
						test.fail(c)
						return
					}
					text("good", "Cache-Control: "+test.control, `ETag: "a"`)(c)
				})
				s.get("/a")
				broken = true
				time.Sleep(time.Hour)
				r := s.get("/a")
				if covered := r.body == "good"; covered != test.covered {
					t.Errorf("response = %d %q, covered %v, want %v", r.StatusCode, r.body, covered, test.covered)
				}
				if strings.Contains(name, "panic") && test.covered && !strings.Contains(log.String(), "on purpose") {
					t.Errorf("log = %q, want the panic that was covered", log.String())
				}
			})
		})
	}
}

func TestStale_IsNotSentAfterTheHandlerBegan(t *testing.T) {
	inTime(t, func(t *testing.T) {
		broken := false
		s := newSite(t, &middleware.Options{StaleIfUnreachable: true}, func(c *gin.Context) {
			c.Header("Cache-Control", "max-age=2")
			c.String(http.StatusOK, "new")
			if broken {
				panic("after the first byte")
			}
		})
		s.get("/a")
		broken = true
		time.Sleep(time.Minute)
		if r := s.get("/a"); r.body != "new" {
			t.Errorf("body = %q, want %q and nothing after it", r.body, "new")
		}
	})
}
