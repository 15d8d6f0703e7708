package discovery_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/discovery"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
)

// endpoint is a configuration endpoint whose answer a test changes.
type endpoint struct {
	listener net.Listener
	answer   atomic.Pointer[string]
	wg       sync.WaitGroup
}

func startEndpoint(t *testing.T) *endpoint {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{listener: l}
	e.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			e.wg.Go(func() { e.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		e.wg.Wait()
	})
	return e
}

func (e *endpoint) serve(conn net.Conn) {
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		if line, err := r.ReadString('\n'); err != nil || line != "config get cluster\r\n" {
			return
		}
		_, _ = conn.Write([]byte(*e.answer.Load()))
	}
}

// say makes the endpoint answer with a version and servers.
func (e *endpoint) say(version int, servers ...*integration.Server) {
	var nodes []string
	for _, s := range servers {
		host, port, _ := net.SplitHostPort(s.Addr())
		nodes = append(nodes, fmt.Sprintf("localhost|%s|%s", host, port))
	}
	body := fmt.Sprintf("%d\n%s\n", version, strings.Join(nodes, " "))
	answer := fmt.Sprintf("CONFIG cluster 0 %d\r\n%s\r\nEND\r\n", len(body), body)
	e.answer.Store(&answer)
}

func (e *endpoint) sayText(answer string) { e.answer.Store(&answer) }

func TestElastiCache_NodesComeAndGoUnderLoad(t *testing.T) {
	servers := startServers(t, 3)
	e := startEndpoint(t)
	e.say(1, servers[0])
	client, watcher := follow(t, &discovery.ElastiCache{Endpoint: e.listener.Addr().String(), Addresses: true}, &memcached.Options{}, 200*time.Millisecond)
	l := startLoad(t, client)
	version := 1
	good := servers[:1]
	for _, nodes := range [][]*integration.Server{servers[:2], servers, servers[1:], servers[2:], servers} {
		for _, text := range []string{"", "CONFIG cluster 0 147\r\n12\nmyCl", "ERROR\r\n", "CONFIG cluster 0 2\r\n9\n\r\nEND\r\n"} {
			e.sayText(text)
			_ = watcher.Refresh(t.Context())
			if s := watcher.Status(); s.Failures == 0 || len(s.Servers) != len(good) {
				t.Errorf("an endpoint that says %q: Status() = %+v, want a failure and the servers from before", text, s)
			}
		}
		version++
		e.say(version, nodes...)
		good = nodes
		eventually(t, fmt.Sprint("version ", version), func() bool {
			s := watcher.Status()
			return s.Failures == 0 && len(s.Servers) == len(nodes)
		})
		l.more(t)
	}
	l.end(t)
	if s := client.Stats(); s.Errors != 0 || s.Hits == 0 {
		t.Errorf("Stats() = %+v, want hits and no errors", s)
	}
}

// A memcached that is no node of a managed cluster has no configuration, and
// says so in the way that the resolver understands.
func TestElastiCache_OrdinaryMemcachedIsNoEndpoint(t *testing.T) {
	server := integration.Start(t, nil)
	_, err := (&discovery.ElastiCache{Endpoint: server.Addr()}).Servers(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no cluster configuration") {
		t.Errorf("Servers = %v, want an error that names the reason", err)
	}
	// What engines before 1.4.14 did: the configuration is an item.
	client, err := memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	host, port, _ := net.SplitHostPort(server.Addr())
	config := fmt.Sprintf("3\n|%s|%s\n", host, port)
	if err := client.Set(t.Context(), &memcached.Item{Key: "AmazonElastiCache:cluster", Value: []byte(config)}); err != nil {
		t.Fatal(err)
	}
	followed, watcher := follow(t, &discovery.ElastiCache{Endpoint: server.Addr()}, &memcached.Options{}, time.Second)
	wantServers(t, watcher, server.Addr())
	if err := followed.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v", err)
	}
}

// TLS to the endpoint and the nodes, which both are one real memcached.
func TestElastiCache_TLS(t *testing.T) {
	server := integration.Start(t, &integration.Options{TLS: true})
	config := server.TLSConfig()
	client, err := memcached.New([]string{server.Addr()}, &memcached.Options{TLS: config})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	host, port, _ := net.SplitHostPort(server.Addr())
	item := &memcached.Item{Key: "AmazonElastiCache:cluster", Value: fmt.Appendf(nil, "3\n|%s|%s\n", host, port)}
	if err := client.Set(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	followed, _ := follow(t, &discovery.ElastiCache{Endpoint: server.Addr(), TLS: config}, &memcached.Options{TLS: config}, time.Second)
	if err := followed.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v", err)
	}
}

// A server with SASL speaks the binary protocol only.
func TestElastiCache_SASLMemcachedIsNoEndpoint(t *testing.T) {
	server := integration.Start(t, &integration.Options{Users: map[string]string{"app": "secret"}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // it does not answer
	defer cancel()
	if servers, err := (&discovery.ElastiCache{Endpoint: server.Addr()}).Servers(ctx); err == nil {
		t.Errorf("Servers = %q, want an error", servers)
	}
	client, _ := follow(t, discovery.Static{server.Addr()}, &memcached.Options{Auth: sasl.Auto("app", "secret")}, time.Second)
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v", err)
	}
}
