package memcached

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

const defaultPort = "11211"

// address is a server as New takes it.
type address struct {
	name    string // as given
	network string // tcp or unix
	target  string // host:port or the path of a socket
	host    string // for TLS
}

// parseAddress reads "host", "host:port", "[::1]:11211", "::1", a path,
// "unix:///path" and "tcp://host:port".
func parseAddress(name string) (address, error) {
	s := name
	if path, ok := strings.CutPrefix(s, "unix://"); ok {
		s = path
		if !strings.HasPrefix(s, "/") {
			return address{}, addressError(name, "want an absolute path after unix://")
		}
	}
	if strings.HasPrefix(s, "/") {
		return address{name: name, network: "unix", target: s, host: "localhost"}, nil
	}
	s = strings.TrimPrefix(s, "tcp://")
	host, port, err := splitHostPort(s)
	switch {
	case err != nil:
		return address{}, addressError(name, err.Error())
	case host == "" || strings.ContainsFunc(host, notOfHosts):
		return address{}, addressError(name, "want host, host:port, [IPv6]:port or the path of a Unix socket")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return address{}, addressError(name, "want a port from 1 to 65535")
	}
	return address{name: name, network: "tcp", target: net.JoinHostPort(host, port), host: host}, nil
}

func notOfHosts(r rune) bool { return r <= ' ' || strings.ContainsRune("\x7f/@[],;?#\\", r) }

func splitHostPort(s string) (host, port string, err error) {
	bracketed := strings.HasPrefix(s, "[")
	switch {
	case bracketed && strings.HasSuffix(s, "]"):
		host, port = s[1:len(s)-1], defaultPort
	case bracketed, strings.Count(s, ":") == 1:
		if host, port, err = net.SplitHostPort(s); err != nil {
			return "", "", errors.New("want host, host:port or [IPv6]:port")
		}
	default:
		host, port = s, defaultPort
	}
	if (bracketed || strings.Contains(host, ":")) && !isIPv6(host) {
		return "", "", errors.New("want an IPv6 address where colons or brackets are")
	}
	return host, port, nil
}

func isIPv6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6()
}

func addressError(name, what string) error {
	return fmt.Errorf("memcached: server %q: %s", name, what)
}
