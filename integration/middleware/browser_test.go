package middleware_test

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// chromiumPath returns where the browser is. Where there is none, and this runs
// as root on Debian, it is installed.
func chromiumPath(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		t.Fatal("this test needs Chromium or Chrome: install it, or leave real servers and browsers out with MEMCACHED_INTEGRATION=off")
	}
	install := exec.CommandContext(t.Context(), "sh", "-c", apt+" update && "+apt+" install -y --no-install-recommends chromium")
	install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if output, err := install.CombinedOutput(); err != nil {
		t.Fatalf("installing chromium: %v\n%s", err, output)
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// profile returns a folder for a browser's files. The processes of a browser
// that was killed may write there for a moment.
func profile(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			err := os.RemoveAll(folder)
			if err == nil {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("the browser's files are still there: %v", err)
				return
			}
		}
	})
	return folder
}

// browse has a browser without a window open url, until done is closed.
func browse(t *testing.T, url string, done <-chan string) string {
	t.Helper()
	cmd := exec.Command(chromiumPath(t), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--user-data-dir="+profile(t), url)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
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
	report := browse(t, a.serve(t)+"/first", done)
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
