package memcached

import (
	"math"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// flush writes until nothing is left to write, then gives the role of the
// writer back. Bytes are appended by others while it writes.
func (c *conn) flush() { c.flushWhile(math.MaxUint64) }

// flushInline is flush for a caller, who has to be able to leave: as soon as
// writing could block, a goroutine goes on with it.
func (c *conn) flushInline() { c.flushWhile(inlineLimit) }

// flushWhile flushes while not more than limit bytes are unanswered.
func (c *conn) flushWhile(limit uint64) {
	c.mu.Lock()
	for c.out.unsent > 0 && c.err == nil {
		if c.out.queued-c.answered.Load() > limit {
			c.node.client.goroutines.Go(c.flush)
			c.mu.Unlock()
			return
		}
		out, segments, n := c.out.take()
		ops, pending, bytes := c.survey(n)
		c.mu.Unlock()

		if ops > 0 {
			c.node.counters.ops.Add(ops)
			c.node.adapt(pending, bytes)
		}
		left, err := c.write(out, segments)

		c.mu.Lock()
		if err != nil {
			c.out.sent -= uint64(left)
			c.mu.Unlock()
			c.fail(unavailable(err))
			c.mu.Lock()
		}
		c.out.reuse(out)
		if c.hasWaiting.Load() {
			c.admit()
		}
	}
	c.writing = false
	c.mu.Unlock()
}

// write sends out with the segments in their places. On failure it returns
// how many bytes were left.
func (c *conn) write(out []byte, segments []segment) (left int, err error) {
	c.armWrite()
	if len(segments) > 0 {
		return c.writeSegments(interleave(out, segments), segments)
	}
	if !c.vectored { // TLS
		if at := lastRequest(out); at > 0 {
			if left, err := c.writeBytes(out[:at]); err != nil {
				return left + len(out) - at, err
			}
			out = out[at:]
		}
	}
	return c.writeBytes(out)
}

func (c *conn) writeBytes(out []byte) (left int, err error) {
	for {
		n, err := c.stream.Write(out)
		if err == nil {
			return 0, nil
		}
		if out = out[n:]; !c.resume(err, nil, nil) {
			return len(out), writeError(err)
		}
	}
}

// lastRequest returns where the last of the requests in out begins.
//
// Over TLS it goes in a record of its own, because memcached (seen with 1.6.18)
// waits for its socket although the rest of a record that it has read already
// lies in OpenSSL: a request that begins in the middle of the last record stays
// there until the client sends something else.
func lastRequest(out []byte) (at int) {
	var h wire.Header
	for {
		h.Decode(out[at:])
		next := at + wire.HeaderLen + int(h.BodyLen)
		if next >= len(out) {
			return at
		}
		at = next
	}
}
