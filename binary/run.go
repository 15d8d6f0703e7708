package memcached

import (
	"context"
	"errors"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// maxTopologies is how often an operation follows changes of the servers.
const maxTopologies = 8

// run carries out an operation on one key. It returns the call with its result,
// or an error and no call: then the call is freed already.
func (c *Client) run(ctx context.Context, name string, cl *call) (*call, error) {
	key := cl.key
	if err := checkArguments(ctx, key); err != nil {
		cl.free()
		return nil, &OpError{Op: name, Key: key, Err: err}
	}
	isGet := cl.returnsValue()
	var shard uint32
	var err error
	if cl.deadline == 0 {
		cl.deadline = c.deadline()
	}
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

// count counts a key that was asked for.
func (k *getCounters) count(err error) {
	switch err {
	case nil:
		k.hits.Add(1)
	case ErrCacheMiss:
		k.misses.Add(1)
	default:
		k.failed.Add(1)
	}
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

func checkArguments(ctx context.Context, key string) error {
	if !validKey(key) {
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
	key, repeatable := cl.key, cl.repeatable()
	owned, err = n.doWithRetry(ctx, cl)
	if err != nil {
		return owned, c.faultError(n, name, key, repeatable, err)
	}
	if cl.result.status != wire.StatusOK {
		return true, answer(n, name, cl)
	}
	if stat, ok := cl.batch.(*statBatch); ok && stat.failed != nil {
		return true, &OpError{Op: name, Server: n.addr.name, Err: fmt.Errorf("no statistics %q: %w", stat.group, stat.failed)}
	}
	return true, nil
}

// faultError turns a fault into what the caller gets.
func (c *Client) faultError(n *node, name, key string, repeatable bool, err error) error {
	e := &OpError{Op: name, Key: key, Server: n.addr.name, Err: err}
	var f *fault
	if errors.As(err, &f) {
		e.Err = f.cause
		e.unsafe = !f.unsent && !repeatable
	}
	switch {
	case e.Timeout():
		c.counters.timeouts.Add(1)
	case errors.Is(e.Err, context.Canceled):
		c.counters.cancelled.Add(1)
	}
	return e
}

// answer turns a status into what the caller gets: a bare sentinel for what a
// healthy server may say, an OpError for the rest.
func answer(n *node, name string, cl *call) error {
	switch cl.result.status {
	case wire.StatusKeyNotFound:
		if cl.op == wire.OpReplace {
			return ErrNotStored
		}
		return ErrCacheMiss
	case wire.StatusKeyExists:
		if cl.cas != 0 {
			return ErrCASConflict
		}
		return ErrNotStored
	case wire.StatusNotStored:
		return ErrNotStored
	}
	return &OpError{Op: name, Key: cl.key, Server: n.addr.name, Err: statusError(cl.op, cl.result.status, cl.result.message)}
}

func statusError(op wire.Opcode, status wire.Status, message string) error {
	err := &StatusError{Status: Status(status), Message: message}
	if op == wire.OpFlush && status == wire.StatusAuthError {
		// Not a question of credentials, and not to be taken for one.
		err.refused = true
		return fmt.Errorf("the server refuses to flush (memcached -F): %w", err)
	}
	return err
}

func tooLarge(size, limit int) error {
	return fmt.Errorf("%w: %d bytes where %d fit; nothing was sent (see Options.MaxItemSize)", ErrTooLarge, size, limit)
}
