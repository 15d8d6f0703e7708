package discovery

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// field writes a node as an endpoint does.
func (n Node) field() string {
	addr := ""
	if n.Addr.IsValid() {
		addr = n.Addr.String()
	}
	return n.Host + "|" + addr + "|" + strconv.Itoa(int(n.Port))
}

// answerOf writes a configuration as an endpoint does.
func answerOf(version uint64, nodes ...string) string {
	body := fmt.Sprintf("%d\n%s\n", version, strings.Join(nodes, " "))
	return fmt.Sprintf("CONFIG cluster 0 %d\r\n%s\r\nEND\r\n", len(body), body)
}

// endpoint is a configuration endpoint that answers as a test says.
type endpoint struct {
	addr string

	mu       sync.Mutex
	answer   func(command string, conn net.Conn)
	commands []string
	conns    int
}

// startEndpoint listens, with TLS if config is not nil. answer is called with
// every command; it writes to the connection or closes it.
func startEndpoint(t *testing.T, config *tls.Config, answer func(command string, conn net.Conn)) *endpoint {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{addr: l.Addr().String(), answer: answer}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { e.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait() // connections end because the resolver closes them
	})
	return e
}

func (e *endpoint) serve(conn net.Conn) {
	defer conn.Close()
	e.mu.Lock()
	e.conns++
	e.mu.Unlock()
	for r := bufio.NewReader(conn); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		e.mu.Lock()
		e.commands = append(e.commands, strings.TrimSuffix(line, "\r\n"))
		answer := e.answer
		e.mu.Unlock()
		answer(strings.TrimSuffix(line, "\r\n"), conn)
	}
}

// says answers every command with the same text.
func says(text string) func(string, net.Conn) {
	return func(_ string, conn net.Conn) { _, _ = io.WriteString(conn, text) }
}

func (e *endpoint) set(answer func(string, net.Conn)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

func wantServers(t *testing.T, r Resolver, want ...string) {
	t.Helper()
	if got, err := r.Servers(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Errorf("Servers = %q, %v, want %q", got, err, want)
	}
}

func TestElastiCache_AsksTheEndpoint(t *testing.T) {
	e := startEndpoint(t, nil, says(twoNodes))
	wantServers(t, &ElastiCache{Endpoint: e.addr},
		"myCluster.pc4ldq.0001.use1.cache.amazonaws.com:11211", "myCluster.pc4ldq.0002.use1.cache.amazonaws.com:11211")
	wantServers(t, &ElastiCache{Endpoint: e.addr, Addresses: true}, "10.82.235.120:11211", "10.80.249.27:11211")
	if want := []string{"config get cluster", "config get cluster"}; !slices.Equal(e.commands, want) || e.conns != 2 {
		t.Errorf("%d connections with %q, want 2 with %q", e.conns, e.commands, want)
	}
}

func TestElastiCache_OlderEngine(t *testing.T) {
	e := startEndpoint(t, nil, func(command string, conn net.Conn) {
		if command != "get AmazonElastiCache:cluster" {
			_, _ = io.WriteString(conn, "ERROR\r\n")
			return
		}
		_, _ = io.WriteString(conn, strings.Replace(answerOf(3, "a|10.0.0.1|11211"), "CONFIG cluster", "VALUE AmazonElastiCache:cluster", 1))
	})
	wantServers(t, &ElastiCache{Endpoint: e.addr}, "a:11211")
	if e.conns != 1 {
		t.Errorf("%d connections, want 1", e.conns)
	}
}

func TestElastiCache_TLS(t *testing.T) {
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	e := startEndpoint(t, serverTLS, says(answerOf(1, "a|10.0.0.1|11211")))
	wantServers(t, &ElastiCache{Endpoint: e.addr, TLS: clientTLS}, "a:11211")
	for name, resolver := range map[string]*ElastiCache{
		"untrusted":  {Endpoint: e.addr, TLS: &tls.Config{MinVersion: tls.VersionTLS12}},
		"other name": {Endpoint: e.addr, TLS: &tls.Config{RootCAs: clientTLS.RootCAs, ServerName: "other.example"}},
		"no TLS":     {Endpoint: e.addr},
	} {
		if servers, err := resolver.Servers(t.Context()); err == nil {
			t.Errorf("%s: Servers = %q, want an error", name, servers)
		}
	}
	plain := startEndpoint(t, nil, says(twoNodes))
	if _, err := (&ElastiCache{Endpoint: plain.addr, TLS: clientTLS}).Servers(t.Context()); err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("TLS to an endpoint without = %v, want an error that says so", err)
	}
}

