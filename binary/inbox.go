package memcached

import (
	"fmt"

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

	pending []*call // calls taken over from outbox.queue, oldest first
	next    int     // pending[next] is the call whose response comes next

	frame response // being delivered
	large large
	armed int64 // read deadline in force, on the client's clock
}

// large is a value that is read straight into its destination.
type large struct {
	call   *call // nil: none
	header wire.Header
	head   [4 + wire.MaxKeyLen]byte // extras and key
	dst    []byte                   // nil: the bytes are skipped
	n      int                      // bytes still to come
	placed bool                     // dst is where AppendValue wants the value
}

// startLarge goes over to reading the value of a frame straight into its
// destination, if it is large and its extras have arrived.
func (c *conn) startLarge(cl, own *call, h *wire.Header) (started bool, err error) {
	in := &c.in
	n := h.ValueLen()
	switch {
	case n < largeValue || h.Opcode == wire.OpStat:
		return false, nil // it is read in one piece; statistics have keys
	case h.KeyLen > 0 && cl.op != wire.OpGetK || h.KeyLen > wire.MaxKeyLen || h.ExtrasLen > 4:
		return false, unavailable(fmt.Errorf("%w: a large %s with %d bytes of extras and %d of key", wire.ErrFrame, h.Opcode, h.ExtrasLen, h.KeyLen))
	case in.w-in.r < int(h.BodyLen)+wire.HeaderLen-n:
		return false, nil
	}
	in.large.call, in.large.header, in.large.n = cl, *h, n
	in.large.dst, in.large.placed = nil, false
	in.r += wire.HeaderLen
	in.r += copy(in.large.head[:int(h.BodyLen)-n], in.buf[in.r:])
	switch {
	case cl.state.Load() == callAbandoned, int(h.BodyLen) > c.maxBody:
	case cl.fill && cl == own && h.Status == wire.StatusOK && cap(cl.into)-len(cl.into) >= n:
		in.large.dst = cl.into[len(cl.into) : len(cl.into)+n]
		in.large.placed = true
	default:
		in.large.dst = make([]byte, n)
	}
	return true, nil
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
	cl, h := l.call, &l.header
	keyAt := int(h.ExtrasLen)
	c.in.frame = response{
		Header: *h, index: int(h.Opaque - cl.opaque),
		extras: l.head[:keyAt], key: l.head[keyAt : keyAt+int(h.KeyLen)],
		value: l.dst, keepable: true, placed: l.placed,
	}
	if l.dst == nil {
		c.in.frame.skipped = h.ValueLen()
	}
	l.call, l.dst = nil, nil
	return c.deliver(cl, own, &c.in.frame)
}

// fill reads once from the connection. If announce is set the scheduler is told of the
// read, as package net does, but not below TLS. That is for few who share the
// connection: measured, their batches then stay together. See the notes of
// integration/bench.
func (c *conn) fill(announce bool) error {
	in, from := &c.in, c.stream
	if announce {
		from = c.nc
	}
	if l := &in.large; l.call != nil && l.dst != nil && in.r == in.w {
		n, err := from.Read(l.dst[len(l.dst)-l.n:])
		l.n -= n
		c.received.Add(uint64(n))
		return readError(n, err)
	}
	in.makeRoom()
	n, err := from.Read(in.buf[in.w:])
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
