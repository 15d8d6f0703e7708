package memcached

import (
	"context"
	"errors"
)

// The queue of a connection holds the calls that were not answered yet, in the
// order of their requests: first inbox.pending, which the reader has taken over,
// then outbox.queue. It is bounded, and callers wait for room.

const (
	// maxPending bounds the calls in flight on one connection, maxUnsent the
	// bytes that wait for being written, and maxWaiting the callers that wait
	// for room.
	maxPending = 4096
	maxUnsent  = 4 << 20
	maxWaiting = 1 << 16
)

var errQueueFull = unavailable(errors.New("too many operations wait for the server"))

// pending returns, under mu, how many calls were not answered yet.
func (c *conn) pending() int { return int(c.out.enqueued - c.dequeued.Load()) }

// full reports under mu whether the bounds of the queue are reached.
func (c *conn) full() bool {
	return c.out.unsent > maxUnsent || c.pending() >= maxPending
}

// waitForRoom waits until there may be room. It is called under mu, which it
// holds again when it returns nil and has released when it returns an error.
func (c *conn) waitForRoom(ctx context.Context, cl *call) error {
	if len(c.waiting) >= maxWaiting {
		c.mu.Unlock()
		return errQueueFull
	}
	c.waiting = append(c.waiting, cl)
	c.hasWaiting.Store(true)
	c.mu.Unlock()

	timeout, stop := c.node.client.timer(cl.deadline)
	defer stop()
	var err error
	select {
	case <-cl.wake:
		c.mu.Lock()
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout:
		err = errWaitTimeout
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopWaiting(cl)
	return err
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
	<-cl.wake
	c.admit()
}

// admit wakes as many waiting callers as there is room for, under mu.
func (c *conn) admit() {
	room := maxPending - c.pending()
	if c.err != nil {
		room = len(c.waiting)
	} else if c.out.unsent > maxUnsent {
		room = 0
	}
	n := min(max(room, 0), len(c.waiting))
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
