package memcached

import (
	"net"
	"testing"
	"time"
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

// TestStale_LooksAfterTenMilliseconds: a connection that the other side has closed
// is noticed when it was quiet for as long.
func TestStale_LooksAfterTenMilliseconds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	nc, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	other, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(&Client{}, address{})
	c := newConn(n, nc, false)
	const read = int64(time.Hour)
	c.lastRead.Store(read)
	if c.stale(read + int64(time.Minute)) {
		t.Error("a connection that is open is stale")
	}
	_ = other.Close()
	for start := time.Now(); !c.stale(read + int64(10*time.Millisecond)); time.Sleep(time.Millisecond) {
		if c.raw == nil {
			t.Skip("this system does not tell")
		}
		if time.Since(start) > 10*time.Second {
			t.Fatal("a connection that the other side has closed is not stale after 10 ms of quiet")
		}
	}
	if c.stale(read + int64(10*time.Millisecond) - 1) {
		t.Error("a connection is looked at that was quiet for less than 10 ms")
	}
}
