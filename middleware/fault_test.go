package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

const lookupTimeout = 100 * time.Millisecond

// quick are options with the lookup timeout that applications have.
func quick() *middleware.Options {
	return &middleware.Options{TTL: time.Minute, LookupTimeout: lookupTimeout}
}

// TestFault_EveryResponseIsRight breaks memcached in many ways while a site is
// used, and checks what clients get, how long they wait, and that hits return.
func TestFault_EveryResponseIsRight(t *testing.T) {
	always := func(a memcachedtest.Action) func(*memcachedtest.Server) {
		return func(m *memcachedtest.Server) {
			m.Intercept(func(memcachedtest.Request) memcachedtest.Action { return a })
		}
	}
	writes := func(a memcachedtest.Action) func(*memcachedtest.Server) {
		return func(m *memcachedtest.Server) {
			m.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
				if strings.HasPrefix(r.Op, "GET") {
					return memcachedtest.Action{}
				}
				return a
			})
		}
	}
	reads := func(a memcachedtest.Action) func(*memcachedtest.Server) {
		return func(m *memcachedtest.Server) {
			m.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
				if strings.HasPrefix(r.Op, "GET") {
					return a
				}
				return memcachedtest.Action{}
			})
		}
	}
	half := func(answer []byte) []byte { return answer[:len(answer)/2] }
	garbage := func(answer []byte) []byte { return bytes.Repeat([]byte{0xff}, len(answer)) }
	faults := map[string]func(*memcachedtest.Server){
		"refused":             func(m *memcachedtest.Server) { m.Stop() },
		"silent":              always(memcachedtest.Action{Skip: true}),
		"two seconds slow":    always(memcachedtest.Action{Delay: 2 * time.Second}),
		"slow writes":         writes(memcachedtest.Action{Delay: 2 * time.Second}),
		"silent writes":       writes(memcachedtest.Action{Mute: true}),
		"resets":              always(memcachedtest.Action{Close: true, Skip: true}),
		"half an answer":      always(memcachedtest.Action{Edit: half, Close: true}),
		"half a value":        reads(memcachedtest.Action{Edit: half, Close: true}),
		"garbled":             always(memcachedtest.Action{Edit: garbage}),
		"out of memory":       writes(memcachedtest.Action{Status: memcached.StatusOutOfMemory}),
		"too large":           writes(memcachedtest.Action{Status: memcached.StatusTooLarge}),
		"internal error":      always(memcachedtest.Action{Status: memcached.StatusInternalError}),
		"not found on writes": writes(memcachedtest.Action{Status: memcached.StatusKeyNotFound}),
	}
	for name, inject := range faults {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				body := "first"
				s := newSite(t, quick(), func(c *gin.Context) {
					time.Sleep(time.Second)
					c.String(http.StatusOK, body)
				})
				s.get("/a") // is in the cache
				inject(s.memory)
				for i, path := range []string{"/a", "/b", "/b", "/a", "/c"} {
					began := time.Now()
					r := s.get(path)
					if took := time.Since(began); took > time.Second+lookupTimeout {
						t.Errorf("request %d took %v, want the handler's second and %v at most", i, took, lookupTimeout)
					}
					if r.StatusCode != 200 || r.body != "first" {
						t.Errorf("request %d = %d %q, want 200 and the page", i, r.StatusCode, r.body)
					}
				}
				s.memory.Intercept(nil)
				if name == "refused" {
					if err := s.memory.Restart(); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(3 * time.Second)
				s.get("/a")
				if r := s.get("/a"); !r.hit() {
					t.Errorf("after the fault: Cache-Status = %q, want a hit within 5 s", r.cacheStatus())
				}
			})
		})
	}
}

func TestFault_WhileOthersWaitForALock(t *testing.T) {
	inTime(t, func(t *testing.T) {
		memory := memcachedtest.Start(t, nil)
		handler := func(c *gin.Context) {
			time.Sleep(10 * time.Second)
			c.String(http.StatusOK, "x")
		}
		one, two := newSiteOn(t, memory, quick(), handler), newSiteOn(t, memory, quick(), handler)
		go one.get("/a")
		synctest.Wait()
		go func() {
			time.Sleep(time.Second)
			memory.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Skip: true} })
		}()
		began := time.Now()
		r := two.get("/a")
		if took := time.Since(began); r.body != "x" || took > 12*time.Second {
			t.Errorf("response = %q after %v, want the handler's 10 s from when memcached fell silent", r.body, took)
		}
	})
}

