package memcached

import (
	"errors"
	"testing"
	"time"
)

// TestHealth_Transitions walks the state machine through events and looks at
// the state after each and at what changed.
func TestHealth_Transitions(t *testing.T) {
	refused := errors.New("connection refused")
	const others = true
	type step struct {
		what  string
		event func(h *health) transition
		want  transition
	}
	connected := func(h *health) transition { return h.connected() }
	silent := func(h *health) transition { return h.silent() }
	answered := func(h *health) transition {
		from := h.state()
		h.answered()
		return transition{from: from, to: h.state()}
	}
	connectFailed := func(others bool) func(h *health) transition {
		return func(h *health) transition { return h.connectFailed(0, refused, others) }
	}
	for _, test := range []struct {
		name       string
		ejectAfter int
		steps      []step
	}{
		{"down and back", 0, []step{
			{"no connection", connectFailed(!others), transition{up, down, true}},
			{"none again", connectFailed(!others), transition{down, down, false}},
			{"connected", connected, transition{down, up, false}},
			{"no connection", connectFailed(!others), transition{up, down, true}},
		}},
		{"no more connections", 1, []step{
			{"refused beside others", connectFailed(others), transition{up, up, false}},
			{"connected", connected, transition{up, up, false}},
		}},
		{"silence is forgiven", 3, []step{
			{"silent", silent, transition{up, failing, false}},
			{"silent again", silent, transition{failing, failing, false}},
			{"answered", answered, transition{failing, up, false}},
			{"silent", silent, transition{up, failing, false}},
			{"silent again", silent, transition{failing, failing, false}},
			{"and again", silent, transition{failing, ejected, false}},
		}},
		{"silence never ejects", 0, []step{
			{"silent", silent, transition{up, failing, false}},
			{"silent again", silent, transition{failing, failing, false}},
		}},
		{"ejected by silence, then not reachable", 1, []step{
			{"silent", silent, transition{up, ejected, false}},
			{"no connection", connectFailed(!others), transition{ejected, ejected, true}},
			{"an operation from before is answered", answered, transition{ejected, ejected, false}},
			{"connected", connected, transition{ejected, up, false}},
		}},
		{"silence and refusal count together", 2, []step{
			{"silent", silent, transition{up, failing, false}},
			{"no connection", connectFailed(!others), transition{failing, ejected, true}},
			{"connected", connected, transition{ejected, up, false}},
			{"no connection", connectFailed(!others), transition{up, down, true}},
			{"none again", connectFailed(!others), transition{down, ejected, false}},
		}},
		{"an answer on an old connection does not end down", 0, []step{
			{"no connection", connectFailed(!others), transition{up, down, true}},
			{"answered", answered, transition{down, down, false}},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &health{ejectAfter: test.ejectAfter, retryAfter: time.Second}
			for i, s := range test.steps {
				if got := s.event(h); got != s.want {
					t.Fatalf("step %d, %s: from %v to %v, fell %v; want from %v to %v, %v",
						i+1, s.what, got.from, got.to, got.fell, s.want.from, s.want.to, s.want.fell)
				}
			}
		})
	}
}

// TestHealth_Pauses: they double up to Options.RetryAfter, each up to a quarter
// shorter by chance, and a connection ends them.
func TestHealth_Pauses(t *testing.T) {
	h := &health{retryAfter: time.Second}
	refused := errors.New("connection refused")
	now := int64(5 * time.Second)
	if !h.mayConnect(0) {
		t.Error("a pause before the first attempt")
	}
	for _, want := range []time.Duration{time.Second / 4, time.Second / 2, time.Second, time.Second} {
		h.connectFailed(now, refused, false)
		least, most := now+int64(want)*3/4, now+int64(want)
		if h.mayConnect(least - 1) {
			t.Errorf("an attempt before %v", time.Duration(least-now))
		}
		if !h.mayConnect(most) {
			t.Errorf("no attempt after %v", want)
		}
		now = most
	}
	h.connected()
	if !h.mayConnect(0) {
		t.Error("a pause after a connection was made")
	}
}
