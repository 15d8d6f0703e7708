package memcached

import "context"

// Tracer observes operations, for tracing and metrics. Its methods are called
// once each per operation and server, and must be safe for concurrent use. What
// is refused before a server is chosen, such as a malformed key, is not traced.
type Tracer interface {
	// OpStart is called before the operation. The context that it returns
	// governs the operation; it must derive from ctx. Nil stands for ctx.
	OpStart(ctx context.Context, op Op) context.Context
	// OpEnd is called with the context from OpStart when the operation has
	// ended. err is what the caller gets; but when SetServers removed the
	// server just then err says so, and the operation goes on, traced anew, on
	// the server that its key has now.
	OpEnd(ctx context.Context, op Op, err error)
}

// Op describes one operation to a Tracer.
type Op struct {
	// Name is the operation: "get", "set", "get_multi" and so on.
	Name string
	// Key is the key of an operation on one key.
	Key string
	// Keys is how many keys the operation has: none if it concerns the server.
	// Operations on many keys are several batches, each traced by itself.
	Keys int
	// Server is the server's address as given to New.
	Server string
}

// trace tells the Tracer, if there is one, of the start of an operation, and
// returns how to tell of its end.
func (c *Client) trace(ctx context.Context, op Op) (traced context.Context, end func(error)) {
	tracer := c.opts.Tracer
	if tracer == nil {
		return ctx, func(error) {}
	}
	if traced = tracer.OpStart(ctx, op); traced == nil {
		traced = ctx
	}
	return traced, func(err error) { tracer.OpEnd(traced, op, err) }
}

// runTraced carries out an operation on one server, before the eyes of the
// Tracer if there is one. It returns as runOnServer does.
func (c *Client) runTraced(ctx context.Context, n *node, name string, cl *call) (owned bool, err error) {
	if c.opts.Tracer == nil {
		return c.runOnServer(ctx, n, name, cl)
	}
	op := Op{Name: name, Key: cl.key, Server: n.addr.name}
	if cl.key != "" {
		op.Keys = 1
	}
	ctx, end := c.trace(ctx, op)
	owned, err = c.runOnServer(ctx, n, name, cl)
	end(err)
	return owned, err
}
