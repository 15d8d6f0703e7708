package memcached

import (
	"context"
	"errors"
)

// doWithRetry sends the call on one of the connections, and a second time on a
// fresh one if that is safe. It returns as conn.roundTrip does. A call that a
// removed server turns away is counted where it goes instead.
func (n *node) doWithRetry(ctx context.Context, cl *call) (owned bool, err error) {
	if err := n.awaitEarlier(ctx, cl); err != nil {
		n.counters.ops.Add(1)
		return true, err
	}
	if c := n.lane(cl); c != nil {
		repeatable := !cl.writes()
		if owned, err = c.roundTrip(ctx, cl, true); err == nil {
			n.heard(c, cl)
			return true, nil
		}
		if isRetired(err) {
			return owned, err
		}
		if errors.Is(err, errElsewhere) {
			cl.reset()
			return n.doUnshared(ctx, cl, false)
		}
		if !owned || !again(ctx, err, repeatable) {
			n.counters.errors.Add(1)
			return owned, err
		}
		n.client.counters.retries.Add(1)
		cl.reset()
		return n.doUnshared(ctx, cl, true)
	}
	return n.doUnshared(ctx, cl, false)
}

// doUnshared is doWithRetry for a call that shares no lane: it is counted in
// inFlight and in the load of its connection. If fresh is set it is the second
// attempt. One that finds only that its connection has left is none: several
// operations get the same new connection, and the first may make it leave. Nor is
// it one to be told, while waiting for room, that another connection has some.
func (n *node) doUnshared(ctx context.Context, cl *call, fresh bool) (owned bool, err error) {
	if !n.enter() {
		return true, &fault{cause: errRetired, unsent: true}
	}
	defer n.leave()
	if !fresh {
		n.counters.ops.Add(1)
	}
	repeatable := !cl.writes()
	var tried *conn
	for {
		// A write on a connection that it has left may have been abandoned meanwhile.
		if err := n.awaitEarlier(ctx, cl); err != nil {
			return true, err
		}
		c, crowd, err := n.pick(ctx, cl, fresh, tried)
		if err != nil {
			n.counters.errors.Add(1)
			return true, err
		}
		owned, err := c.roundTrip(ctx, cl, crowd)
		if owned {
			c.load.Add(-1)
		}
		if err == nil {
			n.heard(c, cl)
			return true, nil
		}
		if errors.Is(err, errElsewhere) {
			tried = c
			continue
		}
		if !owned || fresh && !errors.Is(err, errLeft) || !again(ctx, err, repeatable) {
			n.counters.errors.Add(1)
			return owned, err
		}
		n.client.counters.retries.Add(1)
		cl.reset()
		fresh, tried = true, nil
	}
}

// again reports whether a call that failed may be sent a second time. A write of
// which something was sent may not: the first copy may still be on its way, and
// be carried out after the second and after later writes of the key. That the
// connection ended proves nothing, as who ended it may be a proxy.
func again(ctx context.Context, err error, repeatable bool) bool {
	var f *fault
	return errors.As(err, &f) && f.lost && (f.unsent || repeatable) && ctx.Err() == nil
}
