package integration_test

import (
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest/clienttest"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/integration"
)

const (
	username = "app"
	password = "a p:a$$word"
)

var users = map[string]string{username: password}

// open returns a client of servers that the test closes.
func open(t *testing.T, opts *memcached.Options, servers ...*integration.Server) *memcached.Client {
	t.Helper()
	addrs := make([]string, len(servers))
	for i, server := range servers {
		addrs[i] = server.Addr()
	}
	return openAt(t, opts, addrs...)
}

// openAt is open for addresses.
func openAt(t *testing.T, opts *memcached.Options, addrs ...string) *memcached.Client {
	t.Helper()
	var with memcached.Options
	if opts != nil {
		with = *opts
	}
	if with.Timeout == 0 {
		with.Timeout = 20 * time.Second // a busy machine is no failure of the client
	}
	client, err := memcached.New(addrs, &with)
	if err != nil {
		t.Fatalf("New(%q) = %v", addrs, err)
	}
	t.Cleanup(func() {
		closed := make(chan error, 1)
		go func() { closed <- client.Close() }()
		select {
		case err := <-closed:
			if err != nil {
				t.Errorf("Close() = %v, want nil", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Close() does not return")
		}
	})
	return client
}

// mode is a way to run memcached and to talk to it.
type mode struct {
	name    string
	servers int // 0: one
	server  integration.Options
	client  memcached.Options
	suite   clienttest.Options // how the server differs from one without arguments
}

// modes are the ways in which the client must pass its whole suite.
func modes() []mode {
	return []mode{
		{name: "plain"},
		{name: "three nodes", servers: 3},
		{name: "three nodes with SASL", servers: 3, server: integration.Options{Users: users}, client: memcached.Options{Auth: sasl.Auto(username, password)}},
		{name: "SASL PLAIN", server: integration.Options{Users: users}, client: memcached.Options{Auth: sasl.Plain(username, password)}},
		{name: "SASL PLAIN alone", server: integration.Options{Users: users, Mechanisms: []string{"PLAIN"}}, client: memcached.Options{Auth: sasl.Auto(username, password)}},
		{name: "SASL SCRAM-SHA-512", server: integration.Options{Users: users, Mechanisms: []string{"PLAIN", "SCRAM-SHA-512"}}, client: memcached.Options{Auth: sasl.ScramSHA512(username, password)}},
		{name: "SASL SCRAM-SHA-256", server: integration.Options{Users: users}, client: memcached.Options{Auth: sasl.ScramSHA256(username, password)}},
		{name: "SASL SCRAM-SHA-1", server: integration.Options{Users: users}, client: memcached.Options{Auth: sasl.ScramSHA1(username, password)}},
		{name: "SASL CRAM-MD5", server: integration.Options{Users: users}, client: memcached.Options{Auth: sasl.CramMD5(username, password)}},
		{name: "TLS", server: integration.Options{TLS: true}},
		{name: "TLS with SASL", server: integration.Options{TLS: true, Users: users}, client: memcached.Options{Auth: sasl.Auto(username, password)}},
		{name: "Unix socket", server: integration.Options{UnixSocket: true}},
		{name: "Unix socket with SASL", server: integration.Options{UnixSocket: true, Users: users}, client: memcached.Options{Auth: sasl.Auto(username, password)}},
		{name: "without CAS", server: integration.Options{Args: []string{"-C"}}, suite: clienttest.Options{DisableCAS: true}},
		{name: "without flush", server: integration.Options{Args: []string{"-F"}}, suite: clienttest.Options{DisableFlush: true}},
		{name: "items of 2 MiB", server: integration.Options{Args: []string{"-I", "2m"}}, client: memcached.Options{MaxItemSize: 2<<20 - 1024}, suite: clienttest.Options{MaxItemSize: 2 << 20}},
		{name: "small memory", server: integration.Options{Args: []string{"-m", "8"}}, suite: clienttest.Options{MaxMemory: 8 << 20}},
		{name: "one connection", client: memcached.Options{MaxConns: 1}},
	}
}

// launch starts the servers of m and returns them with the options of their
// client.
func (m mode) launch(t *testing.T) ([]*integration.Server, *memcached.Options) {
	t.Helper()
	servers := make([]*integration.Server, max(1, m.servers))
	for i := range servers {
		servers[i] = integration.Start(t, &m.server)
	}
	opts := m.client
	opts.TLS = servers[0].TLSConfig()
	for _, server := range servers[1:] {
		if m.server.TLS {
			t.Fatalf("%s: every server has a certificate of its own", server.Addr())
		}
	}
	return servers, &opts
}

// saslOptions are those of a client with the right credentials.
func saslOptions() memcached.Options {
	return memcached.Options{Auth: sasl.Auto(username, password)}
}
