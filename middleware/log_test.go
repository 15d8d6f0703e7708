package middleware_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// breaks stands for a fault of the application, which the log must lead to.
func breaks() { panic("on purpose") }

// A panic that reaches nobody else is logged with the place where it happened.
func TestLog_PanicsThatAStalePageCoversAreFound(t *testing.T) {
	for control, what := range map[string]string{
		"max-age=10, stale-if-error=600":         "sending a stale response",
		"max-age=10, stale-while-revalidate=600": "while revalidating",
	} {
		t.Run(control, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				var log bytes.Buffer
				var broken atomic.Bool
				s := newHTTPSite(t, &middleware.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(w http.ResponseWriter, _ *http.Request) {
					if broken.Load() {
						breaks()
					}
					w.Header().Set("Cache-Control", control)
					fmt.Fprint(w, "x")
				})
				s.get("/a")
				broken.Store(true)
				time.Sleep(15 * time.Second)
				if r := s.get("/a"); r.StatusCode != http.StatusOK || r.body != "x" {
					t.Errorf("GET = %d %q, want the stale page", r.StatusCode, r.body)
				}
				synctest.Wait()
				if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, what) || !strings.Contains(text, "middleware_test.breaks") {
					t.Errorf("the log has %q, want %q and where it happened", text, what)
				}
			})
		})
	}
}
