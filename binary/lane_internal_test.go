package memcached

import (
	"testing"
)

// crowd returns a node whose operations share lanes.
func crowd(maxConns int) *node {
	n := newNode(&Client{opts: Options{MaxConns: maxConns}}, address{})
	conns := []*conn{{node: n}, {node: n}}
	n.conns.Store(&conns)
	n.inFlight.Store(int32(maxConns + 1))
	if !n.isCrowded() {
		panic("more operations than connections, and the node is not crowded")
	}
	return n
}

func TestLanes_FollowWhatWritesFind(t *testing.T) {
	n := crowd(8)
	steps := []struct {
		what              string
		times             int
		operations, bytes int
		lanes             int32
		crowded           bool
	}{
		{"some operations", 1000, 60, secondLane / 2, 1, true},
		{"few for a moment", calmAfter - 1, 3, 500, 1, true},
		{"some again", 1, 60, secondLane / 2, 1, true},
		{"few for a moment", calmAfter - 1, 3, 500, 1, true},
		{"some again", 1, 60, secondLane / 2, 1, true},
		{"more than 64 small ones come to, as after a start", calmAfter, 64, 22 << 10, 1, true},
		{"many bytes", 1, 60, secondLane, 2, true},
		{"less on each of two lanes", 1000, 30, secondLane / 2, 2, true},
		{"little for a moment", calmAfter - 1, 20, oneLane - 1, 2, true},
		{"more again", 1, 20, oneLane, 2, true},
		{"little for long", calmAfter, 20, oneLane - 1, 1, true},
		{"few for long", calmAfter, shareFrom - 1, 500, 1, false},
	}
	for _, s := range steps {
		for range s.times {
			n.adapt(s.operations, s.bytes)
		}
		if n.lanes.Load() != s.lanes || n.crowded.Load() != s.crowded {
			t.Fatalf("%s: %d lanes, crowded %v; want %d, %v", s.what, n.lanes.Load(), n.crowded.Load(), s.lanes, s.crowded)
		}
	}
}

func TestLanes_AreSharedFromSixOperationsOn(t *testing.T) {
	for _, test := range []struct{ conns, from int }{
		{1, 2}, {2, 3}, {5, 6}, {6, 6}, {64, 6},
	} {
		n := newNode(&Client{opts: Options{MaxConns: test.conns}}, address{})
		n.inFlight.Store(int32(test.from - 1))
		if n.isCrowded() {
			t.Errorf("MaxConns %d: %d operations share lanes, want a connection for each", test.conns, test.from-1)
		}
		n.inFlight.Store(int32(test.from))
		if !n.isCrowded() {
			t.Errorf("MaxConns %d: %d operations do not share lanes", test.conns, test.from)
		}
	}
}

func TestLanes_AreForSmallOperations(t *testing.T) {
	n := crowd(8)
	for _, step := range []struct {
		what            string
		times           int
		bytes, requests int
		bulky           bool
	}{
		{"small ones", 100, 200, 1, false},
		{"a batch of small ones", 100, 128 * 200, 128, false},
		{"a very large one now and then", 1, 1 << 20, 1, false},
		{"small ones", 32, 200, 1, false},
		{"a very large one now and then", 1, 1 << 20, 1, false},
		{"large ones", 100, 4 << 10, 1, true},
		{"smaller ones, but not small", 100, bulky * 3 / 4, 1, true},
		{"a small one", 1, 200, 1, true},
		{"small ones", 100, 200, 1, false},
		{"nothing", 1, 0, 0, false},
	} {
		for range step.times {
			n.weigh(step.bytes, step.requests)
		}
		if got := n.bulky.Load(); got != step.bulky {
			t.Errorf("after %s: bulky %v with %d bytes on average, want %v", step.what, got, n.each.Load(), step.bulky)
		}
		if shared := n.lane(&call{}) != nil; shared == step.bulky {
			t.Errorf("after %s: a call shares a lane: %v, want %v", step.what, shared, !step.bulky)
		}
	}
}

// TestSpread_OperationsOfAFewKibibytesHaveSeveralToWriteWith: they take more
// connections as there are more of them, and larger ones all at once.
func TestSpread_OperationsOfAFewKibibytesHaveSeveralToWriteWith(t *testing.T) {
	for _, test := range []struct{ bytes, inFlight, want int }{
		{200, 1, 8},
		{2 << 10, 1, 2},
		{2 << 10, 17, 2},
		{2 << 10, 24, 4},
		{2 << 10, 48, 8},
		{2 << 10, 500, 8},
		{4 << 10, 12, 8},
		{1 << 20, 12, 8},
	} {
		n := crowd(8)
		for range 200 {
			n.weigh(test.bytes, 1)
		}
		n.inFlight.Store(int32(test.inFlight))
		if got := n.spread(8); got != test.want {
			t.Errorf("%d operations of %d bytes take %d connections, want %d", test.inFlight, test.bytes, got, test.want)
		}
		n.crowded.Store(false)
		if got := n.spread(8); got != 8 {
			t.Errorf("few operations of %d bytes take %d connections, want all 8", test.bytes, got)
		}
	}
}

