package memcached

import (
	"sync"
	"sync/atomic"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// request is what one frame asks for.
type request struct {
	op             wire.Opcode
	key            string
	value          []byte // read until the frame is written or the call is left
	flags          uint32
	expiry         uint32
	cas            uint64
	delta, initial uint64
}

// append encodes the request. The value of a store operation follows only if
// inline says so; otherwise the writer sends it from where it is.
func (r *request) append(dst []byte, opaque uint32, inline bool) []byte {
	switch r.op {
	case wire.OpGet, wire.OpStat:
		return wire.AppendKey(dst, r.op, opaque, r.key)
	case wire.OpSet, wire.OpAdd, wire.OpReplace:
		dst = wire.AppendStore(dst, r.op, opaque, r.key, len(r.value), r.flags, r.expiry, r.cas)
	case wire.OpAppend, wire.OpPrepend:
		dst = wire.AppendConcat(dst, r.op, opaque, r.key, len(r.value))
	case wire.OpDelete:
		return wire.AppendDelete(dst, r.op, opaque, r.key, r.cas)
	case wire.OpIncrement, wire.OpDecrement:
		return wire.AppendCounter(dst, r.op, opaque, r.key, r.delta, r.initial, r.expiry)
	case wire.OpTouch, wire.OpGAT:
		return wire.AppendTouch(dst, r.op, opaque, r.key, r.expiry)
	case wire.OpFlush:
		return wire.AppendFlush(dst, r.op, opaque, r.expiry)
	default:
		return wire.AppendSimple(dst, r.op, opaque)
	}
	if inline {
		dst = append(dst, r.value...)
	}
	return dst
}

// repeatable reports whether a request that may have been carried out can be
// sent again without a different outcome.
func (r *request) repeatable() bool {
	switch r.op {
	case wire.OpGet, wire.OpGAT, wire.OpTouch, wire.OpStat, wire.OpVersion, wire.OpNoop:
		return true
	case wire.OpSet, wire.OpDelete:
		return r.cas == 0
	default:
		return false
	}
}

// heavy reports whether the call is so large that pipelining it with others
// gains nothing: it is better spread over connections.
func (cl *call) heavy() bool { return cl.span > 1 || len(cl.value) >= heavyValue }

// heavyValue is the size of such a value.
const heavyValue = 16 << 10

// returnsValue reports whether the response has flags and a value.
func (r *request) returnsValue() bool { return r.op == wire.OpGet || r.op == wire.OpGAT }

// result is what the response said.
type result struct {
	status  wire.Status
	flags   uint32
	cas     uint64
	number  uint64 // of counters
	value   []byte
	message string // of failures that are no plain answer
}

// batch is a call of several frames: quiet requests of which the last is loud,
// or a STAT with its sequence of responses.
//
// The connection's reader owns what deliver collects until the call is done. A
// caller that left does not look at it any more.
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
// connection moves from due to claimed to done, the caller from due to left.
const (
	callPending   uint32 = iota // the response has not come
	callClaimed                 // the reader is filling in the result
	callDone                    // the result is in
	callAbandoned               // the caller left; the response will be dropped
)

// signal is what a waiting caller is woken for.
type signal uint8

const (
	signalDone  signal = iota // the result is in
	signalRead                // nobody reads: do it
	signalAdmit               // there may be room in the queue
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

	deadline int64 // when Options.Timeout ends, on the client's clock; 0: to be set
	late     bool  // calls before it in a line may have later deadlines
	shared   bool  // it is on a lane, and not counted by itself
	shard    uint32
	opaque   uint32
	start    uint64 // offset of the first byte in the connection's stream
	size     uint64 // bytes of the request

	state    atomic.Uint32
	wake     chan signal // capacity 1: a waiting call has one signal at most
	parked   bool        // the caller waits on wake; guarded by conn.mu
	promoted bool        // signalRead was sent; guarded by conn.mu
	hold     *hold       // on the value, if it is written from the caller's slice

	result result
	err    error // a fault: nil when the server answered
}

// newCall returns a call for one request with the given opcode. Calls are pooled
// per client: inside a testing/synctest bubble a channel from elsewhere would
// stop time.
func (c *Client) newCall(op wire.Opcode, key string) *call {
	cl, ok := c.calls.Get().(*call)
	if !ok {
		cl = &call{pool: &c.calls, wake: make(chan signal, 1)}
	}
	cl.op, cl.key, cl.span = op, key, 1
	return cl
}

// free gives the call back. Nothing of it may be used afterwards.
func (cl *call) free() {
	cl.request = request{}
	cl.result = result{}
	cl.batch, cl.into, cl.fill, cl.late, cl.err = nil, nil, false, false, nil
	cl.shared, cl.shard = false, 0
	cl.parked, cl.promoted, cl.hold, cl.deadline = false, false, nil, 0
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

// fault is why a call got no answer.
type fault struct {
	cause error
	// unsent says that the server certainly has not carried out the request.
	unsent bool
	// lost says that the connection broke, so that another may do better.
	lost bool
}

func (f *fault) Error() string { return f.cause.Error() }

func (f *fault) Unwrap() error { return f.cause }
