package memcached

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// waitingConn returns a connection without room on which callers wait.
func waitingConn(callers int) (c *conn, waiting []*call) {
	c = &conn{node: &node{}}
	c.node.room.Store(maxPending)
	c.out.unsent = maxUnsent + 1
	for i := range callers {
		cl := &call{wake: make(chan signal, 1)}
		c.turns++
		c.line(cl, uint64(i+1))
		waiting = append(waiting, cl)
	}
	return c, waiting
}

func TestSendAway_ThoseWhoCameLastButForSmallOnesInALane(t *testing.T) {
	for _, tt := range []struct {
		n    int
		stay []uint64 // turns
	}{
		{-1, []uint64{1, 2, 3, 4, 5, 6}},
		{0, []uint64{1, 2, 3, 4, 5, 6}},
		{3, []uint64{1, 2, 3, 5}},
		{9, []uint64{5}},
	} {
		c, waiting := waitingConn(6)
		waiting[4].shared = true
		waiting[5].shared, waiting[5].value = true, make([]byte, bulky)
		if n := c.calls(); n != 1 {
			t.Errorf("calls() = %d, want the large one in the lane", n)
		}
		c.sendAway(tt.n)
		if len(c.waiting) != len(tt.stay) || !c.hasWaiting.Load() {
			t.Fatalf("sendAway(%d) leaves %d callers, want %d", tt.n, len(c.waiting), len(tt.stay))
		}
		for i, cl := range c.waiting {
			if cl.turn != tt.stay[i] || len(cl.wake) > 0 {
				t.Errorf("sendAway(%d): caller %d has turn %d and %d signals, want turn %d and none", tt.n, i, cl.turn, len(cl.wake), tt.stay[i])
			}
		}
		gone := 0
		for _, cl := range waiting {
			if len(cl.wake) > 0 && <-cl.wake == signalElsewhere {
				gone++
			}
		}
		if gone != 6-len(tt.stay) {
			t.Errorf("sendAway(%d) sends %d callers away, want %d", tt.n, gone, 6-len(tt.stay))
		}
	}
	c, _ := waitingConn(2)
	if c.sendAway(2); c.waiting != nil || c.hasWaiting.Load() {
		t.Errorf("sendAway of all leaves %v", c.waiting)
	}
}

// A caller whose time ends when it has been sent away holds no place that another
// could have.
func TestStopWaiting_AfterSendAway(t *testing.T) {
	c, waiting := waitingConn(2)
	c.sendAway(1)
	c.stopWaiting(waiting[1])
	if c.admitted != 0 || len(waiting[1].wake) != 0 || len(c.waiting) != 1 {
		t.Errorf("%d callers are admitted, %d wait, and the one that left has %d signals", c.admitted, len(c.waiting), len(waiting[1].wake))
	}
}

func TestRoom_WhileAConnectionIsOpened(t *testing.T) {
	for _, tt := range []struct {
		name       string
		size, mean int // of a request; of request and response
		want       int
	}{
		{"small", 100, 200, maxPending - 10},
		{"many keys", 5 << 10, 160, 102 - 10},
		{"large values", 50, 8 << 10, 64 - 10},
		{"very large values", 1 << 20, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &conn{node: &node{}}
			c.node.room.Store(maxPending)
			c.node.large.Store(int32(tt.mean))
			c.out.enqueued, c.out.queued = 10, uint64(10*tt.size)
			if n := c.room(); n != maxPending-10 {
				t.Errorf("room() = %d, want %d: nothing is being opened", n, maxPending-10)
			}
			c.node.dialing.Store(&attempt{})
			if n := c.room(); n != tt.want {
				t.Errorf("room() = %d, want %d", n, tt.want)
			}
			c.dequeued.Store(10)
			c.answered.Store(c.out.queued)
			if n := c.room(); n < 1 {
				t.Errorf("room() = %d when nothing is pending, want 1 at least", n)
			}
		})
	}
}

