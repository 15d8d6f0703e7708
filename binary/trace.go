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
