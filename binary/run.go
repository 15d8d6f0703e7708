package memcached

import (
	"context"
	"errors"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// What an operation passes through, each step for one thing:
//
//	Client.run             checks, the deadline, and hits and misses
//	Client.runPlaced       the server of the key, again when it is removed
//	Client.runReplicated   or all servers (replicate.go)
//	Client.runTraced       the Tracer (trace.go)
//	Client.runOnServer     the caller's error (outcome.go)
//	node.doWithRetry       a connection, and a second attempt (retry.go)
//	conn.roundTrip         the request out and the response in (conn.go)
//
// An operation on many keys (multi.go) spreads them over the servers by itself
// and goes on with doWithRetry; one on all servers (admin.go) with runTraced.

// maxTopologies is how often an operation follows changes of the servers.
const maxTopologies = 8

// run carries out an operation on one key. It returns the call with its result,
// or an error and no call: then the call is freed already.
func (c *Client) run(ctx context.Context, name string, cl *call) (*call, error) {
	key := cl.key
	if err := c.checkArguments(ctx, key); err != nil {
		cl.free()
		return nil, &OpError{Op: name, Key: key, Err: err}
	}
	isGet := cl.returnsValue()
	var shard uint32
	var err error
	if cl.deadline == 0 {
		cl.limits = c.limits(ctx)
	}
	if err := cl.check(); err != nil {
		cl.free()
		return nil, &OpError{Op: name, Key: key, Err: err}
	}
	cl.late = cl.own
	if c.opts.Replicate {
		cl, err = c.runReplicated(ctx, name, cl)
	} else {
		cl, err = c.runPlaced(ctx, name, cl)
	}
	if isGet {
		if cl != nil {
			shard = cl.shard
		}
		c.gets[shard].count(err)
	}
	return cl, err
}

// runPlaced carries out an operation on the server of its key. It returns as run
// does.
func (c *Client) runPlaced(ctx context.Context, name string, cl *call) (*call, error) {
	key := cl.key
	for range maxTopologies {
		n, err := c.topology.Load().node(key)
		if err != nil {
			cl.free()
			return nil, &OpError{Op: name, Key: key, Err: err}
		}
		var owned bool
		owned, err = c.runTraced(ctx, n, name, cl)
		if err == nil {
			return cl, nil
		}
		if owned && errors.Is(err, errRetired) {
			cl.reset()
			continue
		}
		if owned {
			cl.free()
		}
		return nil, err
	}
	cl.free()
	return nil, &OpError{Op: name, Key: key, Err: unavailable(errRetired)}
}

func (c *Client) checkArguments(ctx context.Context, key string) error {
	if !validKey(key) || len(c.opts.Prefix)+len(key) > wire.MaxKeyLen {
		return ErrMalformedKey
	}
	return checkContext(ctx)
}

func checkContext(ctx context.Context) error {
	if ctx == nil {
		return errNilContext
	}
	return ctx.Err()
}

// usable says why no operation can be carried out, if it is so.
func (c *Client) usable(ctx context.Context) error {
	select {
	case <-c.done:
		return ErrClosed
	default:
		return checkContext(ctx)
	}
}

// runOnServer carries out an operation on one server and turns what came of it
// into the caller's error. If owned is false the call is gone.
func (c *Client) runOnServer(ctx context.Context, n *node, name string, cl *call) (owned bool, err error) {
	key, repeatable := cl.key, !cl.writes()
	owned, err = n.doWithRetry(ctx, cl)
	if err != nil {
		return owned, c.faultError(n, name, key, repeatable, err)
	}
	if cl.op == wire.OpNoop && cl.result.status == wire.StatusUnknownCommand {
		return true, nil // an answer is all that is asked for
	}
	if cl.result.status != wire.StatusOK {
		return true, answer(n, name, cl)
	}
	if size := cl.result.skipped; size > 0 {
		n.counters.errors.Add(1)
		return true, &OpError{Op: name, Key: key, Server: n.addr.name, Err: notRead(size, c.maxFrame)}
	}
	if stat, ok := cl.batch.(*statBatch); ok && stat.failed != nil {
		return true, &OpError{Op: name, Server: n.addr.name, Err: fmt.Errorf("no statistics %q: %w", stat.group, stat.failed)}
	}
	return true, nil
}
