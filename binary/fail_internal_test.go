package memcached

import (
	"net"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// TestFail_CountsCallsThatNobodyWrote: they were operations too.
func TestFail_CountsCallsThatNobodyWrote(t *testing.T) {
	front, back := net.Pipe()
	defer back.Close()
	n := crowd(8)
	c := newConn(n, front, false)
	before := n.inFlight.Load()
	c.writing = true // by somebody who does not get round to it
	cl := n.client.newCall(wire.OpGet, "k")
	cl.shared, cl.parked = true, true
	if !c.share() {
		t.Fatal("the node takes no calls")
	}
	c.out.enqueue(cl, c.vectored, 0)
	c.fail(errIdle)
	<-cl.wake
	if got := n.counters.ops.Load(); got != 1 {
		t.Errorf("%d operations counted, want 1", got)
	}
	if got := n.inFlight.Load(); got != before || c.lane.held {
		t.Errorf("%d operations under way and held is %v, want %d and false", got, c.lane.held, before)
	}
}

// TestHandOver_OfAConnectionThatEnds: a goroutine that started now could run after Close.
func TestHandOver_OfAConnectionThatEnds(t *testing.T) {
	front, back := net.Pipe()
	defer back.Close()
	n := crowd(8)
	c := newConn(n, front, false)
	cl := n.client.newCall(wire.OpGet, "k")
	cl.state.Store(callAbandoned)
	c.load.Add(1)
	c.out.enqueue(cl, c.vectored, 0)
	c.reading, c.cause = true, errIdle // fail is on its way
	c.handOver()
	if c.reading {
		t.Error("a goroutine reads from a connection that ends")
	}
	c.fail(errIdle)
	if pending := c.pending(); pending != 0 {
		t.Errorf("%d calls are pending in the end, want none", pending)
	}
}
