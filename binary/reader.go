package memcached

import (
	"context"
	"errors"
	"os"
)

// The reader reads for all who wait on a connection. It is one of the callers,
// or a goroutine when responses are pending that nobody waits for (drain):
//
//	fill      reads bytes into the inbox                        inbox.go
//	dispatch  takes frames from it, matches each to the call
//	          that its opaque belongs to, and completes it      match.go
//	expire    ends calls whose time is over                     deadline.go
//	passOn    makes another caller the reader, or nobody        here

// read reads responses and completes their calls until that of own is in, then
// passes the role on. It returns as roundTrip does.
func (c *conn) read(ctx context.Context, own *call) (owned bool, err error) {
	client := c.node.client
	done := ctx.Done()
	until := own.deadline
	limit := noDeadline
	if t, ok := ctx.Deadline(); ok {
		limit = client.since(t)
		until = min(until, limit)
	}
	now := client.now()
	quick := now + int64(quickAnswer)
	var stopWatching func() bool
	defer func() {
		if stopWatching != nil {
			stopWatching()
		}
	}()
	for {
		if err := c.dispatch(own); err != nil {
			return c.breakOff(own, err)
		}
		if own.state.Load() == callDone {
			c.handOver()
			return true, own.err
		}
		wait := min(until, c.nextDeadline())
		if done != nil && stopWatching == nil {
			wait = min(wait, quick)
		}
		c.armRead(now, wait)
		if c.lingers.Load() {
			return c.breakOff(own, errTimeout) // the cause is known already
		}
		if stopWatching == nil || ctx.Err() == nil {
			err = c.fill(own.shared && c.few.Load())
		} else {
			err = os.ErrDeadlineExceeded
		}
		now = client.now()
		switch {
		case err == nil:
			c.noteRead(now)
			continue
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return c.breakOff(own, unavailable(err))
		case done != nil && ctx.Err() != nil:
			return c.quit(own, ctx.Err())
		case now >= limit:
			return c.quit(own, context.DeadlineExceeded)
		}
		c.in.armed = 0
		if err := c.expire(now, own); err != nil {
			return c.breakOff(own, err)
		}
		if done != nil && stopWatching == nil && now >= quick {
			stopWatching = context.AfterFunc(ctx, c.interruptRead)
		}
	}
}

// noteRead notes that something was read.
func (c *conn) noteRead(now int64) {
	c.lastRead.Store(now)
	if c.suspected.Load() {
		c.node.trust(c)
	}
}

// quit ends the turn of a reader whose context ended before its response came.
func (c *conn) quit(own *call, cause error) (owned bool, err error) {
	c.in.armed = 0
	if c.in.large.call == own && own.fill {
		c.in.large.dst = nil // it is the caller's
	}
	began := own.began
	c.mu.Lock()
	_, unsent := c.giveUp(own) // the result is not there: nobody else reads
	c.mu.Unlock()
	if now := c.node.client.now(); now >= c.silentAt() && !c.isExtended(now) {
		c.breakOff(nil, errTimeout) // before the caller comes back with another operation
	} else {
		c.handOver()
		c.doubt(began, cause)
	}
	return false, &fault{cause: cause, unsent: unsent}
}

// breakOff ends the turn of a reader by ending the connection.
func (c *conn) breakOff(own *call, cause error) (owned bool, err error) {
	c.mu.Lock()
	c.failLocked(cause)
	c.failPending(own)
	if own == nil {
		return false, nil
	}
	return true, own.err
}

// handOver ends the turn of a reader. If responses are pending and nobody waits for
// them, a goroutine reads them, so that the connection is clean for the next.
func (c *conn) handOver() {
	c.mu.Lock()
	passed, unshared := c.passOn()
	broken := c.err != nil
	switch {
	case passed || broken:
	case c.cause != nil:
		c.reading = false // who ends the connection takes the role
	default:
		c.node.client.goroutines.Go(c.drain) // under mu, so that Close waits for it
	}
	c.mu.Unlock()
	if unshared {
		c.node.leave()
	}
	if broken {
		c.failPending(nil)
	}
}

// passOn gives, under mu, the role of the reader to a waiting caller, or to
// nobody if no response is pending or the caller who writes at the moment will take
// it. It returns false if none of that is so, or the connection broke; the role
// then stays. For unshared see unshare.
func (c *conn) passOn() (passed, unshared bool) {
	if c.err != nil {
		return false, false
	}
	if c.hasWaiting.Load() {
		c.admit()
	}
	pending := false
	for _, calls := range [...][]*call{c.in.pending[c.in.next:], c.out.queue} {
		for _, cl := range calls {
			pending = true
			if cl.state.Load() != callPending {
				continue
			}
			if cl.parked {
				cl.parked, cl.promoted = false, true
				cl.wake <- signalRead
			} else {
				c.reading = false // its caller writes, and will read
			}
			return true, false
		}
	}
	if pending {
		return false, false
	}
	c.reading = false
	return true, c.unshare()
}

// drain reads responses that nobody waits for, until none is pending or a caller
// can take over.
func (c *conn) drain() {
	client := c.node.client
	for {
		if err := c.dispatch(nil); err != nil {
			c.breakOff(nil, err)
			return
		}
		now := client.now()
		limit := c.silentAt()
		if head := c.head(); head != nil && head.state.Load() == callAbandoned && now >= limit {
			c.breakOff(nil, errTimeout)
			return
		}
		c.mu.Lock()
		passed, unshared := c.passOn()
		c.out.deadline = max(c.out.deadline, limit) // who comes with less time looks for itself
		c.mu.Unlock()
		if unshared {
			c.node.leave()
		}
		if passed {
			return
		}
		c.armRead(now, limit)
		if c.lingers.Load() {
			c.breakOff(nil, errTimeout)
			return
		}
		switch err := c.fill(false); {
		case err == nil:
			c.noteRead(client.now())
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.in.armed = 0
		default:
			c.breakOff(nil, unavailable(err))
			return
		}
	}
}
