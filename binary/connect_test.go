package memcached_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// dialTCP connects through the network, as a client does without DialContext.
func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// forward listens at an address and passes connections on to a server.
func forward(t *testing.T, network, address string, server *memcachedtest.Server) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("listen: %v", err)
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { _ = l.Close() })
	wg.Go(func() {
		for {
			front, err := l.Accept()
			if err != nil {
				return
			}
			back, err := server.DialContext(context.Background(), "", "")
			if err != nil {
				_ = front.Close()
				continue
			}
			wg.Go(func() { _, _ = io.Copy(back, front); _ = back.Close() })
			wg.Go(func() { _, _ = io.Copy(front, back); _ = front.Close() })
		}
	})
	return l
}

// wantWorking runs small and large operations, alone and together.
func wantWorking(t *testing.T, client *memcached.Client) {
	t.Helper()
	rounds := 12
	if raceEnabled {
		rounds = 7
	}
	large := bytes.Repeat([]byte("large value "), 50_000)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			for j := range rounds {
				key := fmt.Sprintf("k%d-%d", i, j)
				value := append([]byte(key+" "), large[:j*j*j*300]...) // up to 400 KB
				if err := client.Set(t.Context(), &memcached.Item{Key: key, Value: value}); err != nil {
					t.Errorf("Set of %d bytes = %v", len(value), err)
					return
				}
				item, err := client.Get(t.Context(), key)
				if err != nil || !bytes.Equal(item.Value, value) {
					t.Errorf("Get(%q) = %v, want %d bytes", key, err, len(value))
					return
				}
			}
		})
	}
	wg.Wait()
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v", err)
	}
}

// newTCPClient returns a client that uses the network.
func newTCPClient(t *testing.T, opts memcached.Options, servers ...string) *memcached.Client {
	t.Helper()
	if opts.Timeout == 0 {
		opts.Timeout = time.Minute // the machine may be busy
	}
	client, err := memcached.New(servers, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestNetwork_EveryWayToReachAServer(t *testing.T) {
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	users := map[string]string{"app": "secret"}
	for name, tt := range map[string]struct {
		server memcachedtest.Options
		opts   memcached.Options
	}{
		"plain":      {},
		"SASL":       {memcachedtest.Options{Users: users}, memcached.Options{Auth: sasl.Auto("app", "secret")}},
		"TLS":        {memcachedtest.Options{TLS: serverTLS}, memcached.Options{TLS: clientTLS}},
		"TLS + SASL": {memcachedtest.Options{TLS: serverTLS, Users: users, Mechanisms: []string{"PLAIN"}}, memcached.Options{TLS: clientTLS, Auth: sasl.Auto("app", "secret")}},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, &tt.server)
			_, port, _ := net.SplitHostPort(server.Addr())
			t.Run("TCP", func(t *testing.T) { wantWorking(t, newTCPClient(t, tt.opts, server.Addr())) })
			t.Run("tcp://", func(t *testing.T) { wantWorking(t, newTCPClient(t, tt.opts, "tcp://"+server.Addr())) })
			t.Run("name", func(t *testing.T) { wantWorking(t, newTCPClient(t, tt.opts, "localhost:"+port)) })
			t.Run("IPv6", func(t *testing.T) {
				l := forward(t, "tcp6", "[::1]:0", server)
				wantWorking(t, newTCPClient(t, tt.opts, l.Addr().String()))
			})
			if tt.server.TLS != nil {
				return // sockets of the machine are not encrypted
			}
			t.Run("Unix socket", func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "memcached.sock")
				forward(t, "unix", path, server)
				wantWorking(t, newTCPClient(t, tt.opts, path))
				wantWorking(t, newTCPClient(t, tt.opts, "unix://"+path))
			})
		})
	}
}

func TestNetwork_TLSNamesTheServer(t *testing.T) {
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	var names sync.Map // that were asked for; one who fails asks again and again
	serverTLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		names.Store(hello.ServerName, true)
		return nil, nil
	}
	server := newServer(t, &memcachedtest.Options{TLS: serverTLS})
	_, port, _ := net.SplitHostPort(server.Addr())
	for _, tt := range []struct {
		config *tls.Config
		want   string // "" for a certificate that is not accepted
	}{
		{clientTLS, "localhost"},
		{&tls.Config{RootCAs: clientTLS.RootCAs, ServerName: "cache.memory.test"}, "cache.memory.test"},
		{&tls.Config{RootCAs: clientTLS.RootCAs, ServerName: "cache.example.com"}, ""},
		{&tls.Config{InsecureSkipVerify: true}, "localhost"},
		{&tls.Config{}, ""}, // signed by nobody known
	} {
		client := newTCPClient(t, memcached.Options{TLS: tt.config}, "localhost:"+port)
		names.Clear()
		err := client.Ping(t.Context())
		_ = client.Close()
		_, asked := names.Load(tt.want)
		switch {
		case tt.want == "" && (!errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(err.Error(), "certificate")):
			t.Errorf("Ping = %v, want ErrUnavailable that tells of the certificate", err)
		case tt.want != "" && (err != nil || !asked):
			t.Errorf("Ping = %v, and the name %q was asked for: %v", err, tt.want, asked)
		}
		if tt.config.ServerName == "localhost" {
			t.Error("the caller's TLS config was changed")
		}
	}
}

