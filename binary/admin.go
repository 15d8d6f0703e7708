package memcached

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// FlushAll removes everything from all servers, at once or after a delay, which
// is rounded up to whole seconds. The error is a *MultiError by server.
func (c *Client) FlushAll(ctx context.Context, after time.Duration) error {
	if err := checkDuration("delay", after); err != nil {
		return &OpError{Op: "flush_all", Err: err}
	}
	return c.eachServer(ctx, "flush_all", func(ctx context.Context, n *node, l limits) error {
		cl := c.newCall(wire.OpFlush, "")
		cl.expiry, cl.limits, cl.late = expiry(max(after, 0)), l, l.own
		owned, err := c.runTraced(ctx, n, "flush_all", cl)
		if owned {
			cl.free()
		}
		return err
	})
}

// Ping asks every server for an answer. The error is a *MultiError by server.
func (c *Client) Ping(ctx context.Context) error {
	return c.eachServer(ctx, "ping", func(ctx context.Context, n *node, l limits) error {
		cl := c.newCall(wire.OpNoop, "")
		cl.limits, cl.late = l, l.own
		owned, err := c.runTraced(ctx, n, "ping", cl)
		if owned {
			cl.free()
		}
		return err
	})
}

// Versions returns the version of each server, by address as given to New.
// When servers fail, it returns the versions of the others and a *MultiError by
// server.
func (c *Client) Versions(ctx context.Context) (map[string]string, error) {
	var mu sync.Mutex
	versions := map[string]string{}
	err := c.eachServer(ctx, "version", func(ctx context.Context, n *node, l limits) error {
		cl := c.newCall(wire.OpVersion, "")
		cl.limits, cl.late = l, l.own
		owned, err := c.runTraced(ctx, n, "version", cl)
		if err == nil {
			mu.Lock()
			versions[n.addr.name] = cl.result.message
			mu.Unlock()
		}
		if owned {
			cl.free()
		}
		return err
	})
	return versions, err
}

// ServerStats returns the statistics of each server, by address as given to
// New. group is "" for the general statistics, or a group of memcached such as
// "settings", "items" or "slabs". When servers fail, it returns the statistics
// of the others and a *MultiError by server.
func (c *Client) ServerStats(ctx context.Context, group string) (map[string]map[string]string, error) {
	if len(group) > wire.MaxKeyLen {
		return nil, &OpError{Op: "stats", Err: fmt.Errorf("the name of a group has up to %d bytes, not %d", wire.MaxKeyLen, len(group))}
	}
	var mu sync.Mutex
	stats := map[string]map[string]string{}
	err := c.eachServer(ctx, "stats", func(ctx context.Context, n *node, l limits) error {
		b := &statBatch{group: group, values: map[string]string{}}
		cl := c.newCall(wire.OpStat, "")
		cl.batch, cl.limits, cl.late = b, l, l.own
		owned, err := c.runTraced(ctx, n, "stats", cl)
		if owned {
			cl.free()
		}
		if err == nil {
			mu.Lock()
			stats[n.addr.name] = b.values
			mu.Unlock()
		}
		return err
	})
	return stats, err
}

// serverWork is an operation on one server.
type serverWork func(ctx context.Context, n *node, l limits) error

// eachServer runs do for all servers at the same time. When some are removed
// meanwhile it goes on with those that came in their place.
func (c *Client) eachServer(ctx context.Context, name string, do serverWork) error {
	if err := checkContext(ctx); err != nil {
		return &OpError{Op: name, Err: err}
	}
	l := c.limits(ctx)
	if err := l.check(); err != nil {
		return &OpError{Op: name, Err: err}
	}
	l.began = 0 // nothing follows from a slow one
	asked := map[*node]bool{}
	failed := map[string]error{}
	for range maxTopologies {
		var nodes []*node
		for _, n := range c.topology.Load().nodes {
			if !asked[n] {
				asked[n] = true
				nodes = append(nodes, n)
			}
		}
		changed := false
		for i, err := range askAll(ctx, nodes, l, do) {
			switch {
			case errors.Is(err, errRetired):
				changed = true
			case err != nil:
				failed[nodes[i].addr.name] = err
			}
		}
		if !changed {
			break
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return &MultiError{Errors: failed}
}

func askAll(ctx context.Context, nodes []*node, l limits, do serverWork) []error {
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		if i == len(nodes)-1 {
			errs[i] = do(ctx, n, l) // the last one on this goroutine
			break
		}
		wg.Go(func() { errs[i] = do(ctx, n, l) })
	}
	wg.Wait()
	return errs
}
