package middleware_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

func TestLifetime_ForbidsShortensAndGives(t *testing.T) {
	tests := map[string]struct {
		ttl      time.Duration
		status   int
		line     string
		stated   time.Duration
		lifetime time.Duration // chosen
		want     time.Duration // 0: not a hit at once
	}{
		"forbids":                {time.Minute, 200, "X: 1", time.Minute, -1, 0},
		"shortens a TTL":         {time.Minute, 200, "X: 1", time.Minute, 10 * time.Second, 10 * time.Second},
		"lengthens a TTL":        {time.Minute, 200, "X: 1", time.Minute, time.Hour, time.Hour},
		"shortens what is said":  {0, 200, "Cache-Control: max-age=60", time.Minute, 10 * time.Second, 10 * time.Second},
		"does not lengthen that": {0, 200, "Cache-Control: max-age=60", time.Minute, time.Hour, time.Minute},
		"gives a 404":            {0, 404, "X: 1", 0, 10 * time.Second, 10 * time.Second},
		"gives a 302":            {0, 302, "Location: /b", 0, 10 * time.Second, 10 * time.Second},
		"does not give a 500":    {time.Minute, 500, "X: 1", 0, 10 * time.Second, 0},
		"does not give a 503":    {0, 503, "X: 1", 0, 10 * time.Second, 0},
		"has no say about no-store": {
			time.Minute, 200, "Cache-Control: no-store", -1, time.Hour, 0,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				asked := time.Duration(-1)
				opts := &middleware.Options{TTL: test.ttl, Lifetime: func(r *http.Request, status int, h http.Header, stated time.Duration) time.Duration {
					if r.URL.Path != "/a" || status != test.status || !strings.HasPrefix(test.line, "X") && h.Get(strings.Split(test.line, ":")[0]) == "" {
						t.Errorf("Lifetime is asked about %s, %d, %v", r.URL, status, h)
					}
					asked = stated
					return test.lifetime
				}}
				s := newSite(t, opts, func(c *gin.Context) {
					setLines(c, test.line)
					c.String(test.status, "x")
				})
				s.get("/a")
				if asked != test.stated {
					t.Errorf("stated = %v, want %v", asked, test.stated)
				}
				if r := s.get("/a"); r.hit() != (test.want > 0) {
					t.Fatalf("at once: %s", r.cacheStatus())
				}
				if test.want > 0 {
					time.Sleep(test.want - time.Second)
					if r := s.get("/a"); !r.hit() {
						t.Errorf("before %v: %s", test.want, r.cacheStatus())
					}
					time.Sleep(2 * time.Second)
					if r := s.get("/a"); r.hit() {
						t.Errorf("after %v: %s", test.want, r.cacheStatus())
					}
				}
			})
		})
	}
}

// A lifetime without a unit is refused as that of the other options is: the page would
// be stored, and never be fresh.
func TestLifetime_WithoutAUnitIsRefused(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var log bytes.Buffer
		s := newSite(t, &middleware.Options{
			Lifetime: func(*http.Request, int, http.Header, time.Duration) time.Duration { return 60 },
			Logger:   slog.New(slog.NewTextHandler(&log, nil)),
		}, text("x", "Cache-Control: max-age=600"))
		for range 3 {
			if got, want := s.get("/a").cacheStatus(), "bmemcached; fwd=uri-miss; detail=lifetime"; got != want {
				t.Errorf("Cache-Status = %q, want %q", got, want)
			}
			time.Sleep(6 * time.Second) // a note lives for five
		}
		const want = "Options.Lifetime returned 60ns: durations have units, as in 60*time.Second"
		if lines := strings.Count(log.String(), want); lines != 2 {
			t.Errorf("the log has %d lines in 18 seconds, want 2, at most one in ten seconds: %s", lines, log.String())
		}
	})
}
