package memcached

import (
	"maps"
	"slices"
)

// BufferBytes returns how many bytes of buffers the connections of c hold, each.
// Nothing may be under way.
func BufferBytes(c *Client) (each []int) {
	for _, n := range c.topology.Load().nodes {
		for _, conn := range *n.conns.Load() {
			conn.mu.Lock()
			each = append(each, cap(conn.out.buf)+cap(conn.out.spare)+cap(conn.in.buf)+cap(conn.in.large.dst))
			conn.mu.Unlock()
		}
	}
	return each
}

// UnsentBytes returns how many bytes wait to be written on the connections of c.
func UnsentBytes(c *Client) (n int) {
	for _, node := range c.topology.Load().nodes {
		for _, conn := range *node.conns.Load() {
			conn.mu.Lock()
			n += conn.out.unsent
			conn.mu.Unlock()
		}
	}
	return n
}

// CallsInFlight returns how many calls use each connection of c, those that wait for
// room among them.
func CallsInFlight(c *Client) (each []int) {
	for _, n := range c.topology.Load().nodes {
		for _, conn := range *n.conns.Load() {
			each = append(each, int(conn.load.Load()))
		}
	}
	return each
}

// WaitingCalls returns how many callers wait for room on the connections of c.
func WaitingCalls(c *Client) (n int) {
	for _, node := range c.topology.Load().nodes {
		for _, conn := range *node.conns.Load() {
			conn.mu.Lock()
			n += len(conn.waiting)
			conn.mu.Unlock()
		}
	}
	return n
}

// FailWriters ends the connections of c as those on which a write does not go on.
func FailWriters(c *Client) {
	for _, n := range c.topology.Load().nodes {
		for _, conn := range *n.conns.Load() {
			conn.fail(unavailable(errWriteTimeout))
		}
	}
}

// EarlierServers returns the addresses of which c remembers writes.
func EarlierServers(c *Client) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.writes))
}
