package memcached

import (
	"bytes"
	"errors"
	"math"
	"net"
	"os"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// segment is a value that is written from the slice of the caller. It belongs
// before byte at of the buffer that it goes with.
type segment struct {
	at    int
	value []byte
	hold  *hold
}

// hold says that a segment refers to the slice of a caller, who must not
// return before it ends.
type hold struct {
	released  chan struct{} // closed when nothing refers to the slice any more
	abandoned bool          // the caller waits for that; guarded by conn.mu
}

const (
	// keepBuffer is the largest write buffer that a connection keeps.
	keepBuffer = 16 << 10
	// defaultWriteTimeout limits a write when Options.Timeout sets no limit.
	defaultWriteTimeout = 10 * time.Second
)

var (
	longAgo         = time.Unix(1, 0)
	errWriteTimeout = &timeoutError{"the server does not take requests: nothing could be written within Options.Timeout"}
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
	for c.unsent > 0 && c.err == nil {
		if c.queued-c.answered.Load() > limit {
			c.node.client.goroutines.Go(c.flush)
			c.mu.Unlock()
			return
		}
		out, segments := c.out, c.segments
		c.out, c.spare, c.segments = c.spare[:0], nil, nil
		n := c.unsent
		c.unsent = 0
		c.sent += uint64(n)
		ops, line, bytes := c.survey(n)
		c.mu.Unlock()

		if ops > 0 {
			c.node.counters.ops.Add(ops)
			c.node.adapt(line, bytes)
		}
		left, err := c.write(out, segments)

		c.mu.Lock()
		if err != nil {
			c.sent -= uint64(left)
			c.mu.Unlock()
			c.fail(unavailable(err))
			c.mu.Lock()
		}
		if cap(out) <= keepBuffer {
			c.spare = out
		}
		if c.hasWaiting.Load() {
			c.admit()
		}
	}
	c.writing = false
	c.mu.Unlock()
}

// survey looks, under mu, at what n bytes that are about to be written join: how
// many of the calls share the connection and were not counted yet, how many are
// in the line, and about how many bytes these come to, there and back.
func (c *conn) survey(n int) (ops uint64, line, bytes int) {
	ops, c.ops = c.ops, 0
	if ops == 0 {
		return 0, 0, 0
	}
	received := c.received.Load()
	each := (int(received-c.surveyed) + n) / int(ops)
	c.surveyed = received
	c.each += (each - c.each) / 8
	line = int(c.enqueued - c.dequeued.Load())
	return ops, line, line * c.each
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
		n, err := c.nc.Write(out)
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

func (c *conn) writeSegments(buffers net.Buffers, segments []segment) (left int, err error) {
	defer c.releaseHolds(segments)
	for {
		_, err := buffers.WriteTo(c.nc)
		if err == nil {
			return 0, nil
		}
		if !c.resume(err, buffers, segments) {
			return size(buffers), writeError(err)
		}
	}
}

// interleave cuts out where the segments belong and puts them between.
func interleave(out []byte, segments []segment) net.Buffers {
	buffers := make(net.Buffers, 0, 2*len(segments)+1)
	from := 0
	for _, s := range segments {
		buffers = append(buffers, out[from:s.at], s.value)
		from = s.at
	}
	if from < len(out) {
		buffers = append(buffers, out[from:])
	}
	return buffers
}

func size(buffers net.Buffers) (n int) {
	for _, b := range buffers {
		n += len(b)
	}
	return n
}

// armWrite keeps the write deadline between half and the whole of the timeout
// away, so that it is set rarely.
func (c *conn) armWrite() {
	timeout := c.node.client.opts.Timeout
	if timeout < 0 {
		timeout = defaultWriteTimeout
	}
	now := c.node.client.now()
	if c.writeArmed-now >= int64(timeout)/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interrupted {
		return // the write is to fail, and resume to arm again
	}
	c.writeArmed = now + int64(timeout)
	_ = c.nc.SetWriteDeadline(c.node.client.at(c.writeArmed))
}

func writeError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errWriteTimeout
	}
	return err
}

// releaseHolds lets the callers of the segments go.
func (c *conn) releaseHolds(segments []segment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range segments {
		s.hold.release()
	}
}

func (h *hold) release() {
	select {
	case <-h.released:
	default:
		close(h.released)
	}
}

// resume reports whether a write failed only because a caller who leaves
// interrupted it. Then it replaces what is unwritten of the slices of such
// callers by copies, and the write can go on.
func (c *conn) resume(err error, buffers net.Buffers, segments []segment) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.mu.Lock()
	interrupted := c.interrupted
	c.interrupted = false
	for _, s := range segments {
		if !s.hold.abandoned {
			continue
		}
		for i, b := range buffers {
			if within(b, s.value) {
				buffers[i] = bytes.Clone(b)
			}
		}
		s.hold.release()
	}
	c.mu.Unlock()
	if interrupted {
		c.writeArmed = 0
		c.armWrite()
	}
	return interrupted
}

// within reports whether b is a rest of value.
func within(b, value []byte) bool {
	return len(b) > 0 && len(b) <= len(value) && &b[len(b)-1] == &value[len(value)-1]
}

// releaseHold ends a hold: at once when the value was written or still waits for the
// writer, else by interrupting the write.
func (c *conn) releaseHold(h *hold) {
	c.mu.Lock()
	for i := range c.segments {
		if c.segments[i].hold == h {
			c.segments[i].value = bytes.Clone(c.segments[i].value)
			c.mu.Unlock()
			return
		}
	}
	select {
	case <-h.released:
		c.mu.Unlock()
		return
	default:
	}
	h.abandoned = true
	c.interrupted = true
	_ = c.nc.SetWriteDeadline(longAgo)
	c.mu.Unlock()
	<-h.released
}
