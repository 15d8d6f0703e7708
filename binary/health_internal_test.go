package memcached

import (
	"errors"
	"io"
	"testing"
	"time"
)

// TestHealth_Transitions walks the state machine through events, one a second,
// and looks at the state after each and at what changed.
func TestHealth_Transitions(t *testing.T) {
	refusedErr := errors.New("connection refused")
	const others = true
	type step struct {
		what  string
		event func(h *health, now int64) transition
		want  transition
	}
	answered := func(h *health, _ int64) transition { return h.answered() }
	refused := func(h *health, now int64) transition { return h.refused(now, refusedErr) }
	connectFailed := func(others bool) func(*health, int64) transition {
		return func(h *health, now int64) transition { return h.connectFailed(now, refusedErr, others) }
	}
	// broke is a connection that was alive some time ago.
	broke := func(err error, ago time.Duration, others bool) func(*health, int64) transition {
		return func(h *health, now int64) transition { return h.broke(now, now-int64(ago), err, others) }
	}
	const fresh, old = time.Millisecond, time.Minute
	for _, test := range []struct {
		name       string
		ejectAfter int
		steps      []step
	}{
		{"down and back", 0, []step{
			{"no connection", connectFailed(!others), transition{up, down, true}},
			{"none again", connectFailed(!others), transition{down, down, false}},
			{"answered", answered, transition{down, up, false}},
			{"no connection", connectFailed(!others), transition{up, down, true}},
		}},
		{"no more connections", 1, []step{
			{"refused beside others", connectFailed(others), transition{up, up, false}},
		}},
		{"only an answer forgives", 3, []step{
			{"silent", broke(errTimeout, fresh, others), transition{up, failing, false}},
			{"broken", broke(io.EOF, fresh, others), transition{failing, failing, false}},
			{"answered", answered, transition{failing, up, false}},
			{"silent", broke(errTimeout, fresh, others), transition{up, failing, false}},
			{"broken", broke(io.EOF, fresh, others), transition{failing, failing, false}},
			{"refused", refused, transition{failing, ejected, false}},
			{"answered", answered, transition{ejected, up, false}},
		}},
		{"what broke before the last failure tells nothing", 2, []step{
			{"broken", broke(io.EOF, old, !others), transition{up, failing, false}},
			{"another from before", broke(io.EOF, old, !others), transition{failing, failing, false}},
			{"a new one", broke(io.EOF, fresh, !others), transition{failing, ejected, true}},
		}},
		{"two in a row without other connections", 0, []step{
			{"silent", broke(errTimeout, fresh, !others), transition{up, failing, false}},
			{"silent again", broke(errTimeout, fresh, !others), transition{failing, down, true}},
			{"answered", answered, transition{down, up, false}},
		}},
		{"silence never ejects", 0, []step{
			{"silent", broke(errTimeout, fresh, others), transition{up, failing, false}},
			{"silent again", broke(errTimeout, fresh, others), transition{failing, failing, false}},
		}},
		{"ejected by silence, then not reachable", 1, []step{
			{"silent", broke(errTimeout, fresh, others), transition{up, ejected, false}},
			{"no connection", connectFailed(!others), transition{ejected, ejected, true}},
			{"answered", answered, transition{ejected, up, false}},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &health{ejectAfter: test.ejectAfter, retryAfter: time.Second}
			for i, s := range test.steps {
				if got := s.event(h, int64(i+1)*int64(time.Second)); got != s.want {
					t.Fatalf("step %d, %s: from %v to %v, fell %v; want from %v to %v, %v",
						i+1, s.what, got.from, got.to, got.fell, s.want.from, s.want.to, s.want.fell)
				}
			}
		})
	}
}

// TestHealth_MustProve: a greeting is not enough after silence, and after two
// failures of any kind.
func TestHealth_MustProve(t *testing.T) {
	for _, test := range []struct {
		name   string
		events func(h *health)
		want   bool
	}{
		{"new", func(*health) {}, false},
		{"broken once", func(h *health) { h.broke(1, 0, io.EOF, false) }, false},
		{"broken twice", func(h *health) { h.broke(1, 0, io.EOF, false); h.broke(3, 2, io.EOF, false) }, true},
		{"broken twice beside others", func(h *health) { h.broke(1, 0, io.EOF, true); h.broke(3, 2, io.EOF, true) }, true},
		{"silent", func(h *health) { h.broke(1, 0, errTimeout, false) }, true},
		{"silent and answered", func(h *health) { h.broke(1, 0, errTimeout, false); h.answered() }, false},
		{"not reachable", func(h *health) { h.connectFailed(1, io.EOF, false) }, true},
	} {
		h := &health{retryAfter: time.Second}
		if test.events(h); h.mustProve() != test.want {
			t.Errorf("%s: mustProve = %v, want %v", test.name, !test.want, test.want)
		}
	}
}
