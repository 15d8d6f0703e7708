package discovery_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/discovery"
)

// The lookups themselves are tested with a real DNS server, in
// integration/discovery.

func TestDNS_AddressesStandForThemselves(t *testing.T) {
	for _, c := range []struct {
		dns  discovery.DNS
		want string
	}{
		{discovery.DNS{Name: "192.0.2.1"}, "192.0.2.1:11211"},
		{discovery.DNS{Name: "192.0.2.1", Port: 12345, Network: "ip4"}, "192.0.2.1:12345"},
		{discovery.DNS{Name: "192.0.2.1", Network: "ip"}, "192.0.2.1:11211"},
		{discovery.DNS{Name: "::1"}, "[::1]:11211"},
		{discovery.DNS{Name: "2001:db8::1", Network: "ip6"}, "[2001:db8::1]:11211"},
		{discovery.DNS{Name: "::ffff:192.0.2.1", Network: "ip4"}, "192.0.2.1:11211"},
	} {
		if got, err := c.dns.Servers(t.Context()); err != nil || !slices.Equal(got, []string{c.want}) {
			t.Errorf("%+v: Servers = %q, %v, want %q", c.dns, got, err, c.want)
		}
	}
}

func TestDNS_RefusesWrongFields(t *testing.T) {
	for field, dns := range map[string]discovery.DNS{
		"Port": {Name: "192.0.2.1", Port: 65536}, "Port ": {Name: "192.0.2.1", Port: -1}, "Network": {Name: "192.0.2.1", Network: "tcp"},
	} {
		if servers, err := dns.Servers(t.Context()); err == nil || !strings.Contains(err.Error(), "discovery: DNS."+strings.TrimSpace(field)) {
			t.Errorf("%+v: Servers = %q, %v, want an error about %s", dns, servers, err, field)
		}
	}
}

// A resolver that cannot reach its server says so, whatever it was asked.
func TestDNS_UnreachableServer(t *testing.T) {
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, os.ErrPermission
	}}
	for _, r := range []discovery.Resolver{
		discovery.DNS{Name: "memcached.test.", Resolver: resolver},
		discovery.DNS{Name: "memcached.test.", Network: "ip", Resolver: resolver},
		discovery.SRV{Service: "memcache", Name: "memcached.test.", Resolver: resolver},
	} {
		servers, err := r.Servers(t.Context())
		var e *net.DNSError
		if !errors.As(err, &e) || e.IsNotFound || servers != nil || !strings.HasPrefix(err.Error(), "discovery: lookup ") {
			t.Errorf("%T: Servers = %q, %v, want the failure of the lookup", r, servers, err)
		}
	}
}
