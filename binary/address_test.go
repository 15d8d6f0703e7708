package memcached_test

import (
	"net"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

// FuzzServerAddress: what New takes for a server is an address that says the
// same when it is read again.
func FuzzServerAddress(f *testing.F) {
	for _, s := range []string{
		"host", "host:11212", "[::1]:11211", "::1", "[::1]", "[fe80::1%eth0]:1", "/run/memcached.sock", "unix:///run/memcached.sock",
		"unix://host", "tcp://host:1", "tcp:///x", "host:0", "host:65536", "host:port", "a b", "a@b", ":11211", "[host]:1", "1:2:3", "", "/", "//",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		again, ok := placedAs(t, s)
		if !ok {
			return
		}
		if !strings.HasPrefix(again, "/") {
			host, port, err := net.SplitHostPort(again)
			if err != nil || host == "" || port == "" || strings.ContainsAny(host, " \t\r\n\x00/@") {
				t.Errorf("server %q is %q, which is no address (%v)", s, again, err)
			}
		}
		if third, ok := placedAs(t, again); !ok || third != again {
			t.Errorf("server %q is %q, and that is %q, %v", s, again, third, ok)
		}
	})
}

// placedAs returns the address by which a distribution knows a server.
func placedAs(t *testing.T, server string) (addr string, ok bool) {
	t.Helper()
	client, err := memcached.New([]string{server}, &memcached.Options{Distribution: func(servers []memcached.Server) func(string) int {
		addr = servers[0].Addr
		return func(string) int { return 0 }
	}})
	if err != nil {
		if !strings.HasPrefix(err.Error(), "memcached: server ") {
			t.Errorf("New(%q) = %v, want an error about the server", server, err)
		}
		return "", false
	}
	_ = client.Close()
	return addr, true
}
