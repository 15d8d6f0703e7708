package binary

import (
	"fmt"
	"net"
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
	case host == "" || strings.ContainsAny(host, " \t\r\n/@"):
		return address{}, addressError(name, "want host, host:port, [IPv6]:port or the path of a Unix socket")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return address{}, addressError(name, "want a port from 1 to 65535")
	}
	return address{name: name, network: "tcp", target: net.JoinHostPort(host, port), host: host}, nil
}

func splitHostPort(s string) (host, port string, err error) {
	switch {
	case strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]"):
		return s[1 : len(s)-1], defaultPort, nil
	case strings.HasPrefix(s, "["), strings.Count(s, ":") == 1:
		return net.SplitHostPort(s)
	case strings.Count(s, ":") > 1 && net.ParseIP(strings.Split(s, "%")[0]) == nil:
		return "", "", fmt.Errorf("too many colons")
	default:
		return s, defaultPort, nil
	}
}

func addressError(name, what string) error {
	return fmt.Errorf("memcached: server %q: %s", name, what)
}