func TestFault_GarbageIsAMissAndIsReplaced(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x"))
		s.get("/a")
		key := pageKeys(s.memory)[0]
		item, _ := s.memory.Item(key)
		good := bytes.Clone(item.Value)
		flip := bytes.Clone(good)
		flip[len(flip)-1] ^= 1
		for name, value := range map[string][]byte{
			"empty": {}, "text": []byte("garbage"), "cut": good[:len(good)/2], "flipped": flip, "zeros": make([]byte, 100),
			"newer format": append([]byte{good[0], good[1] + 1}, good[2:]...),
		} {
			s.memory.SetItem(&memcached.Item{Key: key, Value: value})
			before := s.runs.Load()
			if r := s.get("/a"); r.body != "x" || s.runs.Load() != before+1 {
				t.Errorf("%s: response = %q with %d runs, want the handler's", name, r.body, s.runs.Load()-before)
			}
			if r := s.get("/a"); !r.hit() {
				t.Errorf("%s: then %s, want the garbage replaced", name, r.cacheStatus())
			}
		}
	})
}

func TestFault_IsReportedAndLoggedRarely(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var log bytes.Buffer
		opts := quick()
		opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s := newSite(t, opts, text("x"))
		s.memory.Stop()
		start := time.Now()
		for time.Since(start) < 10*time.Second {
			s.get("/secret-page")
			time.Sleep(99 * time.Millisecond)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 {
			t.Errorf("%d lines logged in ten seconds, want 1:\n%s", n, &log)
		}
		s.get("/secret-page")
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines logged in more than ten seconds, want 2:\n%s", n, &log)
		}
		if strings.Contains(log.String(), "secret-page") {
			t.Errorf("the log shows a URL: %s", &log)
		}
		faults := 0
		for _, e := range s.events.take() {
			if e.Kind == middleware.EventError && errors.Is(e.Err, memcached.ErrUnavailable) {
				faults++
			}
		}
		if faults < 20 {
			t.Errorf("%d fault events, want one for each request", faults)
		}
	})
}

func TestFault_LogNamesTheTimeLimitThatEndedALookup(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var log bytes.Buffer
		opts := quick()
		opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s := newSite(t, opts, text("x"))
		s.memory.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 2 * time.Second}
		})
		s.get("/a")
		if want := "lookup_timeout=" + lookupTimeout.String(); !strings.Contains(log.String(), want) {
			t.Errorf("the log says %q, want %q in it", &log, want)
		}
	})
}

func TestFault_NoGoroutinesStay(t *testing.T) {
	inTime(t, func(t *testing.T) { // the bubble fails if any outlive the test
		s := newSite(t, quick(), slow(text("x", "Cache-Control: max-age=1, stale-while-revalidate=60")))
		s.memory.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			return memcachedtest.Action{Delay: 2 * time.Second}
		})
		for range 5 {
			together(20, "/a", s)
		}
	})
}

func TestFault_ClosedClient(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSite(t, minute(), text("x"))
		_ = s.client.Close()
		for range 2 {
			if r := s.get("/a"); r.body != "x" {
				t.Errorf("response = %q, want the handler's", r.body)
			}
		}
	})
}

func TestFault_WrongPassword(t *testing.T) {
	memory := memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"u": "p"}})
	s := newSiteOn(t, memory, minute(), text("x"))
	if r := s.get("/a"); r.body != "x" || r.cacheStatus() != "bmemcached; fwd=bypass; detail=unavailable" {
		t.Errorf("response = %q (%s), want the handler's and a word about the cache", r.body, r.cacheStatus())
	}
}

// stalled is a client whose operations end only with their context.
type stalled struct{ middleware.Client }

func (stalled) AppendValue(ctx context.Context, dst []byte, _ string) ([]byte, uint32, error) {
	<-ctx.Done()
	return dst, 0, ctx.Err()
}

func TestLookupTimeout_IsTheContextsDeadline(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s := newSiteWith(t, stalled{}, quick(), nil, text("x"))
		for range 3 {
			began := time.Now()
			r := s.get("/a")
			if took := time.Since(began); r.body != "x" || took > lookupTimeout || took < lookupTimeout*9/10 {
				t.Errorf("response = %q after %v, want it after %v", r.body, took, lookupTimeout)
			}
		}
	})
}

func TestFault_DialThatNeverEnds(t *testing.T) {
	inTime(t, func(t *testing.T) {
		client, err := memcached.New([]string{"nowhere.example"}, &memcached.Options{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		s := newSiteWith(t, client, quick(), nil, text("x"))
		began := time.Now()
		if r := s.get("/a"); r.body != "x" || time.Since(began) > lookupTimeout {
			t.Errorf("response = %q after %v, want it within %v", r.body, time.Since(began), lookupTimeout)
		}
	})
}
