package memcached

import (
	"context"
	"errors"
	"math"
	"os"
	"time"
)

// The client's clock, and who enforces which limit of time. All times on it are
// nanoseconds since the client's start; call.deadline is where Options.Timeout
// or WithTimeout ends for an operation, retries included.
//
//	limit                       of                               enforced by
//	Options.Timeout             an operation that waits for      the caller's timer
//	                            room in the queue                (conn.waitForRoom)
//	                            an operation that waits for      the reader, for all
//	                            its response                     calls (conn.expire);
//	                                                             the caller's timer for
//	                                                             call.late (conn.wait)
//	                            a write that waits for earlier   the caller's timer
//	                            ones of its key                  (node.awaitEarlier)
//	                            an operation that waits for      the caller's timer
//	                            a connection                     (node.dial)
//	                            an operation on many keys        before each piece
//	                                                             (multi.over)
//	                            a reply that nobody waits for    the reader (conn.drain)
//	                            the end of a silent connection   a timer
//	                            with writes on it                (conn.awaitEnd)
//	                            a write                          the socket's write
//	                                                             deadline (conn.armWrite)
//	the context's               an operation that waits          the caller
//	                            an operation whose caller reads  the socket's read
//	                                                             deadline (conn.read)
//	Options.DialTimeout         dialling, TLS and handshake      the attempt's context and
//	                            together                         deadline (node.connect)
//	node.attemptLimit           how long operations wait for     node.overdue
//	                            an attempt, all together
//	a part of Options.Timeout   how long large operations wait   node.slowed
//	                            for another connection
//	a part of what is left      one of several replicas          deadlineInTurn
//	health.pauses               the next attempt to connect      node.recover,
//	                                                             node.mayGrow
//	Options.IdleTimeout         an unused connection             node.reap
//	Options.ConnMaxLifetime     a connection                     node.reap, then
//	                                                             node.closeLeaving
//	stagger                     one address of several           node.dialFirst
const (
	// noDeadline is later than every time on the client's clock.
	noDeadline int64 = math.MaxInt64
	// quickAnswer is how long a reader waits before it takes the trouble to
	// watch its context: a healthy server has answered by then.
	quickAnswer = 2 * time.Millisecond
	// watchEvery is how often there is a timer while a connection is used whose calls
	// are not announced: see armRead. At 10 ms, the time slice of Go's scheduler, two
	// callers took a tenth more of a processor for each Get; at 50 ms no more.
	watchEvery = 50 * time.Millisecond
	// defaultSilence and defaultWriteTimeout are how long responses that nobody
	// waits for may be missing, and how long a write may take, when
	// Options.Timeout sets no limit.
	defaultSilence      = 10 * time.Second
	defaultWriteTimeout = 10 * time.Second
)

var (
	errOwnTimeout   = &timeoutError{"no answer within the time that WithTimeout gave"}
	errWaitTimeout  = &timeoutError{"no room in the queue of the server within Options.Timeout"}
	errNoConnection = &timeoutError{"no connection in time"}
	errDialTimeout  = &timeoutError{"no connection within Options.DialTimeout"}
	errEarlierWrite = &timeoutError{"an earlier write of the key, whose caller has left, was not answered within Options.Timeout"}
	errWriteTimeout = &timeoutError{"the server does not take requests: nothing could be written within Options.Timeout"}
)

// longAgo is a deadline that makes a read or write return at once.
var longAgo = time.Unix(1, 0)

// now reads the client's clock: nanoseconds since New, monotonic.
func (c *Client) now() int64 { return int64(time.Since(c.start)) }

// at converts from the client's clock, since to it.
func (c *Client) at(t int64) time.Time    { return c.start.Add(time.Duration(t)) }
func (c *Client) since(t time.Time) int64 { return int64(t.Sub(c.start)) }

// deadlineInTurn returns by when one of several servers, which are asked in
// turn, has to answer so that a silent one leaves time for the others.
func (c *Client) deadlineInTurn(ctx context.Context, deadline int64, servers int) int64 {
	end := deadline
	if t, ok := ctx.Deadline(); ok {
		end = min(end, c.since(t))
	}
	if servers == 1 || end == noDeadline {
		return deadline
	}
	now := c.now()
	return now + max(0, end-now)/int64(servers)
}

