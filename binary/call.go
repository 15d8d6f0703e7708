package memcached

import (
	"sync"
	"sync/atomic"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// batch is a call of several frames: quiet requests of which the last is loud,
// or a STAT with its sequence of responses.
//
// The connection's reader owns what deliver collects until the call is done. A
// caller that abandoned the call does not look at it any more.
type batch interface {
	// reset forgets what was delivered, for another attempt.
	reset()
	// encode appends the frames; the i-th has the opaque first+i.
	encode(dst []byte, first uint32) []byte
	// deliver takes a response that is valid only during the call. An error
	// says that the response is broken.
	deliver(r *response) error
	// last reports whether a response ends the batch.
	last(r *response) bool
}

// The states of a call. They change by compare-and-swap: the reader of the
// connection moves it from pending to claimed to done, the caller from pending
// to abandoned or withdrawn.
const (
	callPending   uint32 = iota // the response has not come
	callClaimed                 // the reader is filling in the result
	callDone                    // the result is in
	callAbandoned               // the caller is gone; the response will be dropped
	callWithdrawn               // the caller is gone; nothing was or will be sent
)

// signal is what a waiting caller is woken for.
type signal uint8

const (
	signalDone      signal = iota // the result is in
	signalRead                    // nobody reads: do it
	signalAdmit                   // there may be room in the queue
	signalElsewhere               // another connection may have room
)

// call is one request, or one batch of them, on its way through a connection.
type call struct {
	pool *sync.Pool // where it comes from
	request
	batch batch  // nil for a single request
	span  uint32 // opaques that the call takes: its number of frames

	// into is what AppendValue appends to; the result's value is then the
	// whole slice. fill says that it is used.
	into []byte
	fill bool

	limits
	late   bool // calls before it in the queue may have later deadlines: its caller looks at the time
	shared bool // it is on a lane, and not counted by itself
	shard  uint32
	opaque uint32
	start  uint64 // offset of the first byte in the connection's stream
	size   uint64 // bytes of the request

	state    atomic.Uint32
	turn     uint64      // among the callers that wait for room; guarded by conn.mu
	wake     chan signal // capacity 1: a waiting call has one signal at most
	parked   bool        // the caller waits on wake; guarded by conn.mu
	promoted bool        // signalRead was sent; guarded by conn.mu
	hold     *hold       // on the value, if it is written from the caller's slice
	fate     *fate       // of a write whose caller has left

	result result
	err    error // a fault: nil when the server answered
}

// heavyValue is the size from which a value makes a call heavy.
const heavyValue = 16 << 10

// heavy reports whether the call is so large that pipelining it with others
// gains nothing: it is better spread over connections.
func (cl *call) heavy() bool { return cl.span > 1 || len(cl.value) >= heavyValue }

// incomplete reports whether the server, which gets no more than the first sent
// bytes of the connection's stream, certainly does not carry out the call: it
// does so when it has the whole frame.
func (cl *call) incomplete(sent uint64) bool {
	return cl.start >= sent || cl.span == 1 && cl.start+cl.size > sent
}

// keys returns the keys that the call writes, for keeping.
func (cl *call) keys() []string {
	if b, ok := cl.batch.(multiBatch); ok {
		return b.keys()
	}
	return []string{cl.key}
}

// newCall returns a call for one request with the given opcode. Calls are pooled
// per client: inside a testing/synctest bubble a channel from elsewhere would
// stop time.
func (c *Client) newCall(op wire.Opcode, key string) *call {
	cl, ok := c.calls.Get().(*call)
	if !ok {
		cl = &call{pool: &c.calls, wake: make(chan signal, 1)}
	}
	cl.op, cl.prefix, cl.key, cl.span = op, c.opts.Prefix, key, 1
	return cl
}

// free gives the call back. Nothing of it may be used afterwards.
func (cl *call) free() {
	cl.request = request{}
	cl.result = result{}
	cl.batch, cl.into, cl.fill, cl.late, cl.err = nil, nil, false, false, nil
	cl.shared, cl.shard = false, 0
	cl.parked, cl.promoted, cl.hold, cl.fate, cl.limits = false, false, nil, nil, limits{}
	cl.state.Store(callPending)
	cl.pool.Put(cl)
}

// reset prepares the call for another attempt.
func (cl *call) reset() {
	if cl.batch != nil {
		cl.batch.reset()
	}
	cl.result = result{}
	cl.late = true
	cl.shared = false
	cl.err = nil
	cl.parked, cl.promoted, cl.hold = false, false, nil
	cl.state.Store(callPending)
}

// How a call ends: the reader (match.go), or whoever ends the connection
// (fail.go), dequeues it. It claims a call that is still pending and completes
// it; it drops one whose caller has left.

// dequeue counts a call as out of the queue.
func (c *conn) dequeue(cl *call) {
	c.dequeued.Add(1)
	c.answered.Add(cl.size)
}

// complete hands a claimed call back to its caller. The reader needs no signal
// for its own.
func (c *conn) complete(cl, own *call) {
	cl.state.Store(callDone)
	if cl != own {
		cl.wake <- signalDone
	}
}

// drop frees a call that was abandoned or withdrawn.
func (c *conn) drop(cl *call) {
	if cl.fate != nil {
		c.node.unsettled.settle(cl.fate)
	}
	if !cl.shared {
		c.load.Add(-1)
	}
	cl.free()
}
