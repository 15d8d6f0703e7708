package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/store"
)

// database answers queries of several processes over HTTP.
type database struct {
	*httptest.Server
	value   atomic.Value // "fails" is an error
	queries atomic.Int64
	begun   chan struct{}                 // gets one of each query
	held    atomic.Pointer[chan struct{}] // queries wait until it is closed
}

func openDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{begun: make(chan struct{}, 1000)}
	d.value.Store("v1")
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.queries.Add(1)
		value := d.value.Load().(string)
		d.begun <- struct{}{}
		if held := d.held.Load(); held != nil {
			select {
			case <-*held:
			case <-r.Context().Done():
				return
			}
		}
		if value == "fails" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, value)
	}))
	t.Cleanup(d.Close)
	return d
}

// hold makes queries wait, until release is called.
func (d *database) hold() (release func()) {
	held := make(chan struct{})
	d.held.Store(&held)
	return func() { d.held.Store(nil); close(held) }
}

var errQuery = errors.New("the database is down")

// queries is the client of databases. It keeps as many connections as there are
// callers at once.
var queries = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

// query returns a function that asks the database at url.
func query(url string) func(ctx context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", err
		}
		response, err := queries.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = errQuery
		}
		return string(body), err
	}
}

const (
	loadVariable = "LOAD_IN_OTHER_PROCESS" // address of memcached, and URL of the database
	loadTTL      = 10 * time.Second
	loadKeep     = time.Minute
	loadBound    = 6 * time.Second
)

func loadStore(t *testing.T, addr string) *store.Typed[string] {
	t.Helper()
	client := connectTo(t, []string{addr}, sasl.Auto(username, password))
	s := newTyped[string](t, client, &store.Options{
		Prefix: "load:", KeepStale: loadKeep,
		LoadTimeout: 5 * time.Minute, // queries are held while containers stop, which can take long
	})
	t.Cleanup(func() { s.Close() })
	return s
}

func getOrLoad(ctx context.Context, s *store.Typed[string], d string) (string, error) {
	return s.GetOrLoad(ctx, "k", loadTTL, query(d), libstore.WithTags([]string{"t"}))
}

// manyCallers calls GetOrLoad from n goroutines and counts what they get.
func manyCallers(ctx context.Context, s *store.Typed[string], d string, n int) map[string]int {
	var mu sync.Mutex
	answers := make(map[string]int)
	workers(n, func(int) {
		got, err := getOrLoad(ctx, s, d)
		if err != nil {
			got = err.Error()
		}
		mu.Lock()
		defer mu.Unlock()
		answers[got]++
	})
	return answers
}

// TestLoad_OtherProcess is what other processes run.
func TestLoad_OtherProcess(t *testing.T) {
	addr, url, ok := strings.Cut(os.Getenv(loadVariable), " ")
	if !ok {
		return
	}
	s := loadStore(t, addr)
	fmt.Println("started")
	fmt.Println("answers", manyCallers(t.Context(), s, url, 500))
}

// otherProcess starts 500 callers in another process. Answers waits for it.
func otherProcess(t *testing.T, server *integration.Server, d *database) (cmd *exec.Cmd, answers func() string) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLoad_OtherProcess$")
	cmd.Env = append(os.Environ(), loadVariable+"="+server.Addr()+" "+d.URL)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "started" {
	}
	return cmd, func() (answers string) {
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "answers "); ok {
				answers = text
			}
		}
		_ = cmd.Wait()
		return answers
	}
}

func TestLoad_ThousandCallersInTwoProcessesLoadOnce(t *testing.T) {
	server, _ := open(t)
	d, s := openDatabase(t), loadStore(t, server.Addr())
	release := d.hold()
	_, theirs := otherProcess(t, server, d)
	time.AfterFunc(500*time.Millisecond, release)
	if got := manyCallers(t.Context(), s, d.URL, 500); got["v1"] != 500 {
		t.Errorf("answers = %v, want v1 for 500", got)
	}
	if got := theirs(); got != "map[v1:500]" {
		t.Errorf("answers of the other process = %v, want v1 for 500", got)
	}
	if n := d.queries.Load(); n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
}

