package memcached

import (
	"context"
	"errors"
	"os"
	"time"
)

const (
	// quickAnswer is how long a reader waits before it takes the trouble to
	// watch its context: a healthy server has answered by then.
	quickAnswer = 2 * time.Millisecond
	// defaultSilence is how long responses that nobody waits for may be due
	// when Options.Timeout sets no limit.
	defaultSilence = 10 * time.Second
)

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
		if stopWatching == nil || ctx.Err() == nil {
			err = c.fill()
		} else {
			err = os.ErrDeadlineExceeded
		}
		now = client.now()
		switch {
		case err == nil:
			c.lastRead.Store(now)
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

// armRead makes a read that blocks return at wait, or earlier: the deadline in
// force is kept if it serves, so that it is set rarely.
func (c *conn) armRead(now, wait int64) {
	if armed := c.in.armed; armed > now && armed <= wait {
		return
	}
	c.in.armed = wait
	if wait == noDeadline {
		_ = c.nc.SetReadDeadline(time.Time{})
		return
	}
	_ = c.nc.SetReadDeadline(c.node.client.at(wait))
}

// interruptRead makes a read return at once. It does no harm when the reader
// has changed meanwhile: every reader looks why its read ended.
func (c *conn) interruptRead() { _ = c.nc.SetReadDeadline(longAgo) }

// quit ends the turn of a reader whose context ended before its response came.
func (c *conn) quit(own *call, cause error) (owned bool, err error) {
	c.in.armed = 0
	if c.in.large.call == own && own.fill {
		c.in.large.dst = nil // it is the caller's
	}
	own.state.Store(callAbandoned)
	c.handOver()
	return false, &fault{cause: cause}
}

// breakOff ends the turn of a reader by ending the connection.
func (c *conn) breakOff(own *call, cause error) (owned bool, err error) {
	c.fail(cause)
	c.failPending(own)
	if own == nil {
		return false, nil
	}
	return true, own.err
}

// nextDeadline returns when the time of a call in the line is over next.
func (c *conn) nextDeadline() int64 {
	for _, cl := range c.in.pending[c.in.next:] {
		if cl.deadline != noDeadline {
			return cl.deadline
		}
	}
	for _, cl := range c.takeOver() {
		if cl.deadline != noDeadline {
			return cl.deadline
		}
	}
	return noDeadline
}

// expire ends the calls whose time is over. When nothing came since the first
// of them was sent the server is silent, and the error says so: the connection
// is of no use any more.
func (c *conn) expire(now int64, own *call) error {
	timeout := int64(c.node.client.opts.Timeout)
	c.takeOver()
	for i := c.in.next; i < len(c.in.pending); i++ {
		cl := c.in.pending[i]
		switch {
		case cl.deadline > now:
			continue
		case max(c.lastRead.Load(), c.pendingSince.Load()) <= cl.deadline-timeout:
			return errTimeout
		case !cl.state.CompareAndSwap(callPending, callClaimed):
			cl.deadline = noDeadline // left: nobody waits
			continue
		}
		c.in.pending[i] = c.standIn(cl)
		cl.err = &fault{cause: errTimeout}
		c.complete(cl, own)
	}
	return nil
}

// standIn returns a call that takes the place of cl in the line, for its
// response to be dropped.
func (c *conn) standIn(cl *call) *call {
	s := c.node.client.newCall(cl.op, "")
	s.batch, s.span, s.opaque, s.size, s.start = cl.batch, cl.span, cl.opaque, cl.size, cl.start
	s.deadline = noDeadline
	s.shared = cl.shared
	s.state.Store(callAbandoned)
	if c.in.large.call == cl {
		c.in.large.call, c.in.large.dst = s, nil
	}
	if !s.shared {
		c.load.Add(1)
	}
	return s
}

// handOver ends the turn of a reader. If responses are due and nobody waits for
// them, a goroutine reads them, so that the connection is clean for the next.
func (c *conn) handOver() {
	c.mu.Lock()
	passed, unshared := c.passOn()
	if !passed && c.err == nil {
		c.node.client.goroutines.Go(c.drain) // under mu, so that Close waits for it
	}
	broken := c.err != nil
	c.mu.Unlock()
	if unshared {
		c.node.leave()
	}
	if broken {
		c.failPending(nil)
	}
}

// passOn gives, under mu, the role of the reader to a waiting caller, or to
// nobody if no response is due or the caller who writes at the moment will take
// it. It returns false if none of that is so, or the connection broke; the role
// then stays. For unshared see unshare.
func (c *conn) passOn() (passed, unshared bool) {
	if c.err != nil {
		return false, false
	}
	if c.hasWaiting.Load() {
		c.admit()
	}
	due := false
	for _, line := range [...][]*call{c.in.pending[c.in.next:], c.queue} {
		for _, cl := range line {
			due = true
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
	if due {
		return false, false
	}
	c.reading = false
	return true, c.unshare()
}

// drain reads responses that nobody waits for, until none is due or a caller
// can take over.
func (c *conn) drain() {
	client := c.node.client
	for {
		if err := c.dispatch(nil); err != nil {
			c.breakOff(nil, err)
			return
		}
		now := client.now()
		limit := max(c.lastRead.Load(), c.pendingSince.Load()) + int64(client.silence())
		if head := c.head(); head != nil && head.state.Load() == callAbandoned && now >= limit {
			c.breakOff(nil, errTimeout)
			return
		}
		c.mu.Lock()
		passed, unshared := c.passOn()
		c.mu.Unlock()
		if unshared {
			c.node.leave()
		}
		if passed {
			return
		}
		c.armRead(now, limit)
		switch err := c.fill(); {
		case err == nil:
			c.lastRead.Store(client.now())
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.in.armed = 0
		default:
			c.breakOff(nil, unavailable(err))
			return
		}
	}
}

// silence is how long a server with responses due may send nothing.
func (c *Client) silence() time.Duration {
	if c.opts.Timeout > 0 {
		return c.opts.Timeout
	}
	return defaultSilence
}
