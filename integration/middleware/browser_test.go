package middleware_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/integration/browser"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// reported returns what the pages report in the end.
func reported(t *testing.T, done <-chan string) string {
	t.Helper()
	select {
	case report := <-done:
		return report
	case <-time.After(90 * time.Second):
		t.Fatal("the browser reports nothing")
		return ""
	}
}

// The pages drive the browser themselves: the first fetches the data with and
// without its cache, goes to the second, which goes back, and so on.
const (
	firstPage = `<!doctype html><title>first</title><script>
const steps = () => JSON.parse(sessionStorage.steps || '[]')
const note = step => { sessionStorage.steps = JSON.stringify([...steps(), step]) }
async function data (cache) {
  const r = await fetch('/data', { cache })
  note(cache + ':' + r.status + ':' + await r.text())
}
// Comes also when the browser kept the page as it was.
addEventListener('pageshow', async () => {
  const back = steps().includes('first')
  note('first')
  if (back) {
    await fetch('/report', { method: 'POST', body: steps().join(' ') })
    return
  }
  await data('default'); await data('default'); await data('default'); await data('no-cache'); await data('reload')
  location.href = '/second'
})
</script>`
	secondPage = `<!doctype html><title>second</title><script>
addEventListener('pageshow', () => {
  sessionStorage.steps = JSON.stringify([...JSON.parse(sessionStorage.steps), 'second'])
  setTimeout(() => history.back(), 200)
})
</script>`
)

// TestBrowser_ConditionalRequestsAndBackAndForward has Chromium use its own cache
// in front of this one.
func TestBrowser_ConditionalRequestsAndBackAndForward(t *testing.T) {
	server := memory(t)
	type seen struct {
		path, condition, control string
		status                   int
		cache                    string
	}
	var mu sync.Mutex
	var log []seen
	a := open(t, server.Addr(), &middleware.Options{LookupTimeout: 5 * time.Second})
	watch := func(c *gin.Context) {
		c.Next()
		mu.Lock()
		defer mu.Unlock()
		log = append(log, seen{
			c.Request.URL.Path, c.GetHeader("If-None-Match"), c.GetHeader("Cache-Control"),
			c.Writer.Status(), c.Writer.Header().Get("Cache-Status"),
		})
	}
	runs := map[string]int{}
	page := func(path, control, body string) {
		a.router.GET(path, watch, a.cache.Handler(), func(c *gin.Context) {
			mu.Lock()
			runs[path]++
			mu.Unlock()
			c.Header("Cache-Control", control)
			c.Data(http.StatusOK, "text/html; charset=utf-8", []byte(body))
		})
	}
	// Browsers ask each time, this cache need not: s-maxage is for it alone.
	page("/first", "no-cache, max-age=0", firstPage)
	page("/second", "max-age=0, s-maxage=600", secondPage)
	page("/data", "max-age=0, s-maxage=600", "some data")
	done := make(chan string, 1)
	a.router.POST("/report", func(c *gin.Context) {
		body, _ := c.GetRawData()
		done <- string(body)
	})
	browser.Open(t, browser.Start(t), a.serve(t)).Visit("/first")
	report := reported(t, done)
	want := "first default:200:some data default:200:some data default:200:some data no-cache:200:some data reload:200:some data second first"
	if report != want {
		t.Errorf("the browser saw %q, want %q", report, want)
	}
	mu.Lock()
	defer mu.Unlock()
	confirmed, insisting := 0, 0
	for _, s := range log {
		switch {
		case s.path != "/data":
		case s.control != "": // fetch's no-cache and reload: the handler is asked
			insisting++
		case s.condition != "" && s.status == http.StatusNotModified && strings.Contains(s.cache, "; hit"):
			confirmed++
		}
	}
	if confirmed == 0 {
		t.Errorf("no conditional request was answered 304 from the cache: %+v", log)
	}
	if insisting != 2 || runs["/data"] != 3 {
		t.Errorf("the handler of /data ran %d times, %d for requests that insist, want 3 and 2: %+v", runs["/data"], insisting, log)
	}
	if runs["/second"] != 1 {
		t.Errorf("the handler of /second ran %d times, want once", runs["/second"])
	}
}
