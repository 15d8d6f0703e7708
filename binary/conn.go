package memcached

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	// largeValue is the size from which a value is written from the caller's
	// slice and read straight into its destination.
	largeValue = 16 << 10
	// inlineLimit is how many bytes of unanswered requests a socket certainly
	// takes without blocking. Above it a goroutine of its own writes, so that
	// callers can leave, unless they can write without waiting: see fitsInline.
	inlineLimit = 32 << 10
)

// conn is an authenticated connection on which calls are pipelined.
//
// It has no goroutines of its own. Callers append their requests to a buffer;
// one that finds no writer at work writes for all, and one of those waiting
// for a response reads for all. Both roles are flags that change hands under
// mu, and mu is never held during I/O. Where writing would have to wait, or no
// caller is left to read, a goroutine takes the role for as long as that lasts.
type conn struct {
	node     *node
	nc       net.Conn
	stream   io.ReadWriter   // nc, or a quicker way to read and write what is small
	raw      syscall.RawConn // of the socket below; nil if there is none
	expires  int64           // when it leaves, on the client's clock
	vectored bool            // values can be written from where they are
	maxBody  int

	unannounced bool // the scheduler is not told of its calls: see socket and armRead
	_           cacheLine

	load atomic.Int32 // calls that use the connection; those that share it count as one

	mu          sync.Mutex // guards what follows
	cause       error      // why the connection ends
	err         error      // the cause, once the node has no part in it any more
	writing     bool       // somebody writes
	reading     bool       // somebody reads
	interrupted bool       // releaseHold interrupted the writer
	out         outbox
	waiting     []*call // callers that wait for room in the queue
	turns       uint64  // callers that ever waited for room
	admitted    int     // callers for whom room is kept until they enqueue
	lane        laneUse
	_           cacheLine

	received     atomic.Uint64 // bytes ever read
	hasWaiting   atomic.Bool   // len(waiting) > 0, for the reader
	few          atomic.Bool   // lane.most is at most fewShare, for the reader
	dequeued     atomic.Uint64 // calls ever completed or dropped
	answered     atomic.Uint64 // bytes of their requests
	lastRead     atomic.Int64  // when bytes came last, on the client's clock
	pendingSince atomic.Int64  // when the queue last became non-empty
	lingers      atomic.Bool   // it ended but is open, and failPending decides: see linger.go
	suspected    atomic.Bool   // it is out of use until something is read: see suspect.go

	in inbox // belongs to the reader

	writeArmed int64 // write deadline in force; belongs to the writer
}

// newConn makes a connection of nc, which is connected and authenticated.
func newConn(n *node, nc net.Conn, secure bool) *conn {
	c := &conn{node: n, nc: nc, maxBody: n.client.maxFrame, stream: newSocket(nc), vectored: !secure}
	c.raw = rawConn(nc)
	c.unannounced = isSocket(c.stream) || isSocket(underTLS(nc))
	now := n.client.now()
	c.expires = n.client.lifetime(now)
	c.lastRead.Store(now)
	return c
}

// roundTrip sends the call and waits for its end. It returns nil when the server
// answered, whatever the answer, and a *fault otherwise. If owned is false the
// caller abandoned the call, which belongs to the connection now. crowd says
// that others use the connection at the same time.
func (c *conn) roundTrip(ctx context.Context, cl *call, crowd bool) (owned bool, err error) {
	c.mu.Lock()
	if !c.hasRoom() {
		if err := c.waitForRoom(ctx, cl); err != nil {
			return true, c.refuse(cl, &fault{cause: err, unsent: true})
		}
	}
	if c.err != nil {
		err := c.err
		c.mu.Unlock()
		return true, c.refuse(cl, &fault{cause: err, unsent: true, lost: true})
	}
	if !c.reading && c.out.enqueued == c.dequeued.Load() {
		now := c.node.client.now()
		if c.stale(now) {
			c.mu.Unlock()
			c.fail(errStale)
			c.node.dropStale()
			return true, c.refuse(cl, &fault{cause: errStale, unsent: true, lost: true})
		}
		c.pendingSince.Store(now)
	}
	if cl.shared && !c.share() {
		c.mu.Unlock()
		return true, &fault{cause: errRetired, unsent: true}
	}
	c.out.enqueue(cl, c.vectored, c.dequeued.Load())
	if cl.hold != nil {
		defer c.releaseHold(cl.hold)
	}
	write, yield := !c.writing && c.hasUnsent(), crowd && c.expectsMore()
	if write {
		c.writing = true
		if !c.fitsInline() {
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
		if yield {
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
			return c.abandon(cl, ctx.Err())
		case <-timeout:
			return c.abandon(cl, cl.timedOut())
		}
	case done != nil:
		select {
		case sig = <-cl.wake:
		case <-done:
			return c.abandon(cl, ctx.Err())
		}
	default:
		sig = <-cl.wake
	}
	if sig == signalRead {
		return c.read(ctx, cl)
	}
	return true, cl.err
}

// abandon takes a waiting caller away from its call, unless the result is
// already there. A write that no writer took yet is withdrawn; otherwise the
// connection drops the response when it comes.
func (c *conn) abandon(cl *call, cause error) (owned bool, err error) {
	c.mu.Lock()
	// Once abandoned, cl is the reader's, who frees it.
	promoted, began := cl.promoted, cl.began
	left, unsent := c.giveUp(cl)
	if !left {
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
	c.doubt(began, cause)
	return false, &fault{cause: cause, unsent: unsent}
}
