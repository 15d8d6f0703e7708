package discovery

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

// TestTrust_AnUnprovedAnswerChoosesNoNames: with TLS the name is what proves a
// server.
func TestTrust_AnUnprovedAnswerChoosesNoNames(t *testing.T) {
	some := func(context.Context) ([]string, error) { return []string{"a:11211"}, nil }
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	named := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "cache.example"}
	for _, tt := range []struct {
		name     string
		resolver Resolver
		tls      *tls.Config
		want     string // in the error; "": any other
	}{
		{"ElastiCache", &ElastiCache{Endpoint: "127.0.0.1:1"}, config, "ElastiCache.TLS"},
		{"ElastiCache with TLS", &ElastiCache{Endpoint: "127.0.0.1:1", TLS: config}, config, ""},
		{"ElastiCache with a domain", &ElastiCache{Endpoint: "127.0.0.1:1", Domain: "cache.amazonaws.com"}, config, ""},
		{"ElastiCache, one name", &ElastiCache{Endpoint: "127.0.0.1:1"}, named, ""},
		{"ElastiCache, no TLS at all", &ElastiCache{Endpoint: "127.0.0.1:1"}, nil, ""},
		{"SRV", SRV{Name: "memcached.invalid."}, config, "SRV.Domain"},
		{"SRV with a domain", SRV{Name: "memcached.invalid.", Domain: "invalid"}, config, ""},
		{"DNS", DNS{Name: "memcached.invalid."}, config, "TLS.ServerName"},
		{"DNS of an address", DNS{Name: "127.0.0.1", Port: 1}, config, ""},
		{"a list", Static{"a:11211"}, config, ""},
		{"a function", ResolverFunc(some), config, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // before any exchange
			opts := &memcached.Options{TLS: tt.tls}
			_, _, newErr := New(ctx, tt.resolver, opts, nil)
			client, err := memcached.New([]string{"a"}, opts)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_, watchErr := Watch(ctx, client, tt.resolver, nil)
			for _, err := range []error{newErr, watchErr} {
				refused := err != nil && strings.Contains(err.Error(), "nobody proves")
				if refused != (tt.want != "") || refused && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want one about trust with %q", err, tt.want)
				}
			}
		})
	}
}

func TestTrust_NamesOutsideTheDomain(t *testing.T) {
	for domain, ok := range map[string]bool{
		"": true, "cache.example": true, "CACHE.example.": true, "example": true, "a.cache.example": true,
		"evil.example": false, "ache.example": false, "b.cache.example": false,
	} {
		e := startEndpoint(t, nil, says(answerOf(1, "a.Cache.example|10.0.0.1|11211")))
		servers, err := (&ElastiCache{Endpoint: e.addr, Domain: domain}).Servers(t.Context())
		if (err == nil) != ok {
			t.Errorf("domain %q: Servers = %q, %v, want success %v", domain, servers, err, ok)
		}
	}
	e := startEndpoint(t, nil, says(answerOf(1, "a.cache.example|10.0.0.1|11211")))
	if servers, err := (&ElastiCache{Endpoint: e.addr, Domain: "cache.example", Addresses: true}).Servers(t.Context()); err == nil {
		t.Errorf("addresses with a domain: Servers = %q, want an error", servers)
	}
}