func TestElastiCache_BadAnswers(t *testing.T) {
	e := startEndpoint(t, nil, nil)
	for name, c := range map[string]struct {
		answer func(string, net.Conn)
		want   error
	}{
		"knows no command": {says("ERROR\r\n"), errUnknown},
		"not of a cluster": {func(command string, conn net.Conn) {
			if command == "config get cluster" {
				says("ERROR\r\n")(command, conn)
				return
			}
			says("END\r\n")(command, conn)
		}, errNoConfig},
		"half an answer": {func(_ string, conn net.Conn) {
			_, _ = io.WriteString(conn, twoNodes[:100])
			conn.Close()
		}, io.ErrUnexpectedEOF},
		"hangs up":     {func(_ string, conn net.Conn) { conn.Close() }, io.ErrUnexpectedEOF},
		"binary":       {says("\x81\x0b" + strings.Repeat("\x00", 22) + "\n"), nil},
		"without end":  {func(_ string, conn net.Conn) { _, _ = conn.Write(bytes.Repeat([]byte("x"), 1<<20)) }, errTooLong},
		"wrong syntax": {says(answerOf(1, "a|b|c")), nil},
	} {
		e.set(c.answer)
		resolver := &ElastiCache{Endpoint: e.addr}
		servers, err := resolver.Servers(t.Context())
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), "discovery: configuration endpoint "+e.addr+": ") {
			t.Errorf("%s: Servers = %q, %v, want an error of the endpoint: %v", name, servers, err, c.want)
		}
	}
}

func TestElastiCache_NoNodesIsAnAnswerThatWatchersRefuse(t *testing.T) {
	e := startEndpoint(t, nil, says("CONFIG cluster 0 4\r\n7\n\n\r\nEND\r\n"))
	resolver := &ElastiCache{Endpoint: e.addr}
	wantServers(t, resolver)
	if _, err := resolve(t.Context(), resolver, 10); !errors.Is(err, ErrNoServers) {
		t.Errorf("resolve = %v, want %v", err, ErrNoServers)
	}
}

func TestElastiCache_ContextEndsSilence(t *testing.T) {
	reached := make(chan struct{}, 10)
	silent := func(string, net.Conn) { reached <- struct{}{} }
	serverTLS, clientTLS, err := memcachedtest.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	for name, resolver := range map[string]*ElastiCache{
		"plain": {Endpoint: startEndpoint(t, nil, silent).addr},
		"TLS":   {Endpoint: startEndpoint(t, serverTLS, silent).addr, TLS: clientTLS},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-reached
			cancel()
		}()
		if _, err := resolver.Servers(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: cancelled: Servers = %v, want %v", name, err, context.Canceled)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := resolver.Servers(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: Servers = %v, want %v", name, err, context.DeadlineExceeded)
		}
		cancel()
	}
}

func TestElastiCache_DialFailures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	for _, endpoint := range []string{addr, "", ":11211", "a:b:c", "host:0", "host:99999", "host:"} {
		if servers, err := (&ElastiCache{Endpoint: endpoint}).Servers(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "discovery: configuration endpoint ") {
			t.Errorf("endpoint %q: Servers = %q, %v, want an error", endpoint, servers, err)
		}
	}
	var asked string
	resolver := &ElastiCache{Endpoint: "cluster.example", DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
		asked = network + " " + address
		return nil, os.ErrPermission
	}}
	if _, err := resolver.Servers(t.Context()); !errors.Is(err, os.ErrPermission) || asked != "tcp cluster.example:11211" {
		t.Errorf("Servers = %v after dialling %q, want the error of DialContext and the default port", err, asked)
	}
}

func TestElastiCache_AnOlderVersionIsNotTakenAtOnce(t *testing.T) {
	e := startEndpoint(t, nil, nil)
	resolver := &ElastiCache{Endpoint: e.addr}
	ask := func(version uint64, node string) bool {
		t.Helper()
		e.set(says(answerOf(version, node)))
		servers, err := resolver.Servers(t.Context())
		if err == nil && !slices.Equal(servers, []string{strings.SplitN(node, "|", 2)[0] + ":1"}) {
			t.Errorf("Servers = %q, want %q", servers, node)
		}
		return err == nil
	}
	for i, c := range []struct {
		version uint64
		want    bool
	}{
		{5, true},
		{6, true},
		{5, false}, // from a node that lags behind
		{6, true},
		{5, false},
		{5, false},
		{7, true},
		{1, false},
		{1, false},
		{1, true}, // made anew
		{1, true},
		{2, true},
	} {
		if got := ask(c.version, fmt.Sprintf("n%d||1", c.version)); got != c.want {
			t.Errorf("answer %d, of version %d: accepted is %v, want %v", i, c.version, got, c.want)
		}
	}
}
