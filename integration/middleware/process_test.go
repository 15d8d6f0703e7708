package middleware_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/integration"
)

// process is a site in a process of its own.
type process struct {
	t   *testing.T
	url string
	cmd *exec.Cmd
}

// launch starts a process of the site. It ends with the test.
func launch(t *testing.T, memcachedAddr string) *process {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), appVariable+"="+memcachedAddr)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the site does not start: %v", err)
	}
	return &process{t, "http://" + strings.TrimSpace(line), cmd}
}

// kill ends the process as the kernel does when memory runs out.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
}

var httpClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 200, DisableCompression: true}}

// answer is a response that is read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) hit() bool {
	return strings.HasPrefix(a.header.Get("Cache-Status"), "bmemcached; hit")
}

func fetch(t *testing.T, url string, lines ...string) answer {
	t.Helper()
	a, err := try(t, url, lines...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func try(t *testing.T, url string, lines ...string) (answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "site.example" // the same for all processes of a site
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Set(name, value)
	}
	response, err := httpClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body)}, err
}

func (p *process) runs() int {
	p.t.Helper()
	n, err := strconv.Atoi(fetch(p.t, p.url+"/runs").body)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// memory starts a memcached that asks for authentication.
func memory(t *testing.T) *integration.Server {
	t.Helper()
	return integration.Start(t, &integration.Options{Users: map[string]string{username: password}})
}

func TestProcesses_HundredColdRequestsEachRunTheHandlerOnce(t *testing.T) {
	addr := memory(t).Addr()
	one, two := launch(t, addr), launch(t, addr)
	var wg sync.WaitGroup
	for range 100 {
		for _, p := range []*process{one, two} {
			wg.Go(func() {
				a, err := try(t, p.url+"/page?id=cold&delay=500ms")
				if err != nil || a.status != http.StatusOK || a.body != "page cold" {
					t.Errorf("response = %d %q, %v, want the page", a.status, a.body, err)
				}
			})
		}
	}
	wg.Wait()
	if n := one.runs() + two.runs(); n != 1 {
		t.Errorf("the handler ran %d times for 200 requests in two processes, want 1", n)
	}
	for _, p := range []*process{one, two} {
		if a := fetch(t, p.url+"/page?id=cold&delay=500ms"); !a.hit() {
			t.Errorf("Cache-Status = %q, want a hit", a.header.Get("Cache-Status"))
		}
	}
}

func TestProcesses_KilledHolderDelaysOthersByTheLocksLife(t *testing.T) {
	addr := memory(t).Addr()
	holder, other := launch(t, addr), launch(t, addr)
	const url = "/page?id=killed&delay=3s"
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = try(t, holder.url+url)
	}()
	for deadline := time.Now().Add(10 * time.Second); holder.runs() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the holder's handler does not run")
		}
	}
	holder.kill()
	<-gone
	began := time.Now()
	a := fetch(t, other.url+url)
	took := time.Since(began)
	if a.body != "page killed" || other.runs() != 1 {
		t.Errorf("response = %q after %d runs, want the page after one", a.body, other.runs())
	}
	// 5 seconds of the lock, whose time memcached counts in whole seconds, and 3
	// of the handler; the rest is for a busy machine.
	if took > 14*time.Second {
		t.Errorf("the response took %v, want the lock's 5 s and the handler's 3 s at most", took)
	}
}

func TestProcesses_SlowHandlerKeepsItsLock(t *testing.T) {
	addr := memory(t).Addr()
	one, two := launch(t, addr), launch(t, addr)
	var wg sync.WaitGroup
	for _, p := range []*process{one, two, one, two} {
		wg.Go(func() {
			if a, err := try(t, p.url+"/page?id=slow&delay=12s"); err != nil || a.body != "page slow" {
				t.Errorf("response = %q, %v, want the page", a.body, err)
			}
		})
	}
	wg.Wait()
	if n := one.runs() + two.runs(); n != 1 {
		t.Errorf("a handler that takes longer than a lock lives ran %d times, want 1", n)
	}
	if a := fetch(t, two.url+"/page?id=slow&delay=12s"); !a.hit() {
		t.Errorf("Cache-Status = %q, want a hit: the lock was its owner's to the end", a.header.Get("Cache-Status"))
	}
}

func TestProcesses_LargePages(t *testing.T) {
	addr := memory(t).Addr()
	one, two := launch(t, addr), launch(t, addr)
	for _, size := range []int{16, 1 << 20, 1<<20 + 4096, 7 << 20} {
		page := "/page?size=" + strconv.Itoa(size)
		first := fetch(t, one.url+page)
		hit := fetch(t, two.url+page)
		if !hit.hit() || hit.body != first.body || len(hit.body) != size {
			t.Errorf("%d bytes: the other process got %d (%s)", size, len(hit.body), hit.header.Get("Cache-Status"))
		}
	}
}
