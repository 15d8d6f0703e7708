package memcached

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

const (
	// minInbox and maxInbox are the sizes of the read buffer: it starts small
	// and grows when a read fills it.
	minInbox = 4 << 10
	maxInbox = 32 << 10
	// maxMessage cuts the text of an error response.
	maxMessage = 256
)

// inbox is the state of reading. It belongs to the reader, whoever that is at
// the moment.
type inbox struct {
	buf  []byte
	r, w int // unread bytes are buf[r:w]

	pending []*call // calls taken over from conn.queue, oldest first
	next    int     // pending[next] is the call whose response comes next

	frame response // being delivered
	large large
	armed int64 // read deadline in force, on the client's clock
}

// large is a value that is read straight into its destination.
type large struct {
	call   *call // nil: none
	header wire.Header
	extras [4]byte
	dst    []byte // nil: the bytes are skipped
	n      int    // bytes still to come
	placed bool   // dst is where AppendValue wants the value
}

// response is one frame.
type response struct {
	wire.Header
	index    int // within the call
	extras   []byte
	key      []byte
	value    []byte
	keepable bool // value can be kept; otherwise it is valid only at once
	placed   bool // value was read to where AppendValue wants it
}

// keep returns the value for keeping.
func (r *response) keep() []byte {
	if r.keepable {
		return r.value
	}
	return append(make([]byte, 0, len(r.value)), r.value...)
}

// head returns the call whose response comes next, or nil if none is due.
func (c *conn) head() *call {
	in := &c.in
	if in.next == len(in.pending) {
		c.mu.Lock()
		in.pending, c.queue = c.queue, in.pending[:0]
		c.mu.Unlock()
		if in.next = 0; len(in.pending) == 0 {
			return nil
		}
	}
	return in.pending[in.next]
}

// takeOver takes the calls of the queue over and returns them.
func (c *conn) takeOver() []*call {
	in := &c.in
	if in.next > 0 { // the place of calls that are out of the line
		n := copy(in.pending, in.pending[in.next:])
		clear(in.pending[n:])
		in.pending, in.next = in.pending[:n], 0
	}
	n := len(in.pending)
	c.mu.Lock()
	in.pending = append(in.pending, c.queue...)
	clear(c.queue)
	c.queue = c.queue[:0]
	c.mu.Unlock()
	return in.pending[n:]
}

// pop takes the first call out of the line.
func (c *conn) pop() {
	in := &c.in
	c.dequeue(in.pending[in.next])
	in.pending[in.next] = nil
	in.next++
}

// dispatch delivers the responses that have arrived. The error says why the
// connection can not be used any more.
func (c *conn) dispatch(own *call) error {
	in := &c.in
	for {
		if in.large.call != nil {
			if !c.takeLarge() {
				return nil
			}
			if err := c.deliverLarge(own); err != nil {
				return err
			}
			continue
		}
		buf := in.buf[in.r:in.w]
		if len(buf) < wire.HeaderLen {
			return nil
		}
		r := &in.frame
		h := &r.Header
		h.Decode(buf)
		if err := h.Check(wire.MagicResponse, c.maxBody); err != nil {
			return unavailable(describeGarbage(buf, err))
		}
		cl := c.head()
		index, err := match(cl, h)
		if err != nil {
			return unavailable(err)
		}
		n := wire.HeaderLen + int(h.BodyLen)
		if len(buf) < n {
			if h.ValueLen() < largeValue || h.Opcode == wire.OpStat {
				return nil // it is read in one piece; statistics have keys
			}
			if h.KeyLen > 0 || h.ExtrasLen > 4 {
				return unavailable(fmt.Errorf("%w: a large %s with %d bytes of extras and %d of key", wire.ErrFrame, h.Opcode, h.ExtrasLen, h.KeyLen))
			}
			if len(buf) < wire.HeaderLen+int(h.ExtrasLen) {
				return nil
			}
			c.startLarge(cl, own, h)
			continue
		}
		if len(buf) > n && wire.Magic(buf[n]) != wire.MagicResponse {
			// The length is wrong, and with it the value: that is not delivered either.
			return unavailable(fmt.Errorf("%w: 0x%02x follows a response to %s", wire.ErrFrame, buf[n], h.Opcode))
		}
		in.r += n
		e := wire.HeaderLen + int(h.ExtrasLen)
		k := e + int(h.KeyLen)
		r.index, r.keepable, r.placed = index, false, false
		r.extras, r.key, r.value = buf[wire.HeaderLen:e], buf[e:k], buf[k:n]
		if err := c.deliver(cl, own, r); err != nil {
			return err
		}
	}
}

// match finds the place of a response within the call whose turn it is.
func match(cl *call, h *wire.Header) (index int, err error) {
	if cl == nil {
		return 0, fmt.Errorf("%w: a response that nobody asked for", wire.ErrFrame)
	}
	if h.Opaque-cl.opaque >= cl.span {
		return 0, fmt.Errorf("%w: opaque %d instead of %d", wire.ErrFrame, h.Opaque, cl.opaque)
	}
	if h.Opcode != cl.op && (cl.batch == nil || h.Opcode.Loud() != cl.op) {
		return 0, fmt.Errorf("%w: a response to %s instead of %s", wire.ErrFrame, h.Opcode, cl.op)
	}
	return int(h.Opaque - cl.opaque), nil
}

