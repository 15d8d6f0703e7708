package memcached

import (
	"net"
	"testing"
)

// TestFailIdle_SparesCalls: a call that came first is not lost, and the
// connection stays.
func TestFailIdle_SparesCalls(t *testing.T) {
	front, back := net.Pipe()
	defer back.Close()
	n := newNode(&Client{}, address{})
	c := newConn(n, front, false)
	c.load.Store(2) // that of the call and that of the reaper
	c.out.enqueued = 1
	c.failIdle(errIdle)
	if c.err != nil || c.load.Load() != 1 {
		t.Errorf("with a call in the line: error %v, load %d; want none and 1", c.err, c.load.Load())
	}
	c.out.enqueued = 0
	c.failIdle(errIdle)
	if c.err == nil {
		t.Error("with an empty line: no error")
	}
}
