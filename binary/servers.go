package memcached

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxWeight bounds the memory that a ring takes.
const maxWeight = 1 << 16

// ParseServers reads a list of servers as hosters put it into the environment:
// names as New takes them, separated by commas, semicolons or white space. A
// server may have a weight behind its port, as in "host:11211:3" and
// "host:11211/?3"; weights are for Options.Weights and nil when there are none.
//
//	servers, weights, err := memcached.ParseServers(os.Getenv("MEMCACHED_SERVERS"))
//
// Errors do not repeat what may hold a password.
func ParseServers(list string) (servers []string, weights map[string]int, err error) {
	names := strings.FieldsFunc(list, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' })
	if len(names) == 0 {
		return nil, nil, errNoServers
	}
	for i, name := range names {
		server, weight, ok := cutWeight(strings.TrimPrefix(name, "--SERVER="))
		if ok && (weight < 1 || weight > maxWeight) {
			return nil, nil, addressError(i, len(names), name, fmt.Errorf("want a weight from 1 to %d", maxWeight))
		}
		servers = append(servers, server)
		if ok {
			if weights == nil {
				weights = map[string]int{}
			}
			weights[server] = weight
		}
	}
	_, err = parseAddresses(servers)
	if err != nil {
		return nil, nil, err
	}
	return servers, weights, nil
}

// cutWeight cuts the weight off a server, or returns it as it is. A weight that
// is out of all range is -1.
func cutWeight(name string) (server string, weight int, ok bool) {
	server, digits, ok := strings.Cut(name, "/?")
	if !ok {
		i := strings.LastIndexByte(name, ':')
		if i < 0 {
			return name, 0, false
		}
		server, digits = name[:i], name[i+1:]
		host, port, found := cutPort(server)
		if !found || host == "" || strings.Trim(port, "0123456789") != "" || isIPv6(name) {
			return name, 0, false
		}
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return name, 0, false
	}
	weight, err := strconv.Atoi(digits)
	if err != nil {
		weight = -1
	}
	return server, weight, true
}

// cutPort splits "host:port" and "[IPv6]:port" without looking at the parts.
func cutPort(s string) (host, port string, found bool) {
	s = strings.TrimPrefix(s, "tcp://")
	if strings.HasPrefix(s, "[") {
		host, port, found = strings.Cut(s, "]:")
		return host, port, found
	}
	host, port, found = strings.Cut(s, ":")
	return host, port, found && !strings.Contains(port, ":")
}

var errNoServers = errors.New("memcached: no servers given")

// parseAddresses reads a list of servers.
func parseAddresses(servers []string) ([]address, error) {
	if len(servers) == 0 {
		return nil, errNoServers
	}
	addrs := make([]address, len(servers))
	seen := map[string]bool{}
	for i, s := range servers {
		a, err := parseAddress(s)
		if err == nil && seen[a.target] {
			err = errors.New("given twice")
		}
		if err != nil {
			return nil, addressError(i, len(servers), s, err)
		}
		seen[a.target] = true
		addrs[i] = a
	}
	return addrs, nil
}

// parseWeights checks the weights of Options and returns them by
// address.target. They may belong to servers that come later.
func parseWeights(weights map[string]int) (map[string]int, error) {
	byTarget := make(map[string]int, len(weights))
	for i, name := range slices.Sorted(maps.Keys(weights)) {
		weight := weights[name]
		a, err := parseAddress(name)
		switch {
		case err != nil:
			text := addressError(i, len(weights), name, err).Error()
			return nil, errors.New("memcached: Options.Weights: " + strings.TrimPrefix(text, "memcached: "))
		case weight < 1 || weight > maxWeight:
			return nil, fmt.Errorf("memcached: Options.Weights[%q] is %d: want 1 to %d", name, weight, maxWeight)
		case byTarget[a.target] != 0:
			return nil, fmt.Errorf("memcached: Options.Weights has %q twice, written differently", name)
		}
		byTarget[a.target] = weight
	}
	return byTarget, nil
}
