package middleware

import (
	"sync/atomic"
	"time"
)

const (
	// longestRead is how long, in all, a client may take to read while others wait
	// for the response that its handler is writing.
	longestRead = time.Second
	// buffered is what net/http surely takes without waiting for the client.
	buffered = 2 << 10
)

// writeClock measures how long writes to a client take. One goroutine writes,
// another may ask.
type writeClock struct {
	since  atomic.Int64 // when the write began that is under way, in Unix nanoseconds, or 0
	waited atomic.Int64 // for writes that ended, in nanoseconds
}

// begin notes that a write begins which makes the body size bytes long.
func (c *writeClock) begin(size int) *writeClock {
	if size > buffered {
		c.since.Store(time.Now().UnixNano())
	}
	return c
}

func (c *writeClock) end() {
	if since := c.since.Swap(0); since != 0 {
		c.waited.Add(max(0, time.Now().UnixNano()-since))
	}
}

// heldUp reports whether the client has made the handler wait for too long.
func (w *recorder) heldUp() bool {
	waited := time.Duration(w.clock.waited.Load())
	if since := w.clock.since.Load(); since != 0 {
		waited += time.Since(time.Unix(0, since))
	}
	return waited > longestRead
}
