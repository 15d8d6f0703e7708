package memcached

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// A write is unsettled while it may still be carried out although its caller
// has left: it was sent, or a part of it, and is not answered. A later write of
// the same key that took another connection could be carried out before it, and
// would then be undone. So later writes wait until it is settled: answered, or
// its connection ended (see linger.go).
//
// Reads do not wait. An unsettled write has failed for its caller and may be
// carried out at any time, so that a read may find it or not.

// unsettled is what is unsettled on one server.
type unsettled struct {
	open atomic.Int32 // fates: the one thing that a write looks at when there are none

	mu    sync.Mutex         // guards what follows
	fates map[string][]*fate // by key
}

// unsettledOf returns, under mu, what is unsettled on a server. It outlasts the
// node: a server that SetServers removes may carry out an earlier write after the
// server has come back, perhaps written differently, and got a later one.
func (c *Client) unsettledOf(a address) *unsettled {
	u := c.writes[a.target]
	if u == nil {
		if c.writes == nil {
			c.writes = map[string]*unsettled{}
		}
		u = new(unsettled)
		c.writes[a.target] = u
	}
	return u
}

// forgetWrites drops, under mu, what is known of servers that are gone with
// nothing unsettled on them.
func (c *Client) forgetWrites() {
	used := map[*unsettled]bool{}
	for _, n := range c.topology.Load().nodes {
		used[n.unsettled] = true
	}
	for n := range c.retiring {
		used[n.unsettled] = true
	}
	maps.DeleteFunc(c.writes, func(_ string, u *unsettled) bool { return !used[u] && u.open.Load() == 0 })
}

// allKeys stands for the keys of FlushAll. No key is empty.
const allKeys = ""

// fate is what becomes of one unsettled write. It is immutable but for the
// closing of settled.
type fate struct {
	keys    []string
	settled chan struct{} // closed when the write is settled
}

// add notes a write of keys.
func (u *unsettled) add(keys []string) *fate {
	f := &fate{keys: keys, settled: make(chan struct{})}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.fates == nil {
		u.fates = map[string][]*fate{}
	}
	for _, key := range keys {
		u.fates[key] = append(u.fates[key], f)
	}
	u.open.Add(1)
	return f
}

// settle ends the waiting for f.
func (u *unsettled) settle(f *fate) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, key := range f.keys {
		rest := slices.DeleteFunc(u.fates[key], func(other *fate) bool { return other == f })
		if len(rest) == 0 {
			delete(u.fates, key)
		} else {
			u.fates[key] = rest
		}
	}
	u.open.Add(-1)
	close(f.settled)
}

// before returns an unsettled write that a write of keys has to wait for, or
// nil.
func (u *unsettled) before(keys []string) *fate {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, key := range keys {
		for _, name := range [...]string{key, allKeys} {
			if fates := u.fates[name]; len(fates) > 0 {
				return fates[0]
			}
		}
		if key != allKeys {
			continue
		}
		for _, fates := range u.fates {
			return fates[0]
		}
	}
	return nil
}

// awaitEarlier waits until no write that cl could overtake on another connection is
// unsettled. It costs a look at one number while there is none. The error is a
// *fault, and counted.
func (n *node) awaitEarlier(ctx context.Context, cl *call) error {
	if n.unsettled.open.Load() == 0 || !cl.writes() {
		return nil
	}
	err := n.awaitSettled(ctx, cl)
	if err == nil {
		return nil
	}
	n.counters.errors.Add(1)
	return &fault{cause: err, unsent: true}
}

// awaitSettled is awaitEarlier when writes are unsettled.
func (n *node) awaitSettled(ctx context.Context, cl *call) error {
	keys := cl.keys()
	f := n.unsettled.before(keys)
	if f == nil {
		return nil
	}
	timeout, stop := n.client.timer(cl.deadline)
	defer stop()
	for ; f != nil; f = n.unsettled.before(keys) {
		select {
		case <-f.settled:
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return errEarlierWrite
		}
	}
	return nil
}

// giveUp takes, under mu, the caller of cl away from it, unless the result is
// already there: then left is false. If unsent is true the server certainly does
// not carry the request out.
func (c *conn) giveUp(cl *call) (left, unsent bool) {
	if !cl.writes() {
		return cl.state.CompareAndSwap(callPending, callAbandoned), false
	}
	if c.out.withdraw(cl, func() bool { return cl.state.CompareAndSwap(callPending, callWithdrawn) }) {
		return true, true
	}
	// Before the reader can find the call abandoned.
	f := c.node.unsettled.add(cl.keys())
	cl.fate = f
	if cl.state.CompareAndSwap(callPending, callAbandoned) {
		return true, false
	}
	cl.fate = nil
	c.node.unsettled.settle(f)
	return false, false
}