func TestLoad_KilledInTheMiddle(t *testing.T) {
	server, _ := open(t)
	d, s := openDatabase(t), loadStore(t, server.Addr())
	release := d.hold()
	cmd, _ := otherProcess(t, server, d)
	<-d.begun
	got := make(chan map[string]int, 1)
	go func() { got <- manyCallers(t.Context(), s, d.URL, 100) }()
	time.Sleep(7 * time.Second) // longer than a lock lives that is not renewed
	if n := d.queries.Load(); n != 1 {
		t.Errorf("%d queries while the first process lives, want 1", n)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_ = cmd.Wait()
	<-d.begun
	if took := time.Since(killed); took > loadBound {
		t.Errorf("the next load began after %v, want %v at most", took, loadBound)
	}
	release()
	if got := <-got; got["v1"] != 100 || d.queries.Load() != 2 {
		t.Errorf("answers = %v after %d queries, want v1 for 100 after 2", got, d.queries.Load())
	}
}

func TestLoad_MemcachedStopsInTheMiddle(t *testing.T) {
	server, _ := open(t)
	d, s := openDatabase(t), loadStore(t, server.Addr())
	release := d.hold()
	_, theirs := otherProcess(t, server, d)
	<-d.begun
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	got := make(chan map[string]int, 1)
	go func() { got <- manyCallers(ctx, s, d.URL, 500) }()
	time.Sleep(200 * time.Millisecond)
	server.Stop()
	time.AfterFunc(200*time.Millisecond, release)
	if got := <-got; got["v1"] != 500 {
		t.Errorf("answers = %v, want v1 for all", got)
	}
	if got := theirs(); got != "map[v1:500]" {
		t.Errorf("answers of the other process = %v, want v1 for all", got)
	}
	if n := d.queries.Load(); n > 2 {
		t.Errorf("%d queries, want one per process at most", n)
	}
	d.value.Store("fails")
	if _, err := getOrLoad(ctx, s, d.URL); !errors.Is(err, errQuery) {
		t.Errorf("GetOrLoad = %v, want the error of load", err)
	}
}

func TestLoad_FailsWhileAnOldValueIsThere(t *testing.T) {
	server, _ := open(t)
	d, s := openDatabase(t), loadStore(t, server.Addr())
	if got, err := s.GetOrLoad(t.Context(), "k", time.Second, query(d.URL)); got != "v1" || err != nil {
		t.Fatalf("GetOrLoad = %q, %v, want v1", got, err)
	}
	d.value.Store("fails")
	eventually(t, "the end of the value", func() bool {
		_, err := s.Get(t.Context(), "k")
		return errors.Is(err, libstore.NotFound{})
	})
	_, theirs := otherProcess(t, server, d)
	if got := manyCallers(t.Context(), s, d.URL, 500); got["v1"] != 500 {
		t.Errorf("answers = %v, want the old value for all", got)
	}
	if got := theirs(); got != "map[v1:500]" {
		t.Errorf("answers of the other process = %v, want the old value for all", got)
	}
}

func TestLoad_InvalidateDuringTheLoadWins(t *testing.T) {
	server, client := open(t)
	d, s := openDatabase(t), loadStore(t, server.Addr())
	release := d.hold()
	_, theirs := otherProcess(t, server, d)
	<-d.begun
	d.value.Store("v2")
	invalidate(t, prefixed(t, client, "load:"), "t")
	got := make(chan map[string]int, 1)
	go func() { got <- manyCallers(t.Context(), s, d.URL, 500) }()
	time.Sleep(100 * time.Millisecond)
	release()
	if got := <-got; got["v2"] != 500 {
		t.Errorf("who came after the invalidation got %v, want v2 for 500", got)
	}
	t.Logf("who came before it got %v", theirs())
	if got, err := getOrLoad(t.Context(), s, d.URL); got != "v2" || err != nil {
		t.Errorf("GetOrLoad = %q, %v, want v2", got, err)
	}
	if n := d.queries.Load(); n != 2 {
		t.Errorf("%d queries, want 2", n)
	}
}