// growingNode returns a node with connections, of which those in busy have a call,
// that opens no more of them before the test ends.
func growingNode(t *testing.T, busy ...bool) (*node, []*conn) {
	t.Helper()
	client, err := New([]string{"server"}, &Options{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	n := client.topology.Load().nodes[0]
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, b := range busy {
		near, far := net.Pipe()
		t.Cleanup(func() { _ = far.Close() })
		c := newConn(n, near, false)
		if b {
			c.load.Store(1)
		}
		n.add(c)
	}
	return n, *n.conns.Load()
}

// Who has been sent away from a connection that was made for a second attempt gets
// no older one, though that is free.
func TestPick_ForASecondAttemptAfterSendAway(t *testing.T) {
	n, conns := growingNode(t, false, true, true)
	for range 4 {
		c, _, err := n.pick(t.Context(), &call{}, true, conns[1])
		if err != nil || c == conns[0] {
			t.Errorf("pick = connection %p, %v, want %p or %p", c, err, conns[1], conns[2])
		}
	}
}

// A connection can go out of use between being chosen and being full: whoever would
// wake those who wait there has been by already.
func TestWaitForRoom_OnAConnectionOutOfUse(t *testing.T) {
	full := func(conns []*conn) *conn {
		conns[0].out.unsent = maxUnsent + 1
		return conns[0]
	}
	t.Run("while there is another", func(t *testing.T) {
		n, conns := growingNode(t, true, true)
		c := full(conns)
		n.mu.Lock()
		n.dismiss(func(other *conn) bool { return other == c })
		n.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c.mu.Lock()
		if err := c.waitForRoom(ctx, &call{wake: make(chan signal, 1)}); !errors.Is(err, errElsewhere) {
			t.Errorf("waitForRoom = %v, want %v", err, errElsewhere)
		}
	})
	t.Run("alone", func(t *testing.T) {
		n, conns := growingNode(t, true)
		c := full(conns)
		n.suspect(n.client.now() + int64(time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c.mu.Lock()
		cl := &call{wake: make(chan signal, 1), limits: limits{deadline: noDeadline}}
		if err := c.waitForRoom(ctx, cl); !errors.Is(err, context.Canceled) {
			t.Errorf("waitForRoom = %v, want that it waits", err)
		}
	})
}

func TestDial_IsNotNeededWhenOthersWereFaster(t *testing.T) {
	n, conns := growingNode(t, true)
	c, err := n.dial(t.Context(), noDeadline, false)
	if err != nil || c != conns[0] || n.dialing.Load() != nil {
		t.Errorf("dial = %p, %v, and an attempt %v, want %p and none", c, err, n.dialing.Load(), conns[0])
	}
}

// Between two attempts there would be room for all on the connections that there
// are. Small operations have no use for more of them.
func TestAttempt_IsFollowedByAnotherWhileCallersWait(t *testing.T) {
	n, conns := growingNode(t, true)
	n.grow()
	for _, waits := range []bool{true, false} {
		conns[0].mu.Lock()
		conns[0].waiting = nil
		for turn, small := range []bool{true, !waits} {
			conns[0].line(&call{shared: small, wake: make(chan signal, 1)}, uint64(turn))
		}
		conns[0].mu.Unlock()
		n.mu.Lock()
		a := n.dialing.Load()
		if a != nil {
			n.end(a, conns[0], nil)
		}
		next := n.dialing.Load()
		n.mu.Unlock()
		if a == nil || next == a || (next != nil) != waits {
			t.Errorf("after an attempt there is another: %v, want %v", next != nil, waits)
		}
	}
}

// All callers that wait leave a connection that goes out of use, small ones in a lane,
// too; but a suspected one only when there is another.
func TestVacate_AllWhoWait(t *testing.T) {
	suspect := func(n *node, c *conn) { n.suspect(c.lastRead.Load()) }
	for name, tt := range map[string]struct {
		conns  int
		happen func(n *node, c *conn)
		stay   bool
	}{
		"leaves": {1, func(n *node, c *conn) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.dismiss(func(other *conn) bool { return other == c })
		}, false},
		"is suspected":                  {2, suspect, false},
		"is suspected and the only one": {1, suspect, true},
		"is suspected before another comes": {1, func(n *node, c *conn) {
			suspect(n, c)
			near, far := net.Pipe()
			t.Cleanup(func() { _ = far.Close() })
			n.mu.Lock()
			defer n.mu.Unlock()
			n.add(newConn(n, near, false))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			n, conns := growingNode(t, []bool{true, true}[:tt.conns]...)
			c := conns[0]
			for _, other := range conns[1:] {
				other.lastRead.Store(c.lastRead.Load() + 1)
			}
			var waiting []*call
			for i := range 3 {
				cl := &call{wake: make(chan signal, 1)}
				cl.shared = i == 1
				c.line(cl, uint64(i+1))
				waiting = append(waiting, cl)
			}
			tt.happen(n, c)
			want := 0
			if tt.stay {
				want = 3
			}
			if len(c.waiting) != want || c.hasWaiting.Load() != tt.stay {
				t.Errorf("%d callers wait, and hasWaiting is %v, want %d", len(c.waiting), c.hasWaiting.Load(), want)
			}
			for i, cl := range waiting {
				if gone := len(cl.wake) > 0 && <-cl.wake == signalElsewhere; gone == tt.stay {
					t.Errorf("caller %d is sent away: %v, want %v", i, gone, !tt.stay)
				}
			}
		})
	}
}

func TestSharedCalls_ThatWaitForRoomInALaneOfNobody(t *testing.T) {
	c, waiting := waitingConn(3)
	waiting[1].shared = true
	if n := c.sharedCalls(); n != 1 {
		t.Errorf("sharedCalls() = %d, want 1", n)
	}
}
