package memcached

import (
	"errors"
	"fmt"
)

// topology is the set of servers at one time. It does not change.
type topology struct {
	nodes []*node // all, in the order given
	live  []*node // those that hold keys: all but the ejected
	pick  func(key string) int
	// prefix is Options.Prefix, which is a part of the keys that pick takes.
	prefix string
}

// errRetired ends operations that meet a server which SetServers removed; they
// are repeated on the new set.
var errRetired = errors.New("memcached: server was removed")

func isRetired(err error) bool { return errors.Is(err, errRetired) }

// node returns the server of a key.
func (t *topology) node(key string) (*node, error) {
	if len(t.live) == 1 {
		return t.live[0], nil
	}
	if t.pick == nil {
		return nil, errors.New("memcached: Options.Distribution returned nil")
	}
	i := t.pick(t.prefix + key)
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
		servers[i] = Server{Addr: n.addr.target, Weight: max(1, c.weights[n.addr.target])}
	}
	return &topology{nodes: nodes, live: live, pick: c.opts.Distribution(servers), prefix: c.opts.Prefix}
}

// rebuild replaces the topology after a server was ejected or came back.
func (c *Client) rebuild() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.topology.Store(c.newTopology(c.topology.Load().nodes))
}

// SetServers replaces the servers. The list has the syntax of New. Servers that
// are in both lists keep their connections. Connections to removed servers close
// when the operations under way on them have ended.
func (c *Client) SetServers(servers []string) error {
	addrs, err := parseAddresses(servers)
	if err != nil {
		return err
	}
	removed, err := c.replaceServers(addrs)
	for _, n := range removed {
		n.retire()
	}
	return err
}

// replaceServers changes the topology and returns the nodes that are not part
// of it any more.
func (c *Client) replaceServers(addrs []address) (removed []*node, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
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
		c.retiring[n] = true
		removed = append(removed, n)
	}
	c.forgetWrites()
	return removed, nil
}

// forget drops a removed node whose operations have ended, and keeps its numbers
// for Stats.
func (c *Client) forget(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.retiring[n] {
		return
	}
	delete(c.retiring, n)
	s := n.stats()
	c.removed.Ops += s.Ops
	c.removed.Errors += s.Errors
}
