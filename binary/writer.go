package memcached

import (
	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// A caller writes for all who have appended requests, as long as that cannot block: it
// has to be able to leave. A goroutine goes on where it could.

// inlineRun is how many bytes a caller writes for those who keep appending before a
// goroutine goes on.
const inlineRun = max(quickRun, inlineLimit)

// flushInline is flush for a caller: what it cannot write without waiting, and what
// comes after inlineRun bytes, a goroutine writes.
func (c *conn) flushInline() {
	c.mu.Lock()
	for run := 0; c.hasUnsent(); {
		if run > inlineRun || !c.fitsInline() {
			c.node.client.goroutines.Go(c.flush) // under mu, so that Close waits for it
			c.mu.Unlock()
			return
		}
		out, segments, n := c.takeOut()
		left, err := c.writeInline(out, segments)
		c.mu.Lock()
		if left > 0 && err == nil {
			if err = c.cause; err == nil { // else the connection ends
				c.node.client.goroutines.Go(func() { c.flushFrom(out, left) })
				c.mu.Unlock()
				return
			}
		}
		c.wrote(out, left, err)
		run += n
	}
	c.writing = false
	c.mu.Unlock()
}

// flush writes until nothing is left to write, then gives the role of the writer
// back. Bytes are appended by others while it writes.
func (c *conn) flush() {
	c.mu.Lock()
	for c.hasUnsent() {
		out, segments, _ := c.takeOut()
		left, err := c.write(out, segments)
		c.mu.Lock()
		c.wrote(out, left, err)
	}
	c.writing = false
	c.mu.Unlock()
}

// flushFrom is flush that begins with the last bytes of out, which was taken already.
func (c *conn) flushFrom(out []byte, left int) {
	left, err := c.writeBytes(out[len(out)-left:])
	c.mu.Lock()
	c.wrote(out, left, err)
	c.mu.Unlock()
	c.flush()
}

// hasUnsent reports, under mu, whether there is something to write. On a connection
// that ends nothing more is sent.
func (c *conn) hasUnsent() bool { return c.out.unsent > 0 && c.cause == nil }

// fitsInline reports, under mu, whether a caller can write what is unsent: as far as
// the kernel takes it without waiting, or because it is so little that the socket
// certainly takes it.
func (c *conn) fitsInline() bool {
	return c.canWriteNow(c.out.segments, c.out.unsent) ||
		c.raw != nil && c.out.queued-c.answered.Load() <= inlineLimit
}

// canWriteNow reports, to the writer, whether n bytes with the segments in their places
// can be written without waiting, as far as the kernel takes them.
func (c *conn) canWriteNow(segments []segment, n int) bool {
	return len(segments) == 0 && n <= quickRun && writesNow(c.stream)
}

// takeOut takes what is unsent, n bytes, counts it, and releases mu. It makes room,
// which callers get before the bytes are written: that may take as long as they have.
func (c *conn) takeOut() (out []byte, segments []segment, n int) {
	out, segments, n = c.out.take()
	ops, pending, bytes := c.survey(n)
	if c.hasWaiting.Load() {
		c.admit()
	}
	c.mu.Unlock()
	if ops > 0 {
		c.node.counters.ops.Add(ops)
		c.node.adapt(pending, bytes)
	}
	return out, segments, n
}

// wrote takes note, under mu, that out was written but for what is left.
func (c *conn) wrote(out []byte, left int, err error) {
	if err != nil {
		c.out.sent -= uint64(left)
		c.mu.Unlock()
		c.fail(unavailable(err))
		c.mu.Lock()
	}
	c.out.reuse(out)
}

// writeInline writes what fitsInline. Without an error, left is how many bytes would have
// had to wait.
func (c *conn) writeInline(out []byte, segments []segment) (left int, err error) {
	if !c.canWriteNow(segments, len(out)) {
		return c.write(out, segments)
	}
	c.armWrite()
	for {
		n, err := writeNow(c.stream, out)
		if out = out[n:]; err == nil || !c.resume(err, nil, nil) {
			return len(out), writeError(err)
		}
	}
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