// TestWriter_YieldsOnlyToCallersWhoComeBack: each yield may wake up a thread of
// the runtime.
func TestWriter_YieldsOnlyToCallersWhoComeBack(t *testing.T) {
	n := crowd(8)
	c := &conn{node: n}
	add := func(calls int) {
		c.out.enqueued += uint64(calls)
		c.lane.ops += uint64(calls)
	}
	for _, step := range []struct {
		what            string
		added, answered int
		want            bool
	}{
		{"a first call", 1, 0, false},
		{"a second one", 1, 0, false},
		{"one of two comes back", 1, 1, false},
		{"one of two that were answered together", 1, 2, true},
		{"nobody came while it yielded", 1, 1, false},
		{"the fourth", 3, 0, false},
		{"one of four, after two were answered", 1, 2, true},
		{"more than of late", 5, 0, false},
		{"as many as of late", 1, 1, false},
		{"one of them, after all were answered", 1, 8, true},
		{"the second", 1, 0, true},
		{"all of them, and one more", 6, 0, false},
		{"so many that others always follow", manyPending, 0, true},
	} {
		c.dequeued.Add(uint64(step.answered))
		add(step.added)
		if got := c.expectsMore(); got != step.want {
			t.Errorf("%s: expectsMore() = %v with %d pending, want %v", step.what, got, c.pending(), step.want)
		}
		c.survey(step.added)
	}
}

// TestLanes_ReadersKnowWhetherFewShare holds what conn.fill goes by.
func TestLanes_ReadersKnowWhetherFewShare(t *testing.T) {
	const most = 16 // that share it are few
	n := crowd(8)
	c := &conn{node: n}
	for _, step := range []struct {
		pending, writes int
		few             bool
	}{
		{1, 1, true},
		{most, 1, true},
		{most + 1, 1, false},
		{most / 2, 1, true}, // most goes down with it
		{64, 1, false},
		{most / 2, 1, false},
		{most / 2, 2 * forget * 2, true},
	} {
		c.out.enqueued = uint64(step.pending)
		for range step.writes {
			c.survey(100)
		}
		if got := c.few.Load(); got != step.few {
			t.Errorf("%d pending at a write, at most %d of late: few = %v, want %v", step.pending, c.lane.most, got, step.few)
		}
	}
}

func TestLanes_LargeOperationsAreAlone(t *testing.T) {
	n := crowd(8)
	for _, step := range []struct {
		what  string
		times int
		bytes int
		room  int32
	}{
		{"nothing yet", 0, 0, maxPending},
		{"small ones", 100, 200, maxPending},
		{"a very large one now and then", 1, 8 << 20, maxPending},
		{"values of 256 KiB", 100, 256 << 10, maxPending},
		{"values of 1 MiB", 100, 1 << 20, 1},
		{"a small one", 1, 200, 1},
		{"some more of them", 12, 200, maxPending},
	} {
		for range step.times {
			n.weigh(step.bytes, 1)
		}
		if got := n.room.Load(); got != step.room {
			t.Errorf("after %s, %d bytes on average: the queue of a connection takes %d, want %d", step.what, n.large.Load(), got, step.room)
		}
	}
}

func TestLanes_OneConnectionIsOneLane(t *testing.T) {
	n := crowd(1)
	n.adapt(1000, 1<<20)
	if got := n.lanes.Load(); got != 1 {
		t.Errorf("%d lanes with MaxConns 1, want 1", got)
	}
}

func TestProcessor_KeepsItsLaneUnlessTheOtherLiesIdle(t *testing.T) {
	conns := []*conn{{}, {}}
	p := &processor{}
	conns[1].load.Store(1)
	for range 10 * changeAfter {
		if p.keep(conns) != conns[0] {
			t.Fatal("changed over to a lane in use")
		}
	}
	conns[1].load.Store(0)
	for i := range changeAfter - checkEvery {
		if p.keep(conns) != conns[0] {
			t.Fatalf("changed over after %d operations", i)
		}
	}
	for range 2 * checkEvery {
		p.keep(conns)
	}
	if p.keep(conns) != conns[1] {
		t.Error("stayed although the other lane lay idle")
	}
}

// TestLanes_AreForOperationsBelowAKibibyte there and back.
func TestLanes_AreForOperationsBelowAKibibyte(t *testing.T) {
	for bytes, want := range map[int]bool{1000: false, 1050: true} {
		n := crowd(8)
		for range 1000 {
			n.weigh(bytes, 1)
		}
		if got := n.bulky.Load(); got != want {
			t.Errorf("operations of %d bytes spread over all connections: %v, want %v", bytes, got, want)
		}
	}
}
