package memcached

import "time"

// healthState is what the client thinks of a server. Only operations on data
// decide: a greeting (connecting, NOOP, authentication) proves nothing, because a
// proxy greets although the server behind it is dead.
//
//	up       the last operation was answered, or none was sent yet
//	failing  an operation failed, and none was answered since
//	down     operations fail at once: there is no connection, and the last
//	         attempt to connect failed or two failures came in a row
//	ejected  Options.EjectAfter failures came in a row: the distribution leaves
//	         the server out
//
// While a server is down or ejected a goroutine tries it (recover.go).
type healthState uint8

const (
	up healthState = iota
	failing
	down
	ejected
)

func (s healthState) String() string {
	return [...]string{"up", "failing", "down", "ejected"}[s]
}

// health is the state machine of one server's health. It has no lock, clock or
// goroutine of its own: a node has one under its mu, tells it of events, and
// follows up what they changed.
type health struct {
	ejectAfter int           // Options.EjectAfter
	retryAfter time.Duration // Options.RetryAfter

	failures int   // consecutive
	silent   bool  // one of them was silence
	since    int64 // when the first of them was, on the client's clock
	last     int64 // when the last of them was
	err      error // why operations fail at once; nil: the server is not down
	ejected  bool
	pauses   pauses
}

// transition is what an event changed.
type transition struct {
	from, to healthState
	fell     bool // operations fail at once from now on; an ejected server falls, too
}

// state returns the state. An ejected server may be down as well.
func (h *health) state() healthState {
	switch {
	case h.ejected:
		return ejected
	case h.err != nil:
		return down
	case h.failures > 0:
		return failing
	default:
		return up
	}
}

// answered is the event that an operation on data was carried out.
func (h *health) answered() transition {
	t := transition{from: h.state(), to: up}
	h.failures, h.silent, h.err, h.ejected = 0, false, nil, false
	h.pauses.reset()
	return t
}

// connectFailed is the event that no connection could be made, or that one
// could not be used. others says that there are some: then the server works, and
// does not take more.
func (h *health) connectFailed(now int64, err error, others bool) transition {
	if others {
		h.pauses.grow(now, h.retryAfter)
		return transition{from: h.state(), to: h.state()}
	}
	return h.fail(now, err, true)
}

// broke is the event that a connection ended with operations on it. alive is when
// it last showed signs of life: connections that were silent since before the
// last failure tell nothing new.
func (h *health) broke(now, alive int64, err error, others bool) transition {
	if isTimeout(err) {
		h.silent = true
	}
	if h.failures > 0 && alive <= h.last {
		return transition{from: h.state(), to: h.state()}
	}
	return h.fail(now, err, !others && h.failures > 0)
}

// refused is the event that a server answered an operation with a status by
// which it cannot serve any.
func (h *health) refused(now int64, err error) transition { return h.fail(now, err, false) }

// fail counts a failure. falls says that operations fail at once from now on.
func (h *health) fail(now int64, err error, falls bool) transition {
	t := transition{from: h.state()}
	if h.failures++; h.failures == 1 {
		h.since = now
	}
	h.last = now
	if h.ejectAfter > 0 && h.failures >= h.ejectAfter {
		h.ejected = true
	}
	if falls {
		t.fell = h.err == nil
		h.err = err
	}
	if t.to = h.state(); t.to >= down && t.from < down {
		h.pauses.next(now, h.since, h.retryAfter, h.err)
	}
	return t
}

// mustProve reports whether a new connection has to prove that operations are
// answered on it before it is used. After a single failure that was not silence
// the operation that wants the connection is the proof.
func (h *health) mustProve() bool { return h.silent || h.failures > 1 || h.state() >= down }
