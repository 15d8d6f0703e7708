package composition_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"pgregory.net/rapid"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// run is a site in operation, in virtual time.
type run struct {
	site   timedSite
	began  time.Time
	engine http.Handler

	mu      sync.Mutex  // guards what follows: pages are also made in the background
	changes []time.Time // when the page became the next version
	purged  time.Time   // the last change that the cache has seen
	failing bool
	slow    bool
	made    int // runs of the handler
	hits    int
}

// TestTime_NoPageIsOlderThanItMayBe: of random sites whose pages change, with time that
// passes. The site without the cache is the page as it is at that time; with it, a page
// may be as old as its lifetime and the stale time that the site or the visitor allows,
// and no older. It says how old it is, and nobody gets what was made before a change
// that went through the cache.
func TestTime_NoPageIsOlderThanItMayBe(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	var sites, requests, hits int
	rapid.Check(t, func(rt *rapid.T) {
		for range 10 { // they take little time
			s := timedSites.Draw(rt, "site")
			difference := ""
			synctest.Test(t, func(t *testing.T) {
				r := newRun(t, s)
				for i, step := range s.steps {
					if what := r.do(step); what != "" {
						difference = fmt.Sprintf("step %d, %s, after %v: %s", i+1, step, time.Since(r.began), what)
						return
					}
					requests++
				}
				hits += r.hits
			})
			sites++
			if difference != "" {
				rt.Fatal(difference)
			}
		}
	})
	t.Logf("%d sites, %d steps, %d hits", sites, requests, hits)
}

func newRun(t *testing.T, s timedSite) *run {
	memory := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{memory.Addr()}, &memcached.Options{DialContext: memory.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{site: s, began: time.Now(), changes: []time.Time{time.Now()}}
	opts := s.opts
	opts.LookupTimeout = 5 * time.Second
	if s.engine {
		opts.Engine = http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) { r.engine.ServeHTTP(w, request) })
	}
	cache, err := middleware.New(client, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cache.Close(), client.Close() })
	if s.gin {
		router := gin.New()
		router.Any("/", cache.Handler(), gin.WrapF(r.serve))
		r.engine = router
	} else {
		r.engine = cache.Wrap(http.HandlerFunc(r.serve))
	}
	return r
}

// version is how often the page had changed at a time.
func (r *run) version(at time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n+1 < len(r.changes) && !r.changes[n+1].After(at) {
		n++
	}
	return n
}

// note looks at what mu guards, or changes it.
func (r *run) note(f func() bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return f()
}

// change makes the page the next version.
func (r *run) change() {
	r.note(func() bool { r.changes = append(r.changes, time.Now()); return true })
}

// serve is the page, or changes it.
func (r *run) serve(w http.ResponseWriter, request *http.Request) {
	begun := time.Now()
	slow := r.note(func() bool { r.made++; return r.slow })
	if request.Method == http.MethodPost {
		r.change()
		_, _ = io.WriteString(w, "changed")
		return
	}
	version := r.version(begun)
	if slow {
		time.Sleep(slowness)
	}
	if r.note(func() bool { return r.failing }) {
		http.Error(w, "it does not work", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("X-Begun", strconv.FormatInt(begun.UnixMilli(), 10))
	h.Set("X-Made", strconv.FormatInt(time.Now().UnixMilli(), 10))
	h.Set("Content-Type", "text/plain")
	for _, line := range r.site.policy.lines(begun) {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
	}
	if tag := fmt.Sprintf("\"v%d\"", version); r.site.tags {
		h.Set("Etag", tag)
		if request.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	_, _ = io.WriteString(w, strconv.Itoa(version))
}

// slowness is how long a slow handler takes.
const slowness = 2 * time.Second

// do makes a step and returns what is wrong.
func (r *run) do(s step) string {
	switch s.what {
	case "wait":
		time.Sleep(s.wait)
	case "change":
		r.change()
	case "post":
		if w := r.send(http.MethodPost, ""); w.Code != http.StatusOK {
			return fmt.Sprintf("POST is %d", w.Code)
		}
		r.purged = time.Now()
		synctest.Wait()
	case "fail":
		r.note(func() bool { r.failing = !r.failing; return true })
	case "slow":
		r.note(func() bool { r.slow = !r.slow; return true })
	default:
		return r.get(s)
	}
	time.Sleep(time.Millisecond) // no two things at the same time
	return ""
}

func (r *run) send(method, control string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, "http://site.example/", http.NoBody)
	if control != "" {
		request.Header.Set("Cache-Control", control)
	}
	w := httptest.NewRecorder()
	r.engine.ServeHTTP(timedWriter{w}, request)
	return w
}

// timedWriter stands for the server's own.
type timedWriter struct{ *httptest.ResponseRecorder }

func (timedWriter) SetReadDeadline(time.Time) error { return nil }

// runs returns how often the handler has run.
func (r *run) runs() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.made
}

// get asks for the page, and looks at how old it is.
func (r *run) get(s step) string {
	asked, runs := time.Now(), r.runs()
	w := r.send(http.MethodGet, s.control)
	status := w.Header().Get("Cache-Status")
	hit := strings.Contains(status, "; hit")
	defer time.Sleep(time.Millisecond)
	switch {
	case w.Code == http.StatusGatewayTimeout && s.onlyIfCached:
		if r.runs() != runs {
			return "the handler ran for only-if-cached"
		}
		return ""
	case w.Code == http.StatusServiceUnavailable && r.failing && !hit:
		return ""
	case w.Code != http.StatusOK:
		return fmt.Sprintf("%d (%s)", w.Code, status)
	}
	if hit {
		r.hits++
	}
	return r.judge(w, s, asked, hit)
}

// judge says what is wrong with a page that was asked for at a time.
func (r *run) judge(w *httptest.ResponseRecorder, s step, asked time.Time, hit bool) string {
	status := w.Header().Get("Cache-Status")
	made, begun := timeIn(w, "X-Made"), timeIn(w, "X-Begun") // its life begins when it is made
	age := asked.Sub(made)
	if want := strconv.Itoa(r.version(begun)); w.Body.String() != want {
		return fmt.Sprintf("version %s, made %v ago, when it was %s (%s)", w.Body, age, want, status)
	}
	if begun.Before(r.purged) {
		return fmt.Sprintf("begun %v before a change was answered (%s)", r.purged.Sub(begun), status)
	}
	failed := r.failing && !s.onlyIfCached
	if allowed := r.site.allows(s, failed); age > allowed {
		return fmt.Sprintf("%v old, and at most %v is allowed (%s)", age, allowed, status)
	}
	if said, err := strconv.Atoi(w.Header().Get("Age")); hit && (err != nil || time.Duration(said)*time.Second > time.Since(begun)+time.Second || time.Duration(said)*time.Second < age-time.Second) {
		return fmt.Sprintf("Age: %s, of what was made %v ago (%s)", w.Header().Get("Age"), age, status)
	}
	return ""
}

func timeIn(w *httptest.ResponseRecorder, name string) time.Time {
	ms, _ := strconv.ParseInt(w.Header().Get(name), 10, 64)
	return time.UnixMilli(ms)
}
