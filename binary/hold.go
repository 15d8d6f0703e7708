package memcached

import (
	"bytes"
	"errors"
	"net"
	"os"
)

// segment is a value that is written from the slice of the caller. It belongs
// before byte at of the buffer that it goes with.
type segment struct {
	at    int
	value []byte
	hold  *hold
}

// hold says that a segment refers to the slice of a caller, who must not
// return before it is released.
type hold struct {
	released  chan struct{} // closed when nothing refers to the slice any more
	abandoned bool          // the caller waits for that; guarded by conn.mu
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

// releaseHold releases a hold for the caller who returns: at once when the value
// was written or still waits for the writer, else by interrupting the write.
func (c *conn) releaseHold(h *hold) {
	c.mu.Lock()
	for i := range c.out.segments {
		if c.out.segments[i].hold == h {
			c.out.segments[i].value = bytes.Clone(c.out.segments[i].value)
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

// releaseHolds releases the holds of segments that were written.
func (c *conn) releaseHolds(segments []segment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range segments {
		s.hold.release()
	}
}

// release lets the caller return. It may be called again.
func (h *hold) release() {
	select {
	case <-h.released:
	default:
		close(h.released)
	}
}
