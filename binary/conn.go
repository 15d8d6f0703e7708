package memcached

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// largeValue is the size from which a value is written from the caller's
	// slice and read straight into its destination.
	largeValue = 16 << 10
	// inlineLimit is how many bytes of unanswered requests a socket certainly
	// takes without blocking. Above it a goroutine of its own writes, so that
	// callers can leave.
	inlineLimit = 32 << 10
	// maxPending bounds the calls in flight on one connection, maxUnsent the
	// bytes that wait for being written, and maxWaiting the callers that wait
	// for room.
	maxPending = 4096
	maxUnsent  = 4 << 20
	maxWaiting = 1 << 16
)

var (
	errQueueFull   = unavailable(errors.New("too many operations wait for the server"))
	errWaitTimeout = &timeoutError{"no room in the queue of the server within Options.Timeout"}
)

// conn is an authenticated connection on which calls are pipelined.
//
// It has no goroutines of its own. Callers append their requests to a buffer;
// one that finds no writer at work writes for all, and one of those waiting
// for a response reads for all. Both roles are flags that change hands under
// mu, and mu is never held during I/O.
type conn struct {
	node     *node
	nc       net.Conn
	raw      syscall.RawConn // of the socket below; nil if there is none
	vectored bool            // values can be written from where they are
	maxBody  int
	_        cacheLine

	load atomic.Int32 // calls that use the connection; those that share it count as one

	mu          sync.Mutex // guards what follows
	cause       error      // why the connection ends
	err         error      // the cause, once the node has no part in it any more
	writing     bool       // somebody writes
	reading     bool       // somebody reads
	out         []byte     // encoded requests that no writer took yet
	segments    []segment  // values that belong between the bytes of out
	unsent      int        // bytes in out and segments
	spare       []byte     // the writer's last buffer
	interrupted bool       // releaseHold interrupted the writer
	queue       []*call    // calls that the reader did not take over yet
	opaque      uint32     // of the next request
	queued      uint64     // bytes ever put into out and segments
	sent        uint64     // bytes ever handed to nc.Write
	enqueued    uint64     // calls ever put into queue
	waiting     []*call    // callers that wait for room
	held        bool       // calls share the connection: it counts in load and in node.inFlight
	ops         uint64     // calls that share it and that node.counters does not know of yet
	surveyed    uint64     // received, when a write last looked
	each        int        // bytes that a call comes to, there and back: an average
	_           cacheLine

	received     atomic.Uint64 // bytes ever read
	hasWaiting   atomic.Bool   // len(waiting) > 0, for the reader
	dequeued     atomic.Uint64 // calls ever completed or dropped
	answered     atomic.Uint64 // bytes of their requests
	lastRead     atomic.Int64  // when bytes came last, on the client's clock
	pendingSince atomic.Int64  // when the line became longer than empty
	rejected     atomic.Bool   // the last response was one after which the server closes

	in inbox // belongs to the reader

	writeArmed int64 // write deadline in force; belongs to the writer
}

// newConn makes a connection of nc, which is connected and authenticated.
func newConn(n *node, nc net.Conn, secure bool) *conn {
	c := &conn{node: n, nc: nc, maxBody: n.client.maxFrame, vectored: !secure}
	c.raw = rawConn(nc)
	c.lastRead.Store(n.client.now())
	return c
}

// roundTrip sends the call and waits for its end. It returns nil when the server
// answered, whatever the answer, and a *fault otherwise. If owned is false the
// caller left: the call belongs to the connection now. crowd says that other
// calls are likely to follow within microseconds.
func (c *conn) roundTrip(ctx context.Context, cl *call, crowd bool) (owned bool, err error) {
	c.mu.Lock()
	for c.err == nil && c.full() {
		if err := c.waitForRoom(ctx, cl); err != nil {
			return true, c.refuse(cl, &fault{cause: err, unsent: true})
		}
	}
	if c.err != nil {
		err := c.err
		c.mu.Unlock()
		return true, c.refuse(cl, &fault{cause: err, unsent: true, lost: true})
	}
	if !c.reading && c.enqueued == c.dequeued.Load() {
		now := c.node.client.now()
		if c.stale(now) {
			c.mu.Unlock()
			c.fail(errStale)
			return true, c.refuse(cl, &fault{cause: errStale, unsent: true, lost: true})
		}
		c.pendingSince.Store(now)
	}
	if cl.shared && !c.share() {
		c.mu.Unlock()
		return true, &fault{cause: errRetired, unsent: true}
	}
	c.enqueue(cl)
	if cl.hold != nil {
		defer c.releaseHold(cl.hold)
	}
	write := !c.writing
	if write {
		c.writing = true
		if c.raw == nil || c.queued-c.answered.Load() > inlineLimit {
			write = false
			c.node.client.goroutines.Go(c.flush)
		}
	}
	next := toWrite
	if !write {
		next = c.assign(cl)
	}
	c.mu.Unlock()

	if next == toWrite {
		if crowd {
			runtime.Gosched() // lets others append their requests
		}
		c.flushInline()
		next = c.afterFlush(cl)
	}
	switch next {
	case toRead:
		return c.read(ctx, cl)
	case toWait:
		return c.wait(ctx, cl)
	default:
		<-cl.wake
		return true, cl.err
	}
}

