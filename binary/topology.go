package binary

import (
	"errors"
	"fmt"
)

// topology is the set of servers at one time. It does not change.
type topology struct {
	nodes []*node // all, in the order given
	live  []*node // those that hold keys: all but the ejected
	pick  func(key string) int
}

// errRetired ends operations that meet a server which SetServers removed; they
// are repeated on the new set.
var errRetired = errors.New("memcached: server was removed")

// node returns the server of a key.
func (t *topology) node(key string) (*node, error) {
	if len(t.live) == 1 {
		return t.live[0], nil
	}
	i := t.pick(key)
	if i < 0 || i >= len(t.live) {
		return nil, fmt.Errorf("memcached: Options.Distribution picked server %d of %d", i, len(t.live))
	}
	return t.live[i], nil
}

// newTopology builds the distribution over the nodes that are not ejected, or
// over all if every one is.
func (c *Client) newTopology(nodes []*node) *topology {
	var live []*node
	for _, n := range nodes {
		if !n.isEjected() {
			live = append(live, n)
		}
	}
	if len(live) == 0 {
		live = nodes
	}
	servers := make([]Server, len(live))
	for i, n := range live {
		servers[i] = Server{Addr: n.addr.target, Weight: max(1, c.opts.Weights[n.addr.name])}
	}
	return &topology{nodes: nodes, live: live, pick: c.opts.Distribution(servers)}
}

// rebuild replaces the topology after a server was ejected or came back.
func (c *Client) rebuild() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.topology.Store(c.newTopology(c.topology.Load().nodes))
}

// SetServers replaces the servers. Servers that stay keep their connections;
// operations in flight on the others finish, and then their connections close.
// The list has the syntax of New.
func (c *Client) SetServers(servers []string) error {
	addrs, err := parseServers(servers)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	old := map[string]*node{}
	for _, n := range c.topology.Load().nodes {
		old[n.addr.name] = n
	}
	nodes := make([]*node, len(addrs))
	for i, a := range addrs {
		if nodes[i] = old[a.name]; nodes[i] == nil {
			nodes[i] = newNode(c, a)
		}
		delete(old, a.name)
	}
	c.topology.Store(c.newTopology(nodes))
	for _, n := range old {
		n.retire()
	}
	return nil
}

// parseServers reads a list of servers.
func parseServers(servers []string) ([]address, error) {
	if len(servers) == 0 {
		return nil, errors.New("memcached: no servers given")
	}
	addrs := make([]address, len(servers))
	seen := map[string]bool{}
	for i, s := range servers {
		a, err := parseAddress(s)
		if err != nil {
			return nil, err
		}
		if seen[a.target] {
			return nil, addressError(s, "given twice")
		}
		seen[a.target] = true
		addrs[i] = a
	}
	return addrs, nil
}
