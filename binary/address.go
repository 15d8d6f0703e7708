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
// "unix:///path" and "tcp://host:port". The error does not repeat the name.
func parseAddress(name string) (address, error) {
	s := name
	if path, ok := strings.CutPrefix(s, "unix://"); ok {
		s = path
		if !strings.HasPrefix(s, "/") {
			return address{}, errors.New("want an absolute path after unix://")
		}
	}
	if strings.HasPrefix(s, "/") {
		return address{name: name, network: "unix", target: s, host: "localhost"}, nil
	}
	s = strings.TrimPrefix(s, "tcp://")
	host, port, err := splitHostPort(s)
	if err == nil && (host == "" || strings.ContainsFunc(host, notOfHosts)) {
		err = errors.New("want host, host:port, [IPv6]:port or the path of a Unix socket")
	}
	if n, portErr := strconv.ParseUint(port, 10, 16); err == nil && (portErr != nil || n == 0) {
		err = errors.New("want a port from 1 to 65535")
	}
	if err != nil {
		if mistake := nameMistake(s); mistake != "" {
			err = errors.New(mistake)
		}
		return address{}, err
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

// nameMistake says what was probably meant by a name that is no address, or "".
func nameMistake(s string) string {
	_, _, url := strings.Cut(s, "://")
	_, weight, ok := cutWeight(s)
	switch {
	case url:
		return "the only schemes of a server are tcp:// and unix://; ParseURL reads a memcached:// URL"
	case strings.ContainsAny(s, ",; \t\r\n"):
		return "want one server; ParseServers reads a list of them in one string"
	case strings.Contains(s, "@"):
		return "user name and password belong into Options.Auth; ParseURL reads them from a memcached:// URL"
	case ok && weight > 0:
		return "weights belong into Options.Weights; ParseServers reads host:port:weight"
	}
	return ""
}

// addressError names a server that cannot be used, by its place in a list.
func addressError(i, of int, name string, err error) error {
	if mayHoldPassword(name) {
		return fmt.Errorf("memcached: server %d of %d (not shown, it may hold a password): %w", i+1, of, err)
	}
	return fmt.Errorf("memcached: server %q: %w", name, err)
}

// mayHoldPassword reports whether a name that is no address may hold a password,
// as "user:password@host" and "user:password" do.
func mayHoldPassword(name string) bool {
	s := strings.TrimPrefix(strings.TrimPrefix(name, "tcp://"), "unix://")
	if strings.HasPrefix(s, "/") {
		return strings.ContainsFunc(s, notShown)
	}
	if strings.ContainsFunc(s, notShown) || strings.Contains(s, "/") {
		return true
	}
	host, port, found := strings.Cut(s, ":")
	if !found {
		return false
	}
	digits := len(port) <= 5 && strings.Trim(port, "0123456789") == ""
	return !isIPv6(strings.Trim(s, "[]")) && (host == "" || !digits)
}

func notShown(r rune) bool { return r <= ' ' || strings.ContainsRune("\x7f@,;?#=&\\", r) }
