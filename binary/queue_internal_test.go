package memcached

import (
	"testing"
)

// TestLineDoesNotGrow keeps a connection busy for many calls, one after another
// and never with an empty line, and looks at what it holds on to.
func TestLineDoesNotGrow(t *testing.T) {
	c := &conn{}
	for range 10_000 {
		c.out.queue = append(c.out.queue, &call{}, &call{})
		c.takeOver()
		c.pop()
		c.out.queue = append(c.out.queue, &call{})
		c.takeOver()
		c.pop()
		c.pop()
	}
	if n := cap(c.in.pending) + cap(c.out.queue); n > 64 {
		t.Errorf("the line has room for %d calls after 2 at a time, want at most 64", n)
	}
}

// TestLine_HasTheOrderOfTurns: who was admitted and found no room is not behind
// those who came later.
func TestLine_HasTheOrderOfTurns(t *testing.T) {
	c := &conn{}
	for _, turn := range []uint64{3, 4, 5, 1, 2, 6} {
		c.line(&call{}, turn)
	}
	for i, cl := range c.waiting {
		if cl.turn != uint64(i+1) {
			t.Errorf("caller %d of the line has turn %d", i+1, cl.turn)
		}
	}
}

// TestWaiting_EndsWhenTheWriterTakesWhatIsUnsent: it may write for long.
func TestWaiting_EndsWhenTheWriterTakesWhatIsUnsent(t *testing.T) {
	c, waiting := waitingConn(3)
	c.mu.Lock()
	c.takeOut()
	for i, cl := range waiting {
		if len(cl.wake) == 0 || <-cl.wake != signalAdmit {
			t.Errorf("caller %d of %d waits for room while there is some", i+1, len(waiting))
		}
	}
	if c.admitted != len(waiting) || c.hasWaiting.Load() {
		t.Errorf("%d callers are admitted, and hasWaiting is %v, want %d", c.admitted, c.hasWaiting.Load(), len(waiting))
	}
}
