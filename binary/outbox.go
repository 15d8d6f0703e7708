package memcached

import "time"

// outbox holds what is to go out on a connection: encoded requests that no
// writer took yet, and the calls that they belong to. It is guarded by conn.mu.
type outbox struct {
	buf      []byte    // encoded requests
	segments []segment // values that belong between the bytes of buf
	unsent   int       // bytes in buf and segments
	spare    []byte    // the writer's last buffer
	queue    []*call   // calls that the reader did not take over yet
	opaque   uint32    // of the next request
	queued   uint64    // bytes ever put into buf and segments
	sent     uint64    // bytes ever handed to conn.stream, or withdrawn before
	enqueued uint64    // calls ever put into queue
	deadline int64     // the latest of theirs, without those of WithTimeout
	own      uint64    // enqueued when the last of those of WithTimeout was in
}

// keepBuffer is the largest write buffer that a connection keeps.
const keepBuffer = 16 << 10

// enqueue encodes the call and puts it at the end of the queue. If vectored is
// set a large value stays in the slice of its caller. dequeued is how many calls are
// out of the queue again.
func (o *outbox) enqueue(cl *call, vectored bool, dequeued uint64) {
	o.compare(cl, dequeued)
	cl.opaque, cl.start, cl.size = o.opaque, o.queued, 0
	before := len(o.buf)
	if cl.batch != nil {
		o.buf = cl.batch.encode(o.buf, cl.opaque)
	} else {
		held := vectored && len(cl.value) >= largeValue
		o.buf = cl.append(o.buf, cl.opaque, !held)
		if held {
			cl.hold = &hold{released: make(chan struct{})}
			o.segments = append(o.segments, segment{at: len(o.buf), value: cl.value, hold: cl.hold})
			cl.size = uint64(len(cl.value))
		}
	}
	cl.size += uint64(len(o.buf) - before)
	o.opaque += cl.span
	o.queued += cl.size
	o.unsent += int(cl.size)
	o.enqueued++
	o.queue = append(o.queue, cl)
}

// overtaken is how much earlier the time of a call may be over than that of one
// before it in the queue until it has to look for itself: callers come in about
// the order in which they began.
const overtaken = time.Millisecond

// compare notes that a call is late: one that waited, for a connection or for an
// earlier write, stands behind others that began later. So is one behind a call of
// WithTimeout: the reader may have found nobody else, and look at no earlier time.
func (o *outbox) compare(cl *call, dequeued uint64) {
	switch {
	case cl.own:
		o.own = o.enqueued + 1
		return
	case o.own > dequeued:
		cl.late = true
	}
	switch {
	case cl.deadline > o.deadline:
		o.deadline = cl.deadline
	case cl.deadline < o.deadline-int64(overtaken):
		cl.late = true
	}
}

// take hands what is unsent over to the writer: n bytes in buf and segments.
func (o *outbox) take() (buf []byte, segments []segment, n int) {
	buf, segments, n = o.buf, o.segments, o.unsent
	o.buf, o.spare, o.segments, o.unsent = o.spare[:0], nil, nil, 0
	o.sent = o.queued
	return buf, segments, n
}

// reuse takes a buffer back that was written.
func (o *outbox) reuse(buf []byte) {
	if cap(buf) <= keepBuffer {
		o.spare = buf
	}
}
