package binary

import (
	"context"
	"errors"
	"sync"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// runReplicated carries out an operation of a client whose servers all hold
// every key. It returns as run does.
func (c *Client) runReplicated(ctx context.Context, name string, cl *call) (*call, error) {
	cl.deadline = c.deadline()
	nodes := c.topology.Load().nodes
	if cl.op == wire.OpGet {
		return c.readReplicated(ctx, name, cl, nodes)
	}
	return c.writeReplicated(ctx, name, cl, nodes)
}

// readReplicated asks the servers in their order until one has the key. A miss
// is the answer if any server gave it.
func (c *Client) readReplicated(ctx context.Context, name string, cl *call, nodes []*node) (*call, error) {
	template := c.copyCall(cl)
	var first error
	for i, n := range nodes {
		if i > 0 {
			cl = c.copyCall(template)
		}
		mine, err := c.runOn(ctx, n, name, cl)
		if err == nil {
			template.free()
			return cl, nil
		}
		if mine {
			cl.free()
		}
		if err == ErrCacheMiss || first == nil {
			first = err
		}
	}
	template.free()
	return nil, first
}

// writeReplicated sends the operation to all servers. It succeeds when it does
// on any; the result is that of the first server in order which succeeded.
func (c *Client) writeReplicated(ctx context.Context, name string, cl *call, nodes []*node) (*call, error) {
	copies := make([]*call, len(nodes))
	errs := make([]error, len(nodes))
	for i := range nodes {
		copies[i] = c.copyCall(cl)
	}
	cl.free()
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			var mine bool
			if mine, errs[i] = c.runOn(ctx, n, name, copies[i]); errs[i] != nil {
				if mine {
					copies[i].free()
				}
				copies[i] = nil
			}
		})
	}
	wg.Wait()
	var result *call
	for _, cp := range copies {
		switch {
		case cp == nil:
		case result == nil:
			result = cp
		default:
			cp.free()
		}
	}
	if result != nil {
		return result, nil
	}
	return nil, mostTelling(errs)
}

// mostTelling prefers the answer of a healthy server to a fault.
func mostTelling(errs []error) error {
	for _, err := range errs {
		if !errors.As(err, new(*OpError)) {
			return err
		}
	}
	return errs[0]
}

// copyCall returns a call for the same request.
func (c *Client) copyCall(cl *call) *call {
	cp := c.newCall(cl.op, cl.key)
	cp.request, cp.into, cp.fill, cp.deadline = cl.request, cl.into, cl.fill, cl.deadline
	return cp
}

// writeReplicas does work on all servers. A key fails if it does on each.
func (m *multi) writeReplicas(count int, work partWork) {
	which := m.valid(count)
	if len(which) == 0 {
		return
	}
	nodes := m.client.topology.Load().nodes
	parts := make([]*multi, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		parts[i] = m.part()
		wg.Go(func() { work(parts[i], n, which) })
	}
	wg.Wait()
	for i, err := range parts[0].failed {
		for _, p := range parts[1:] {
			if p.failed[i] == nil {
				err = nil
			}
		}
		if err != nil {
			m.fail(i, err)
		}
	}
}

// readReplicas asks the servers in their order for what is not in items yet. A
// key fails if no server answered.
func (m *multi) readReplicas(count int, items map[string]*Item, work partWork) {
	which := m.valid(count)
	answered := make(map[int]bool, count)
	var last *multi
	for _, n := range m.client.topology.Load().nodes {
		if len(which) == 0 {
			return
		}
		last = m.part()
		work(last, n, which)
		var rest []int
		for _, i := range which {
			if last.failed[i] == nil {
				answered[i] = true
			}
			if items[m.key(i)] == nil {
				rest = append(rest, i)
			}
		}
		which = rest
	}
	for _, i := range which {
		if !answered[i] {
			m.fail(i, last.failed[i])
		}
	}
}

// part returns an operation like m with failures of its own.
func (m *multi) part() *multi {
	return &multi{client: m.client, ctx: m.ctx, name: m.name, deadline: m.deadline, key: m.key}
}
