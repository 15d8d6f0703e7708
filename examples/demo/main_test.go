package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// environment returns a getenv.
func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

// A screen is what the program prints, readable while it does.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

var siteAddress = regexp.MustCompile(`http://[0-9.:]+`)

// runSite runs the program and returns the address that it prints.
func runSite(t *testing.T, env map[string]string) (base string, out *screen) {
	t.Helper()
	out = &screen{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-addr", "127.0.0.1:0"}, environment(env), out, io.Discard) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run() = %v, want nil", err)
		}
		if _, err := http.Get(base); err == nil {
			t.Error("the site answers after run has returned")
		}
	})
	eventually(t, "the address is printed", func() bool { return strings.Contains(out.String(), "memcached: ") })
	return siteAddress.FindString(out.String()), out
}

func TestRun_OnServersInsideTheProcess(t *testing.T) {
	base, out := runSite(t, nil)
	b := newBrowser(t, base)
	b.expectCache("/", missed)
	b.expectCache("/", hit)
	if !strings.Contains(out.String(), "inside this process") {
		t.Errorf("printed %q, want it to say where memcached is", out)
	}
}

func TestRun_OnServersOfTheEnvironment(t *testing.T) {
	serverTLS, _, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	users := map[string]string{"app": "s3cret"}
	plain := memcachedtest.Start(t, &memcachedtest.Options{Users: users})
	second := memcachedtest.Start(t, &memcachedtest.Options{Users: users})
	encrypted := memcachedtest.Start(t, &memcachedtest.Options{Users: users, TLS: serverTLS})
	certificate := filepath.Join(t.TempDir(), "certificate.pem")
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: serverTLS.Certificates[0].Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		servers []*memcachedtest.Server
		tls     string
	}{
		{"with SASL", []*memcachedtest.Server{plain, second}, ""},
		{"with SASL and TLS", []*memcachedtest.Server{encrypted}, certificate},
	} {
		t.Run(test.name, func(t *testing.T) {
			var addrs []string
			for _, server := range test.servers {
				addrs = append(addrs, server.Addr())
			}
			base, out := runSite(t, map[string]string{
				"MEMCACHED_SERVERS": strings.Join(addrs, ", "), "MEMCACHED_USERNAME": "app", "MEMCACHED_PASSWORD": "s3cret", "MEMCACHED_TLS": test.tls,
			})
			b := newBrowser(t, base)
			b.expectCache("/", missed)
			b.expectCache("/", hit)
			b.login("ada")
			b.expect(b.get("/status"), http.StatusOK, addrs[0], `data-state="up"`)
			b.expect(b.post("/servers/0/stop"), http.StatusNotFound)
			if strings.Contains(out.String(), "s3cret") || strings.Contains(out.String(), "not answer") {
				t.Errorf("printed %q", out)
			}
		})
	}
}

func TestRun_EndsWhileBrowsersHoldConnections(t *testing.T) {
	var silent net.Conn
	t.Cleanup(func() { silent.Close() }) // after runSite has seen run return nil
	base, _ := runSite(t, nil)
	var err error
	if silent, err = net.Dial("tcp", strings.TrimPrefix(base, "http://")); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, base)
	b.expect(b.get("/"), http.StatusOK) // on a connection that is kept, and accepted after the silent one
}

func TestRun_WrongPassword(t *testing.T) {
	server := memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "s3cret"}})
	base, out := runSite(t, map[string]string{
		"MEMCACHED_SERVERS": server.Addr(), "MEMCACHED_USERNAME": "app", "MEMCACHED_PASSWORD": "wr0ng",
	})
	b := newBrowser(t, base)
	b.expect(b.get(eddystone), http.StatusOK, "The four towers")
	b.expect(b.get("/status"), http.StatusOK, "authentication failed", `data-state="down"`)
	eventually(t, "the reason is printed", func() bool {
		return strings.Contains(out.String(), "authentication failed") && strings.Contains(out.String(), "check MEMCACHED_USERNAME")
	})
	if strings.Contains(out.String(), "wr0ng") {
		t.Errorf("printed %q", out)
	}
}

func TestRun_AddressTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	err = run(t.Context(), []string{"-addr", addr}, environment(nil), io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "another program has "+addr) || !strings.Contains(err.Error(), "-addr") {
		t.Errorf("run() = %v, want it to say that %s is taken and what to do", err, addr)
	}
}

func TestRun_BadSettings(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"no server in the list": {env: map[string]string{"MEMCACHED_SERVERS": " , "}, want: "MEMCACHED_SERVERS"},
		"an impossible server":  {env: map[string]string{"MEMCACHED_SERVERS": "host:port:more"}, want: "MEMCACHED_SERVERS"},
		"no such certificates":  {env: map[string]string{"MEMCACHED_SERVERS": "localhost", "MEMCACHED_TLS": "/nothing"}, want: "MEMCACHED_TLS"},
		"empty certificates":    {env: map[string]string{"MEMCACHED_SERVERS": "localhost", "MEMCACHED_TLS": empty}, want: "MEMCACHED_TLS"},
		"an impossible address": {args: []string{"-addr", "nowhere"}, want: "nowhere"},
		"an unknown flag":       {args: []string{"-colour"}, want: "colour"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"-addr", "127.0.0.1:0"}, test.args...)
			if err := run(t.Context(), args, environment(test.env), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("run() = %v, want an error about %s", err, test.want)
			}
		})
	}
}

func TestRun_Help(t *testing.T) {
	var help screen
	if err := run(t.Context(), []string{"-h"}, environment(nil), io.Discard, &help); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("run(-h) = %v, want %v", err, flag.ErrHelp)
	}
	if !strings.Contains(help.String(), "-addr") {
		t.Errorf("help is %q", &help)
	}
}