// deliver hands a response to its call, and the call back to its caller if it
// was the last.
func (c *conn) deliver(cl, own *call, r *response) error {
	var after error
	rejected := r.Status == wire.StatusInvalid || r.Status == wire.StatusAuthError && cl.op != wire.OpFlush
	if rejected != c.rejected.Load() {
		// The server closes now (proto_bin.c), and what follows was not carried
		// out; unless it goes on to answer.
		c.rejected.Store(rejected)
	}
	if r.Status == wire.StatusUnknownCommand {
		after = unavailable(fmt.Errorf("the server does not know %s, and its connection is out of step after it", cl.op))
	}
	if cl.batch == nil {
		if !cl.state.CompareAndSwap(callPending, callClaimed) {
			c.pop()
			c.drop(cl)
			return after
		}
		if err := cl.result.take(cl, r); err != nil {
			cl.state.Store(callPending)
			return unavailable(err)
		}
	} else {
		if cl.state.Load() == callPending {
			if err := cl.batch.deliver(r); err != nil {
				return unavailable(err)
			}
		}
		if !cl.batch.last(r) {
			return after
		}
		if !cl.state.CompareAndSwap(callPending, callClaimed) {
			c.pop()
			c.drop(cl)
			return after
		}
	}
	c.pop()
	c.complete(cl, own)
	return after
}

// take reads the response to a single request.
func (res *result) take(cl *call, r *response) error {
	res.status = r.Status
	if r.Status != wire.StatusOK {
		if r.Status != wire.StatusKeyNotFound && r.Status != wire.StatusKeyExists {
			res.message = string(r.value[:min(len(r.value), maxMessage)])
		}
		return nil
	}
	res.cas = r.CAS
	switch cl.op {
	case wire.OpGet, wire.OpGAT:
		if len(r.extras) != 4 || len(r.key) != 0 {
			return fmt.Errorf("%w: %s with %d bytes of extras and %d of key", wire.ErrFrame, cl.op, len(r.extras), len(r.key))
		}
		res.flags = binary.BigEndian.Uint32(r.extras)
		switch {
		case r.placed:
			res.value = cl.into[:len(cl.into)+len(r.value)]
		case cl.fill:
			res.value = append(cl.into, r.value...)
		default:
			res.value = r.keep()
		}
	case wire.OpIncrement, wire.OpDecrement:
		if len(r.value) != 8 {
			return fmt.Errorf("%w: %s with %d bytes of value", wire.ErrFrame, cl.op, len(r.value))
		}
		res.number = binary.BigEndian.Uint64(r.value)
	case wire.OpVersion:
		res.message = string(r.value[:min(len(r.value), maxMessage)])
	}
	return nil
}

// startLarge goes over to reading the value of a frame straight into its
// destination.
func (c *conn) startLarge(cl, own *call, h *wire.Header) {
	in := &c.in
	n := h.ValueLen()
	in.large = large{call: cl, header: *h, n: n}
	copy(in.large.extras[:], in.buf[in.r+wire.HeaderLen:][:h.ExtrasLen])
	in.r += wire.HeaderLen + int(h.ExtrasLen)
	switch {
	case cl.state.Load() == callAbandoned:
	case cl.fill && cl == own && h.Status == wire.StatusOK && cap(cl.into)-len(cl.into) >= n:
		in.large.dst = cl.into[len(cl.into) : len(cl.into)+n]
		in.large.placed = true
	default:
		in.large.dst = make([]byte, n)
	}
}

// takeLarge moves bytes from the buffer to the large value and reports whether
// it is complete.
func (c *conn) takeLarge() bool {
	in := &c.in
	if l := &in.large; l.n > 0 {
		n := min(l.n, in.w-in.r)
		if l.dst != nil {
			copy(l.dst[len(l.dst)-l.n:], in.buf[in.r:in.r+n])
		}
		in.r += n
		l.n -= n
	}
	return in.large.n == 0
}

// deliverLarge delivers the large value that is complete.
func (c *conn) deliverLarge(own *call) error {
	l := &c.in.large
	cl := l.call
	c.in.frame = response{
		Header: l.header, index: int(l.header.Opaque - cl.opaque),
		extras: l.extras[:l.header.ExtrasLen], value: l.dst, keepable: true, placed: l.placed,
	}
	l.call, l.dst = nil, nil
	return c.deliver(cl, own, &c.in.frame)
}

// fill reads once from the connection.
func (c *conn) fill() error {
	in := &c.in
	if l := &in.large; l.call != nil && l.dst != nil && in.r == in.w {
		n, err := c.nc.Read(l.dst[len(l.dst)-l.n:])
		l.n -= n
		c.received.Add(uint64(n))
		return readError(n, err)
	}
	in.makeRoom()
	n, err := c.nc.Read(in.buf[in.w:])
	in.w += n
	c.received.Add(uint64(n))
	return readError(n, err)
}

func readError(n int, err error) error {
	if n > 0 {
		return nil // an error comes again
	}
	return err
}

// makeRoom makes room in the buffer for another read.
func (in *inbox) makeRoom() {
	if in.r == in.w {
		full := in.w == len(in.buf)
		in.r, in.w = 0, 0
		switch {
		case full && len(in.buf) < maxInbox:
			in.buf = make([]byte, max(minInbox, 2*len(in.buf)))
		case len(in.buf) > maxInbox: // it held an exceptional frame
			in.buf = make([]byte, maxInbox)
		}
		return
	}
	if in.w < len(in.buf) {
		return
	}
	if in.r > 0 {
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
		return
	}
	bigger := make([]byte, 2*len(in.buf))
	copy(bigger, in.buf)
	in.buf = bigger
}

// describeGarbage adds to err what a server says in plain text.
func describeGarbage(buf []byte, err error) error {
	text := string(buf[:min(len(buf), 80)])
	if !strings.HasPrefix(text, "ERROR") && !strings.HasPrefix(text, "SERVER_ERROR") {
		return err
	}
	line, _, _ := strings.Cut(text, "\r\n")
	return fmt.Errorf("the server answers in the text protocol: %q", line)
}
