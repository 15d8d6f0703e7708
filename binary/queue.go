package memcached

import (
	"context"
	"errors"
	"slices"
	"sort"
)

// The queue of a connection holds the calls that were not answered yet, in the
// order of their requests: first inbox.pending, which the reader has taken over,
// then outbox.queue. It is bounded, and callers wait for room: there, or where
// rebalance sends them.

const (
	// maxPending bounds the calls in flight on one connection, maxUnsent the
	// bytes that wait for being written, and maxWaiting the callers that wait
	// for room.
	maxPending = 4096
	maxUnsent  = 4 << 20
	maxWaiting = 1 << 16
)

// alone is the size from which operations, on average, have a connection to
// themselves while they are under way. Otherwise the server would fill the
// buffers of the connection ahead of the reader, with more than the processor
// has a cache for: with 64 callers values of 1 MiB cost a fifth more.
const alone = 512 << 10

// roomFor returns how many calls of that size the queue of a connection takes.
func roomFor(size int) int32 {
	if size < alone {
		return maxPending
	}
	return 1
}

var errQueueFull = unavailable(errors.New("too many operations wait for the server"))

// pending returns, under mu, how many calls were not answered yet.
func (c *conn) pending() int { return int(c.out.enqueued - c.dequeued.Load()) }

// room returns, under mu, how many more calls the queue takes.
func (c *conn) room() int {
	if c.out.unsent > maxUnsent {
		return 0
	}
	pending, most := c.pending(), int(c.node.room.Load())
	if a := c.node.dialing.Load(); a != nil && !a.slow.Load() {
		most = min(most, c.roomGrowing(pending))
	}
	return max(0, most-pending-c.admitted)
}

// hasRoom reports, under mu, whether a call needs not wait. Callers that wait
// come first.
func (c *conn) hasRoom() bool {
	if len(c.waiting) > 0 {
		c.admit()
	}
	return c.err != nil || len(c.waiting) == 0 && c.room() > 0
}

// waitForRoom waits until there is room. It is called under mu, which it holds
// again when it returns nil and has released when it returns an error.
func (c *conn) waitForRoom(ctx context.Context, cl *call) error {
	if len(c.waiting) >= maxWaiting {
		c.mu.Unlock()
		return errQueueFull
	}
	timeout, stop := c.node.client.timer(cl.deadline)
	defer stop()
	c.turns++
	for turn := c.turns; ; {
		if c.isReplaced() {
			c.mu.Unlock()
			return errElsewhere
		}
		c.line(cl, turn)
		c.mu.Unlock()
		var sig signal
		var err error
		select {
		case sig = <-cl.wake:
		case <-ctx.Done():
			err = ctx.Err()
		case <-timeout:
			err = errWaitTimeout
		}
		c.mu.Lock()
		if err != nil {
			c.stopWaiting(cl)
			c.mu.Unlock()
			return err
		}
		if sig == signalElsewhere {
			c.mu.Unlock()
			return errElsewhere
		}
		c.admitted--
		if c.err != nil || c.room() > 0 {
			return nil
		}
		// Who was admitted with it has filled the buffer.
	}
}

// line puts cl among the callers that wait for room, in the order of their turns.
func (c *conn) line(cl *call, turn uint64) {
	cl.turn = turn
	at := len(c.waiting)
	if at > 0 && c.waiting[at-1].turn > turn {
		at = sort.Search(at, func(i int) bool { return c.waiting[i].turn > turn })
	}
	c.waiting = slices.Insert(c.waiting, at, cl)
	c.hasWaiting.Store(true)
}

// stopWaiting takes cl out of the callers that wait for room. If it was admitted
// already the next one gets its place.
func (c *conn) stopWaiting(cl *call) {
	for i, w := range c.waiting {
		if w == cl {
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			c.hasWaiting.Store(len(c.waiting) > 0)
			return
		}
	}
	if sig := <-cl.wake; sig == signalAdmit {
		c.admitted--
		c.admit()
	}
}

// admit wakes as many waiting callers as there is room for, under mu.
func (c *conn) admit() {
	room := c.room()
	if c.err != nil {
		room = len(c.waiting)
	}
	n := min(room, len(c.waiting))
	c.admitted += n
	for _, cl := range c.waiting[:n] {
		cl.wake <- signalAdmit
	}
	clear(c.waiting[:n])
	if c.waiting = c.waiting[n:]; len(c.waiting) == 0 {
		c.waiting = nil
		c.hasWaiting.Store(false)
	}
}

// head returns the call whose response comes next, or nil if none is pending.
func (c *conn) head() *call {
	in := &c.in
	for {
		if in.next == len(in.pending) {
			c.mu.Lock()
			in.pending, c.out.queue = c.out.queue, in.pending[:0]
			c.mu.Unlock()
			if in.next = 0; len(in.pending) == 0 {
				return nil
			}
		}
		cl := in.pending[in.next]
		if cl.state.Load() != callWithdrawn {
			return cl
		}
		c.pop()
		c.drop(cl)
	}
}

// takeOver moves the calls of outbox.queue to inbox.pending and returns them.
func (c *conn) takeOver() []*call {
	in := &c.in
	if in.next > 0 { // the place of calls that were dequeued
		n := copy(in.pending, in.pending[in.next:])
		clear(in.pending[n:])
		in.pending, in.next = in.pending[:n], 0
	}
	n := len(in.pending)
	c.mu.Lock()
	in.pending = append(in.pending, c.out.queue...)
	clear(c.out.queue)
	c.out.queue = c.out.queue[:0]
	c.mu.Unlock()
	return in.pending[n:]
}

// pop dequeues the first call.
func (c *conn) pop() {
	in := &c.in
	c.dequeue(in.pending[in.next])
	in.pending[in.next] = nil
	in.next++
}
