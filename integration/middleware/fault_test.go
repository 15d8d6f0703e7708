package middleware_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
	"github.com/bmemcached/bmemcached-go/middleware"
)

// open makes a site in this process, whose memcached is at addr.
func open(t *testing.T, addr string, opts *middleware.Options) *app {
	t.Helper()
	client, err := memcached.New([]string{addr}, &memcached.Options{Auth: sasl.Auto(username, password)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	a, err := newApp(client, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.cache.Close() })
	return a
}

// serve returns the URL of the site. No route may be added any more.
func (a *app) serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(a.router)
	t.Cleanup(server.Close)
	return server.URL
}

// fault is something that happens to memcached, or to the way there.
type fault struct {
	begin, end func(*integration.Server, *faultproxy.Proxy)
}

func onTheWay(f faultproxy.Faults) fault {
	return fault{
		begin: func(_ *integration.Server, p *faultproxy.Proxy) { p.Use(f) },
		end:   func(_ *integration.Server, p *faultproxy.Proxy) { p.Use(faultproxy.Faults{}) },
	}
}

var faults = map[string]fault{
	"refused": {
		begin: func(_ *integration.Server, p *faultproxy.Proxy) {
			p.Use(faultproxy.Faults{Refuse: true})
			p.CutAll(true)
		},
		end: func(_ *integration.Server, p *faultproxy.Proxy) { p.Use(faultproxy.Faults{}) },
	},
	"black hole":       onTheWay(faultproxy.Faults{Requests: faultproxy.Direction{Swallow: true}}),
	"two seconds slow": onTheWay(faultproxy.Faults{Responses: faultproxy.Direction{Delay: 2 * time.Second}}),
	"reset in a value": onTheWay(faultproxy.Faults{Responses: faultproxy.Direction{Cut: true, After: 500, Reset: true}}),
	"corrupt": onTheWay(faultproxy.Faults{Responses: faultproxy.Direction{Corrupt: func(p []byte) {
		for i := range p {
			p[i] ^= 0x55
		}
	}}}),
	"killed": {
		begin: func(s *integration.Server, _ *faultproxy.Proxy) { s.Kill() },
		end:   func(s *integration.Server, _ *faultproxy.Proxy) { s.Restart() },
	},
	"frozen": {
		begin: func(s *integration.Server, _ *faultproxy.Proxy) { s.Pause() },
		end:   func(s *integration.Server, _ *faultproxy.Proxy) { s.Resume() },
	},
	"restarted": {
		begin: func(s *integration.Server, _ *faultproxy.Proxy) { s.Kill(); s.Restart() },
		end:   func(*integration.Server, *faultproxy.Proxy) {},
	},
}

// TestFaults breaks memcached while a site is used: every response is right and
// comes within the handler's time and LookupTimeout, nothing stays behind, and
// hits return by themselves.
func TestFaults(t *testing.T) {
	server := memory(t)
	const (
		handler = 50 * time.Millisecond
		lookup  = 100 * time.Millisecond
		slack   = 1500 * time.Millisecond // for a busy machine, and less than the slow memcached takes
		ofLink  = 3                       // goroutines of the proxy, of each connection
		few     = 10                      // goroutines of connections that come and go
		crowd   = 30                      // fewer than requests: none leaves one behind
	)
	content := strings.Repeat("0123456789abcdef", 256)
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			proxy := faultproxy.Start(t, server.Addr())
			url := open(t, proxy.Addr(), &middleware.Options{TTL: time.Minute, LookupTimeout: lookup}).serve(t)
			page := func(id int) string {
				return fmt.Sprintf("%s/page?size=4096&delay=%v&id=%s-%d", url, handler, name2id(name), id)
			}
			warm := func() bool {
				for range 3 {
					if fetch(t, page(0)).hit() {
						return true
					}
				}
				return false
			}
			if !warm() {
				t.Fatal("no hit before the fault")
			}
			goroutines := func() int { return runtime.NumGoroutine() - ofLink*proxy.Live() }
			before := goroutines()
			f.begin(server, proxy)
			var took []time.Duration
			for i := range 40 {
				began := time.Now()
				a := fetch(t, page(i%4)) // one that was stored, and three that were not
				took = append(took, time.Since(began))
				if a.status != http.StatusOK || a.body != content {
					t.Errorf("request %d = %d with %d bytes, want 200 with %d", i, a.status, len(a.body), len(content))
				}
			}
			if n := goroutines(); n > before+crowd {
				t.Errorf("%d goroutines after 40 requests with the fault, %d before", n, before)
			}
			slices.Sort(took)
			if median, slowest := took[20], took[39]; median > handler+lookup+slack/5 || slowest > handler+lookup+slack {
				t.Errorf("responses took %v, the slowest %v, want the handler's %v and %v", median, slowest, handler, lookup)
			}
			f.end(server, proxy)
			recovered := time.Now()
			for !warm() {
				if time.Since(recovered) > 5*time.Second {
					t.Fatal("no hit within 5 s of the end of the fault")
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Logf("responses took %v, the slowest %v; hits after %v", took[20], took[39], time.Since(recovered))
			deadline := time.Now().Add(15 * time.Second)
			for goroutines() > before+few && time.Now().Before(deadline) {
				time.Sleep(50 * time.Millisecond)
			}
			if n := goroutines(); n > before+few {
				t.Errorf("%d goroutines, %d before the fault", n, before)
			}
		})
	}
}

// name2id makes a part of a query of a fault's name.
func name2id(name string) string {
	id := []byte(name)
	for i, c := range id {
		if c == ' ' {
			id[i] = '-'
		}
	}
	return string(id)
}

func TestFaults_FullMemcachedOnlyMisses(t *testing.T) {
	server := integration.Start(t, &integration.Options{Users: map[string]string{username: password}, Args: []string{"-m", "16", "-M"}})
	url := open(t, server.Addr(), nil).serve(t)
	refused := 0
	for i := range 60 {
		page := fmt.Sprintf("%s/page?size=786432&id=%d", url, i)
		first, second := fetch(t, page), fetch(t, page)
		if len(first.body) != 786432 || second.body != first.body {
			t.Errorf("page %d has %d bytes, then %d, want 786432", i, len(first.body), len(second.body))
		}
		if !second.hit() {
			refused++
		}
	}
	if refused == 0 {
		t.Error("45 MB fit into 16: the server was not full, so this shows nothing")
	}
}

func TestFaults_SmallItems(t *testing.T) {
	server := integration.Start(t, &integration.Options{Users: map[string]string{username: password}, Args: []string{"-I", "512k"}})
	url := open(t, server.Addr(), nil).serve(t)
	page := url + "/page?size=800000"
	fetch(t, page) // finds out how large an item may be
	first := fetch(t, page)
	if hit := fetch(t, page); !hit.hit() || hit.body != first.body || len(hit.body) != 800000 {
		t.Errorf("with items of 512 KB: %d bytes (%s), want a hit of 800,000", len(hit.body), hit.header.Get("Cache-Status"))
	}
}
