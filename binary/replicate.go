package memcached

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// runReplicated carries out an operation of a client whose servers all hold
// every key. It returns as run does.
func (c *Client) runReplicated(ctx context.Context, name string, cl *call) (*call, error) {
	defer cl.free() // the servers get copies
	for range maxTopologies {
		nodes := c.topology.Load().nodes
		do := c.writeReplicated
		if cl.op == wire.OpGet {
			do = c.readReplicated
		}
		result, err := do(ctx, name, cl, nodes)
		if !errors.Is(err, errRetired) {
			return result, err
		}
	}
	return nil, &OpError{Op: name, Key: cl.key, Err: unavailable(errRetired)}
}

// readReplicated asks the servers in their order until one has the key. A miss
// is the answer if any server gave it, and errRetired if one was removed that
// might have had the key.
func (c *Client) readReplicated(ctx context.Context, name string, cl *call, nodes []*node) (*call, error) {
	errs := make([]error, 0, len(nodes))
	for i, n := range nodes {
		cp := c.copyCall(cl)
		cp.deadline, cp.late = c.deadlineInTurn(ctx, cl.deadline, len(nodes)-i), true
		owned, err := c.runTraced(ctx, n, name, cp)
		if err == nil {
			return cp, nil
		}
		if owned {
			cp.free()
		}
		if errs = append(errs, err); errors.Is(err, errRetired) || ctx.Err() != nil {
			return nil, err
		}
	}
	return nil, mostTelling(errs)
}

// writeReplicated sends the operation to all servers. It succeeds when it does
// on any; the result is that of the first server in order which succeeded.
func (c *Client) writeReplicated(ctx context.Context, name string, cl *call, nodes []*node) (*call, error) {
	copies := make([]*call, len(nodes))
	errs := make([]error, len(nodes))
	for i := range nodes {
		copies[i] = c.copyCall(cl)
	}
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			var owned bool
			if owned, errs[i] = c.runTraced(ctx, n, name, copies[i]); errs[i] != nil {
				if owned {
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

// mostTelling prefers the answer of a healthy server to a fault, and that to
// the removal of a server.
func mostTelling(errs []error) error {
	var best error
	rank := -1
	for _, err := range errs {
		r := 1
		switch {
		case !errors.As(err, new(*OpError)):
			return err
		case errors.Is(err, errRetired):
			r = 0
		case errors.As(err, new(*StatusError)):
			r = 2
		}
		if r > rank {
			best, rank = err, r
		}
	}
	return best
}

// copyCall returns a call for the same request.
func (c *Client) copyCall(cl *call) *call {
	cp := c.newCall(cl.op, cl.key)
	cp.request, cp.into, cp.fill, cp.limits, cp.late = cl.request, cl.into, cl.fill, cl.limits, cl.late
	return cp
}

// writeReplicas does work on all servers for the given keys. A key fails if it
// does on each.
func (m *multi) writeReplicas(which []int, work partWork) {
	nodes := m.client.topology.Load().nodes
	parts := make([]*multi, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		parts[i] = m.part()
		wg.Go(func() { work(parts[i], n, which) })
	}
	wg.Wait()
	errs := map[int][]error{}
	for _, p := range parts {
		p.eachError(func(i int, err error) { errs[i] = append(errs[i], err) })
	}
	for i, of := range errs {
		if len(of) == len(parts) {
			m.fail(i, mostTelling(of))
		}
	}
}

// readReplicas asks the servers in their order for what is not in items yet. A
// key fails if no server answered.
func (m *multi) readReplicas(which []int, items map[string]*Item, work partWork) {
	nodes := m.client.topology.Load().nodes
	errs := map[int][]error{}
	for s, n := range nodes {
		if len(which) == 0 {
			return
		}
		p := m.part()
		p.limits.deadline = m.client.deadlineInTurn(m.ctx, m.limits.deadline, len(nodes)-s)
		work(p, n, which)
		p.eachError(func(i int, err error) { errs[i] = append(errs[i], err) })
		var rest []int
		for _, i := range which {
			if items[m.key(i)] == nil {
				rest = append(rest, i)
			}
		}
		which = rest
	}
	for _, i := range which {
		of := errs[i]
		switch retired := slices.IndexFunc(of, isRetired); {
		case retired >= 0:
			m.fail(i, of[retired])
		case len(of) == len(nodes):
			m.fail(i, mostTelling(of))
			m.client.gets[0].failed.Add(1)
		default:
			m.client.gets[0].misses.Add(1)
		}
	}
}

// part returns an operation like m with failures of its own.
func (m *multi) part() *multi {
	return &multi{
		client: m.client, ctx: m.ctx, name: m.name, limits: m.limits,
		key: m.key, items: m.items, replica: true,
	}
}

// eachError calls f for the keys that failed and those whose server was removed.
func (m *multi) eachError(f func(i int, err error)) {
	for i, err := range m.failed {
		f(i, err)
	}
	for _, i := range m.moved {
		f(i, &OpError{Op: m.name, Key: m.key(i), Err: errRetired})
	}
}