// timer returns a channel that fires at deadline on the client's clock.
func (c *Client) timer(deadline int64) (fires <-chan time.Time, stop func()) {
	if deadline == noDeadline {
		return nil, func() {}
	}
	t := time.NewTimer(time.Duration(deadline - c.now()))
	return t.C, func() { t.Stop() }
}

// silence is how long a server with responses pending may send nothing.
func (c *Client) silence() time.Duration {
	if c.opts.Timeout > 0 {
		return c.opts.Timeout
	}
	return defaultSilence
}

// silentAt returns from when the server, of which responses are pending, counts
// as silent.
func (c *conn) silentAt() int64 {
	return c.silentSince() + int64(c.node.client.silence())
}

// silentSince returns when the server, of which responses are pending, sent something
// last, or had to begin.
func (c *conn) silentSince() int64 { return max(c.lastRead.Load(), c.pendingSince.Load()) }

// armRead makes a read that blocks return at wait, or earlier: the deadline in
// force is kept if it serves, so that it is set rarely.
//
// The thread with which Go's runtime interrupts goroutines that compute for long
// sleeps when all goroutines wait. A timer wakes it, or a call that is announced; a
// response that comes in an unannounced call does not. Then whoever computes next
// keeps its processor until a timer fires. So there is one within watchEvery, or
// within as long again as the server has been silent.
func (c *conn) armRead(now, wait int64) {
	if c.unannounced {
		wait = min(wait, now+max(int64(watchEvery), now-c.silentSince()))
	}
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

// nextDeadline returns when the time of a pending call is over next. The callers
// of those with limits of their own look for themselves.
func (c *conn) nextDeadline() int64 {
	for _, cl := range c.in.pending[c.in.next:] {
		if cl.deadline != noDeadline && !cl.own {
			return cl.deadline
		}
	}
	for _, cl := range c.takeOver() {
		if cl.deadline != noDeadline && !cl.own {
			return cl.deadline
		}
	}
	return noDeadline
}

// expire ends the calls whose time is over. When nothing came since the first
// of them was sent the server is silent, and the error says so: the connection
// is of no use any more. Not so while the first has been given more time by
// WithTimeout: others end alone then.
func (c *conn) expire(now int64, own *call) error {
	silence := int64(c.node.client.silence())
	c.takeOver()
	extended := c.isExtended(now)
	for i := c.in.next; i < len(c.in.pending); i++ {
		cl := c.in.pending[i]
		switch {
		case cl.deadline > now:
			continue
		case cl.state.Load() == callWithdrawn:
			cl.deadline = noDeadline
			continue
		case !extended && c.silentSince() <= cl.deadline-silence:
			return errTimeout
		case !cl.state.CompareAndSwap(callPending, callClaimed):
			cl.deadline = noDeadline // abandoned: nobody waits
			continue
		}
		began := cl.began
		s, unsent := c.standIn(cl)
		c.in.pending[i] = s
		cl.err = &fault{cause: cl.timedOut(), unsent: unsent}
		c.complete(cl, own)
		c.doubt(began, errTimeout)
	}
	return nil
}

// isExtended reports whether WithTimeout gave the call whose response comes next
// more time: that nothing comes means nothing then.
func (c *conn) isExtended(now int64) bool {
	head := c.head()
	return head != nil && head.own && head.deadline > now && head.state.Load() == callPending
}

// standIn returns a call that takes the place of cl, which is claimed, in the
// queue, so that its response is dropped. For unsent see giveUp.
func (c *conn) standIn(cl *call) (s *call, unsent bool) {
	s = c.node.client.newCall(cl.op, "")
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
	if !cl.writes() {
		return s, false
	}
	c.mu.Lock()
	unsent = c.out.withdraw(cl, func() bool { return true })
	c.mu.Unlock()
	if unsent {
		s.state.Store(callWithdrawn)
	} else {
		s.fate = c.node.unsettled.add(cl.keys())
	}
	return s, unsent
}

// armWrite keeps the write deadline between half and the whole of the timeout
// away, so that it is set rarely.
func (c *conn) armWrite() {
	timeout := c.node.client.opts.Timeout
	if timeout < 0 {
		timeout = defaultWriteTimeout
	}
	now := c.node.client.now()
	if c.writeArmed-now >= int64(timeout)/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interrupted {
		return // the write is to fail, and resume to arm again
	}
	c.writeArmed = now + int64(timeout)
	_ = c.nc.SetWriteDeadline(c.node.client.at(c.writeArmed))
}

func writeError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errWriteTimeout
	}
	return err
}
