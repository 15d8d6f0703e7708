package discovery

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary"
)

// With TLS, a client believes a server whose certificate has the server's name,
// and may then tell it a password. So the name must not be one that anybody
// between resolver and client can choose.

// prover is a Resolver that knows whether its answers can be believed: "" when
// they can, or what has to be set for that.
type prover interface{ unproved() string }

var (
	_ prover = DNS{}
	_ prover = SRV{}
	_ prover = (*ElastiCache)(nil)
)

// unproved: addresses have no place for a domain.
func (d DNS) unproved() string {
	if _, err := netip.ParseAddr(d.Name); err == nil {
		return "" // it stands for itself
	}
	return "memcached.Options.TLS.ServerName"
}

func (s SRV) unproved() string {
	if s.Domain != "" {
		return ""
	}
	return "SRV.Domain or memcached.Options.TLS.ServerName"
}

func (e *ElastiCache) unproved() string {
	if e.TLS != nil || e.Domain != "" {
		return ""
	}
	return "ElastiCache.TLS, ElastiCache.Domain or memcached.Options.TLS.ServerName"
}

// checkTrust refuses a resolver whose answers would choose the names that the
// client believes.
func checkTrust(r Resolver, config *tls.Config) error {
	if config == nil || config.ServerName != "" || config.InsecureSkipVerify {
		return nil
	}
	p, ok := r.(prover)
	if !ok || p.unproved() == "" {
		return nil
	}
	return fmt.Errorf("discovery: memcached.Options.TLS would believe any server that an answer to %T names: nobody proves that answer; set %s", r, p.unproved())
}

// tlsOf returns the configuration of a client that tells it.
func tlsOf(client Client) *tls.Config {
	if c, ok := client.(interface{ Options() memcached.Options }); ok {
		return c.Options().TLS
	}
	return nil
}

// checkDomain refuses servers outside of a domain, if there is one.
func checkDomain(servers []string, domain string) error {
	domain = strings.ToLower(strings.Trim(domain, "."))
	if domain == "" {
		return nil
	}
	for _, server := range servers {
		host, _, err := net.SplitHostPort(server)
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		if err != nil || host != domain && !strings.HasSuffix(host, "."+domain) {
			return fmt.Errorf("server %s is not in the domain %s", server, domain)
		}
	}
	return nil
}