// role is what a caller does next for its call and for the connection.
type role uint8

const (
	toWrite role = iota
	toRead
	toWait
	toReturn // the result is in, or will be at once
)

// assign makes, under mu, the caller of cl the reader if there is none.
func (c *conn) assign(cl *call) role {
	if !c.reading {
		c.reading = true
		return toRead
	}
	cl.parked = true
	return toWait
}

// afterFlush decides what a caller does that has written. Its response may
// have come meanwhile, and then it must not read.
func (c *conn) afterFlush(cl *call) role {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cl.state.Load() != callPending {
		return toReturn
	}
	return c.assign(cl)
}

// enqueue encodes the call and puts it at the end of the line, under mu.
func (c *conn) enqueue(cl *call) {
	cl.opaque, cl.start, cl.size = c.opaque, c.queued, 0
	before := len(c.out)
	if cl.batch != nil {
		c.out = cl.batch.encode(c.out, cl.opaque)
	} else {
		held := c.vectored && len(cl.value) >= largeValue
		c.out = cl.append(c.out, cl.opaque, !held)
		if held {
			cl.hold = &hold{released: make(chan struct{})}
			c.segments = append(c.segments, segment{at: len(c.out), value: cl.value, hold: cl.hold})
			cl.size = uint64(len(cl.value))
		}
	}
	cl.size += uint64(len(c.out) - before)
	c.opaque += cl.span
	c.queued += cl.size
	c.unsent += int(cl.size)
	c.enqueued++
	c.queue = append(c.queue, cl)
}

// full reports under mu whether the bounds of the queue are reached.
func (c *conn) full() bool {
	return c.unsent > maxUnsent || c.enqueued-c.dequeued.Load() >= maxPending
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

// stopWaiting takes cl out of the line for room. If it was admitted already
// the next one gets its place.
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
	room := maxPending - int(c.enqueued-c.dequeued.Load())
	if c.err != nil {
		room = len(c.waiting)
	} else if c.unsent > maxUnsent {
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

// wait blocks until the result is in, the context ends, or the caller is told
// to read.
func (c *conn) wait(ctx context.Context, cl *call) (owned bool, err error) {
	var sig signal
	switch done := ctx.Done(); {
	case cl.late:
		timeout, stop := c.node.client.timer(cl.deadline)
		defer stop()
		select {
		case sig = <-cl.wake:
		case <-done:
			return c.leave(cl, ctx.Err())
		case <-timeout:
			return c.leave(cl, errTimeout)
		}
	case done != nil:
		select {
		case sig = <-cl.wake:
		case <-done:
			return c.leave(cl, ctx.Err())
		}
	default:
		sig = <-cl.wake
	}
	if sig == signalRead {
		return c.read(ctx, cl)
	}
	return true, cl.err
}

// leave takes a waiting caller away from its call, unless the result is
// already there. The connection drops the response when it comes.
func (c *conn) leave(cl *call, cause error) (owned bool, err error) {
	c.mu.Lock()
	// Once left, cl is the reader's, who frees it.
	promoted := cl.promoted
	if !cl.state.CompareAndSwap(callPending, callAbandoned) {
		c.mu.Unlock()
		<-cl.wake
		return true, cl.err
	}
	if promoted { // then there is no other reader
		<-cl.wake
	}
	c.mu.Unlock()
	if promoted {
		c.handOver()
	}
	return false, &fault{cause: cause} // what is unsent still goes out
}

// timer returns a channel that fires at deadline on the client's clock.
func (c *Client) timer(deadline int64) (fires <-chan time.Time, stop func()) {
	if deadline == noDeadline {
		return nil, func() {}
	}
	t := time.NewTimer(time.Duration(deadline - c.now()))
	return t.C, func() { t.Stop() }
}
