package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// defaultPort is where memcached listens.
const defaultPort = 11211

// DNS is a Resolver of the addresses of a name: its A or AAAA records, one
// server for each. This is what a Kubernetes headless service answers. Addresses
// change: see Names and addresses above, and SRV for the alternative.
//
// Write names with a dot at the end where they are complete: without it the
// system's search list applies, which costs further queries and can find
// another service.
type DNS struct {
	// Name is the name to look up. An IP address stands for itself.
	Name string
	// Port is where every server listens. 0: 11211.
	Port int
	// Network is "ip4" for A records, "ip6" for AAAA records or "ip" for both.
	// "": the A records, or the AAAA records of a name that has none, so that a
	// server with both does not get two shares of the keys.
	Network string
	// Resolver makes the queries. nil: net.DefaultResolver, which follows
	// the system's configuration.
	Resolver *net.Resolver
}

// Servers looks up the addresses and returns them with the port.
func (d DNS) Servers(ctx context.Context) ([]string, error) {
	port := d.Port
	if port == 0 {
		port = defaultPort
	}
	if port < 0 || port > 65535 {
		return nil, fmt.Errorf("discovery: DNS.Port is %d: want 1 to 65535, or 0 for %d", port, defaultPort)
	}
	switch d.Network {
	case "ip4", "ip6":
		return d.lookup(ctx, d.Network, port)
	case "":
		servers, err := d.lookup(ctx, "ip4", port)
		if isNotFound(err) {
			return d.lookup(ctx, "ip6", port)
		}
		return servers, err
	case "ip":
		return d.both(ctx, port)
	default:
		return nil, fmt.Errorf(`discovery: DNS.Network is %q: want "ip", "ip4", "ip6" or nothing`, d.Network)
	}
}

// both looks up A and AAAA records. It does so one after the other because
// package net, asked for both, passes over the failure of one of them.
func (d DNS) both(ctx context.Context, port int) ([]string, error) {
	four, err := d.lookup(ctx, "ip4", port)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	six, err6 := d.lookup(ctx, "ip6", port)
	if err6 != nil && (err != nil || !isNotFound(err6)) {
		return nil, err6
	}
	return append(four, six...), nil
}

func (d DNS) lookup(ctx context.Context, network string, port int) ([]string, error) {
	addrs, err := orDefault(d.Resolver).LookupNetIP(ctx, network, d.Name)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	servers := make([]string, 0, len(addrs))
	for _, addr := range addrs {
		servers = append(servers, net.JoinHostPort(addr.Unmap().String(), strconv.Itoa(port)))
	}
	return servers, nil
}

// SRV is a Resolver of SRV records: names of servers with their ports, as
// Kubernetes has them for the named ports of a headless service, and Consul for
// its services.
//
// Of several priorities only the most preferred (the lowest number) counts: the
// rest are stand-ins by RFC 2782, and which server is up is not a question that
// placement may depend on. Weights are not used: they spread connections among
// equal servers, while a share of the keys has to stay where it is, and
// Kubernetes derives them from the number of servers, so that each change would
// move keys. See memcached.Options.Weights instead.
type SRV struct {
	// Service and Proto are the symbolic names, such as "memcache" and "tcp",
	// of the record _memcache._tcp.Name. "" as Proto: "tcp". With an
	// empty Service, Name is looked up as it is.
	Service, Proto string
	// Name is the domain.
	Name string
	// Domain is what the servers' names must be in; others are an error. With
	// TLS it says which names are to be believed. "": any.
	Domain string
	// Resolver makes the queries. nil: net.DefaultResolver, which follows
	// the system's configuration.
	Resolver *net.Resolver
}

// Servers looks up the records and returns their targets with their ports, in
// lower case and without the final dot.
func (s SRV) Servers(ctx context.Context) ([]string, error) {
	proto := s.Proto
	switch {
	case s.Service == "":
		proto = ""
	case proto == "":
		proto = "tcp"
	}
	// Records with names that are none come with an error besides the others.
	_, records, err := orDefault(s.Resolver).LookupSRV(ctx, s.Service, proto, s.Name)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	var servers []string
	for _, r := range records {
		if r.Priority != records[0].Priority {
			break // sorted by priority
		}
		host := strings.ToLower(strings.TrimSuffix(r.Target, "."))
		if host == "" {
			continue // "." says that there is no such service (RFC 2782)
		}
		if r.Port == 0 {
			return nil, fmt.Errorf("discovery: the SRV record of %s for %s has no port", s.Name, host)
		}
		servers = append(servers, net.JoinHostPort(host, strconv.Itoa(int(r.Port))))
	}
	if err := checkDomain(servers, s.Domain); err != nil {
		return nil, fmt.Errorf("discovery: SRV records of %s: %w", s.Name, err)
	}
	return servers, nil
}

func orDefault(r *net.Resolver) *net.Resolver {
	if r == nil {
		return net.DefaultResolver
	}
	return r
}

// isNotFound reports whether the name, or an address of the kind, does not
// exist: an answer, unlike a server that does not give one.
func isNotFound(err error) bool {
	var missing *net.DNSError
	if errors.As(err, &missing) {
		return missing.IsNotFound
	}
	var otherKind *net.AddrError // of IP addresses, and names in the hosts file
	return errors.As(err, &otherKind)
}
