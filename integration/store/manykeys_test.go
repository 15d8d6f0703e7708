package store_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/store"
)

// manyKeys is a run of two processes that read the same keys at random for one and
// a half of their lives. Most are loaded before they expire, some after it.
type manyKeys struct {
	addr, url string
	keys      int
}

func (m manyKeys) ttl() time.Duration {
	return max(5*time.Second, time.Duration(m.keys)*time.Millisecond)
}

// ahead is early enough for most keys to be read again before they expire.
func (m manyKeys) ahead() time.Duration { return m.ttl() * 2 / 5 }

// manyKeysVariable tells the other process its run.
const manyKeysVariable = "MANY_KEYS_IN_OTHER_PROCESS"

// manyKeysDatabase answers queries of keys, and sees whether the processes keep
// to the promise: at no time two queries of a key, at most one in a life.
type manyKeysDatabase struct {
	*httptest.Server
	queries atomic.Int64
	run     *manyKeys
	known   []struct {
		running atomic.Int32
		last    atomic.Int64 // Unix nanoseconds
	}

	mu       sync.Mutex // guards the fields below
	together []string
	tooSoon  map[string]time.Duration
}

func openManyKeys(t *testing.T, run *manyKeys) *manyKeysDatabase {
	d := &manyKeysDatabase{run: run, tooSoon: map[string]time.Duration{}}
	d.known = make([]struct {
		running atomic.Int32
		last    atomic.Int64
	}, run.keys)
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	run.url = d.URL
	return d
}

// ServeHTTP answers a query.
func (d *manyKeysDatabase) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.URL.Path, "/")
	n, err := strconv.Atoi(key)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	d.queries.Add(1)
	known := &d.known[n]
	defer known.running.Add(-1)
	together := known.running.Add(1) > 1
	now := time.Now()
	last := known.last.Swap(now.UnixNano())
	between := now.Sub(time.Unix(0, last))
	// A stamp is up to 1/32 s early.
	soon := last != 0 && between < d.run.ttl()-d.run.ahead()-50*time.Millisecond
	if together || soon {
		d.mu.Lock()
		if together {
			d.together = append(d.together, key)
		}
		if soon {
			d.tooSoon[key] = between
		}
		d.mu.Unlock()
	}
	time.Sleep(time.Millisecond)
	_, _ = io.WriteString(w, key)
}

// stalled is how long a load takes at least that outlives its lock: that is
// renewed every second and lives for five, which a server can count as three.
const stalled = 3 * time.Second

// read reads all keys again and again, and then calls done: a store that is
// closed cancels its loads, which are then another's. It returns the keys of which
// the store says that what it loaded is not kept: nobody changes any, so that is
// right only for loads whose lock has expired.
func (m manyKeys) read(t *testing.T, done func()) (stalls map[string]bool) {
	client := connectTo(t, []string{m.addr}, sasl.Auto(username, password))
	stalls = map[string]bool{}
	var mu sync.Mutex // guards stalls
	var refreshed atomic.Int64
	s := newTyped[string](t, client, &store.Options{RefreshAhead: m.ahead(), OnLoadEvent: func(e store.LoadEvent) {
		switch e.Kind {
		case store.LoadEventRefreshed:
			refreshed.Add(1)
		case store.LoadEventOvertaken:
			mu.Lock()
			defer mu.Unlock()
			if stalls[e.Key] = true; e.Duration < stalled {
				t.Errorf("what was loaded of key %s in %v is not kept", e.Key, e.Duration)
			}
		}
	}, OnError: func(op string, err error) { t.Errorf("%s: %v", op, err) }})
	began := time.Now()
	workers(32, func(int) {
		for {
			// On a busy machine it can take longer until a key is read in time.
			if took := time.Since(began); took > m.ttl()*3/2 && (refreshed.Load() > 0 || took > 10*m.ttl()) {
				return
			}
			key := strconv.Itoa(rand.IntN(m.keys))
			if got, err := s.GetOrLoad(t.Context(), key, m.ttl(), query(m.url+"/"+key)); got != key || err != nil {
				t.Errorf("GetOrLoad(%q) = %q, %v", key, got, err)
				return
			}
		}
	})
	done()
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if refreshed.Load() == 0 {
		t.Error("no value was loaded early")
	}
	return stalls
}

// TestManyKeys_OtherProcess is what the other process runs.
func TestManyKeys_OtherProcess(t *testing.T) {
	var m manyKeys
	if n, _ := fmt.Sscan(os.Getenv(manyKeysVariable), &m.addr, &m.url, &m.keys); n != 3 {
		return
	}
	stalls := m.read(t, func() {
		fmt.Println("read")
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is closed
	})
	for key := range stalls {
		fmt.Println("stalled", key)
	}
}

// At no time do two loads of a key run, and no key is loaded more than once per
// life, while two processes read many keys and load them anew before they expire.
// STORE_LOAD_KEYS is how many: 100,000 take two and a half minutes.
func TestManyKeys_OneLoadPerLife(t *testing.T) {
	server, _ := open(t)
	run := &manyKeys{addr: server.Addr(), keys: 3000}
	if n, err := strconv.Atoi(os.Getenv("STORE_LOAD_KEYS")); err == nil {
		run.keys = n
	}
	d := openManyKeys(t, run)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestManyKeys_OtherProcess$")
	cmd.Env = append(os.Environ(), manyKeysVariable+"="+fmt.Sprintln(run.addr, run.url, run.keys))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stalls := map[string]bool{}
	lines := bufio.NewScanner(out)
	until := func(end string) {
		for lines.Scan() && lines.Text() != end {
			if key, ok := strings.CutPrefix(lines.Text(), "stalled "); ok {
				stalls[key] = true
			} else {
				t.Log("the other process:", lines.Text())
			}
		}
	}
	ours := run.read(t, func() { until("read") })
	maps.Copy(stalls, ours)
	_ = in.Close()
	until("")
	if err := cmd.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
	t.Logf("%d keys: %d queries; the locks of %d loads expired", run.keys, d.queries.Load(), len(stalls))
	for _, key := range d.together {
		if !stalls[key] {
			t.Errorf("two queries of key %s at once", key)
		}
	}
	for key, between := range d.tooSoon {
		if !stalls[key] {
			t.Errorf("key %s was loaded again after %v, want %v at least", key, between, run.ttl()-run.ahead())
		}
	}
}
