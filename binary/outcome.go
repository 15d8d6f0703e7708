package memcached

import (
	"context"
	"errors"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

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
		switch cl.op {
		case wire.OpReplace, wire.OpAppend, wire.OpPrepend: // yrmcds says so to the latter two
			return ErrNotStored
		default:
			return ErrCacheMiss
		}
	case wire.StatusKeyExists:
		if cl.cas != 0 {
			return ErrCASConflict
		}
		return ErrNotStored
	case wire.StatusNotStored:
		return ErrNotStored
	}
	n.counters.errors.Add(1)
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