func TestNetwork_SaysWhatIsWrong(t *testing.T) {
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	plain, encrypted := newServer(t, nil), newServer(t, &memcachedtest.Options{TLS: serverTLS})
	full := newServer(t, &memcachedtest.Options{MaxConns: 1})
	occupant := newTCPClient(t, memcached.Options{}, full.Addr())
	if err := occupant.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	tests := []struct {
		name   string
		server string
		opts   memcached.Options
		text   []string // one of them
	}{
		{"TLS to a plain port", plain.Addr(), memcached.Options{TLS: clientTLS}, []string{"may not speak TLS"}},
		{"plain to a TLS port", encrypted.Addr(), memcached.Options{}, []string{"speaks TLS", "may speak TLS"}},
		{"SASL to a TLS port", encrypted.Addr(), memcached.Options{Auth: sasl.Auto("app", "pw")}, []string{"speaks TLS", "may speak TLS"}},
		{"out of connections", full.Addr(), memcached.Options{}, []string{"Too many open connections", "out of connections"}},
		{"nobody listens", closed.Addr().String(), memcached.Options{}, []string{"refused"}},
		{"no socket", "/nonexistent/memcached.sock", memcached.Options{}, []string{"no such file"}},
		{"no such name", "no-such-host.invalid", memcached.Options{}, []string{"no-such-host.invalid"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 3 {
				client := newTCPClient(t, tt.opts, tt.server)
				_, err := client.Get(t.Context(), "k")
				if !errors.Is(err, memcached.ErrUnavailable) || errors.Is(err, memcached.ErrAuth) {
					t.Errorf("Get = %v, want %v", err, memcached.ErrUnavailable)
				}
				found := false
				for _, text := range tt.text {
					found = found || strings.Contains(fmt.Sprint(err), text)
				}
				if !found || !strings.Contains(fmt.Sprint(err), tt.server) {
					t.Errorf("Get = %v, want an error with one of %q and the server", err, tt.text)
				}
			}
		})
	}
}

// TestNetwork_SaysWhatASilentServerMayBe: whoever waits for the attempt learns
// within Timeout what it met.
func TestNetwork_SaysWhatASilentServerMayBe(t *testing.T) {
	_, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		opts memcached.Options
		text string
	}{
		{"plain", memcached.Options{}, "only the text protocol"},
		{"SASL", memcached.Options{Auth: sasl.Auto("app", "pw")}, "only the text protocol"},
		{"TLS", memcached.Options{TLS: clientTLS}, "may not speak TLS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.opts.Timeout = 200 * time.Millisecond
				tt.opts.DialContext = func(context.Context, string, string) (net.Conn, error) {
					front, back := net.Pipe()
					go io.Copy(io.Discard, back) // until the client closes
					return front, nil
				}
				client, err := memcached.New([]string{"silent:11211"}, &tt.opts)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				start := time.Now()
				_, err = client.Get(t.Context(), "k")
				if !errors.Is(err, memcached.ErrUnavailable) || !strings.Contains(fmt.Sprint(err), tt.text) || !strings.Contains(fmt.Sprint(err), "silent:11211") {
					t.Errorf("Get = %v, want %v with %q and the server", err, memcached.ErrUnavailable, tt.text)
				}
				if took := time.Since(start); took > tt.opts.Timeout {
					t.Errorf("Get took %v, want up to %v", took, tt.opts.Timeout)
				}
			})
		})
	}
}

// TestNetwork_ClientCertificatesAreRenewed: GetClientCertificate is asked at every
// connection, and the server sees what it gives.
func TestNetwork_ClientCertificatesAreRenewed(t *testing.T) {
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan []byte, 10)
	serverTLS.ClientAuth = tls.RequireAnyClientCert
	serverTLS.VerifyConnection = func(s tls.ConnectionState) error {
		seen <- s.PeerCertificates[0].Raw
		return nil
	}
	server := newServer(t, &memcachedtest.Options{TLS: serverTLS})
	without := newTCPClient(t, memcached.Options{TLS: clientTLS}, server.Addr())
	if err := without.Ping(t.Context()); !errors.Is(err, memcached.ErrUnavailable) {
		t.Errorf("Ping without a certificate = %v, want %v", err, memcached.ErrUnavailable)
	}
	var certificates []tls.Certificate
	for range 2 {
		other, _, err := memcachedtest.TLSConfig()
		if err != nil {
			t.Fatal(err)
		}
		certificates = append(certificates, other.Certificates[0])
	}
	var current atomic.Pointer[tls.Certificate]
	clientTLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return current.Load(), nil }
	client := newTCPClient(t, memcached.Options{TLS: clientTLS}, server.Addr())
	for i := range certificates {
		current.Store(&certificates[i])
		if err := server.Restart(); err != nil { // a new connection
			t.Fatal(err)
		}
		for start := time.Now(); client.Ping(t.Context()) != nil; time.Sleep(time.Millisecond) {
			if time.Since(start) > time.Minute {
				t.Fatal("the server is not used again")
			}
		}
		if got := <-seen; !bytes.Equal(got, certificates[i].Certificate[0]) {
			t.Errorf("connection %d shows another certificate than the current one", i+1)
		}
	}
}
