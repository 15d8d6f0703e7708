package memcached

import (
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// response is one frame.
type response struct {
	wire.Header
	index    int // within the call
	extras   []byte
	key      []byte
	value    []byte
	keepable bool // value can be kept; otherwise it is valid only at once
	placed   bool // value was read to where AppendValue wants it
	skipped  int  // bytes of a value above the client's limit, which is not kept
}

// keep returns the value for keeping.
func (r *response) keep() []byte {
	if r.keepable {
		return r.value
	}
	return append(make([]byte, 0, len(r.value)), r.value...)
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
		if err := h.Check(wire.MagicResponse, c.limit(h)); err != nil {
			return unavailable(describeGarbage(buf, err))
		}
		cl := c.head()
		index, err := match(cl, h)
		if err != nil {
			return unavailable(err)
		}
		n := wire.HeaderLen + int(h.BodyLen)
		if len(buf) < n {
			if started, err := c.startLarge(cl, own, h); !started {
				return err
			}
			continue
		}
		if len(buf) > n && wire.Magic(buf[n]) != wire.MagicResponse {
			// The length is wrong, and with it the value: that is not delivered either.
			return unavailable(fmt.Errorf("%w: 0x%02x follows a response to %s", wire.ErrFrame, buf[n], h.Opcode))
		}
		in.r += n
		e := wire.HeaderLen + int(h.ExtrasLen)
		k := e + int(h.KeyLen)
		r.index, r.keepable, r.placed, r.skipped = index, false, false, 0
		r.extras, r.key, r.value = buf[wire.HeaderLen:e], buf[e:k], buf[k:n]
		if err := c.deliver(cl, own, r); err != nil {
			return err
		}
	}
}

// limit returns how large the body of a response may be. A value above
// conn.maxBody is skipped, so that it costs only its own key: the frame is sound.
func (c *conn) limit(h *wire.Header) int {
	if uint64(h.BodyLen) <= uint64(c.maxBody) || h.Status != wire.StatusOK {
		return c.maxBody
	}
	switch h.Opcode {
	case wire.OpGet, wire.OpGetK, wire.OpGetKQ, wire.OpGAT:
		return maxMaxItemSize
	default:
		return c.maxBody
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
	if r.Status == wire.StatusUnknownCommand && cl.op != wire.OpNoop && cl.op != wire.OpVersion {
		after = unavailable(&unknownError{cl.op})
	}
	if cl.batch != nil {
		if cl.state.Load() == callPending {
			if err := cl.batch.deliver(r); err != nil {
				return unavailable(err)
			}
		}
		if !cl.batch.last(r) {
			return after
		}
	}
	if !cl.state.CompareAndSwap(callPending, callClaimed) {
		c.pop()
		c.drop(cl)
		return after
	}
	if cl.batch == nil {
		if err := cl.result.take(cl, r); err != nil {
			cl.state.Store(callPending)
			return unavailable(err)
		}
	}
	c.pop()
	c.complete(cl, own)
	return after
}
