package memcached

import (
	"context"
	"math/rand/v2"
	"time"
)

// healthState is what the client thinks of a server. The events connected,
// connectFailed, silent and answered of health change it:
//
//	up       it answers, or was not asked yet
//	failing  it was silent, and has carried out no operation since
//	down     no connection can be made and none is left: operations fail at
//	         once, except for one that tries after each pause
//	ejected  it failed Options.EjectAfter times in a row: the distribution
//	         leaves it out, and a goroutine tries it until it is connected
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

// firstPause is the fraction of Options.RetryAfter that the first pause takes.
const firstPause = 4

// health is the state machine of one server's health. It has no lock, clock or
// goroutine of its own: a node has one under its mu, tells it of events, and
// follows up what they changed.
type health struct {
	ejectAfter int           // Options.EjectAfter
	retryAfter time.Duration // Options.RetryAfter

	failures int           // consecutive
	err      error         // why no connection can be made; nil: it is not down
	pause    time.Duration // before the next attempt
	retryAt  int64         // when that is, on the client's clock
	ejected  bool
}

// transition is what an event changed.
type transition struct {
	from, to healthState
	fell     bool // no connection can be made any more; an ejected server falls, too
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

// connected is the event that a connection was made.
func (h *health) connected() transition {
	from := h.state()
	*h = health{ejectAfter: h.ejectAfter, retryAfter: h.retryAfter}
	return transition{from: from, to: up}
}

// connectFailed is the event that no connection could be made. others says that
// there are some: then the server works, and does not take more.
func (h *health) connectFailed(now int64, err error, others bool) transition {
	h.pause = min(max(2*h.pause, h.retryAfter/firstPause), h.retryAfter)
	jittered := h.pause - time.Duration(rand.Int64N(int64(h.pause)/4+1))
	h.retryAt = now + int64(jittered)
	from := h.state()
	if others {
		return transition{from: from, to: from}
	}
	fell := h.err == nil
	h.err = err
	h.fail()
	return transition{from: from, to: h.state(), fell: fell}
}

// silent is the event that a connection was closed because the server did not
// answer.
func (h *health) silent() transition {
	from := h.state()
	h.fail()
	return transition{from: from, to: h.state()}
}

// fail counts a failure.
func (h *health) fail() {
	h.failures++
	if h.ejectAfter > 0 && h.failures >= h.ejectAfter {
		h.ejected = true
	}
}

// answered is the event that an operation was carried out. It does not end the
// states down and ejected: only a new connection does.
func (h *health) answered() { h.failures = 0 }

// mayConnect reports whether the pause before the next attempt is over.
func (h *health) mayConnect(now int64) bool { return now >= h.retryAt }

// followUp carries out, under mu, what a transition asks for. When it returns
// true the distribution changes: client.rebuild has to follow without mu.
func (n *node) followUp(t transition) (rebuild bool) {
	n.failing.Store(n.health.failures > 0)
	log, server := n.client.log(), n.addr.name
	if t.fell {
		log.Warn("memcached: server is down", "server", server, "error", n.health.err)
	}
	switch {
	case t.to == ejected && t.from != ejected:
		log.Warn("memcached: server is ejected", "server", server, "failures", n.health.failures)
		n.client.goroutines.Go(n.probe)
		return true
	case t.to == up && t.from >= down:
		log.Info("memcached: server is back", "server", server)
		return t.from == ejected
	}
	return false
}

// silent notes that a connection was closed because the server did not answer.
func (n *node) silent() {
	n.mu.Lock()
	rebuild := n.closed == nil && n.followUp(n.health.silent())
	n.mu.Unlock()
	if rebuild {
		n.client.rebuild()
	}
}

// answered notes that the server carried out an operation. It costs a look at
// one flag while the server is up.
func (n *node) answered() {
	if !n.failing.Load() {
		return
	}
	n.mu.Lock()
	n.health.answered()
	n.failing.Store(false)
	n.mu.Unlock()
}

// isEjected reports whether the distribution leaves the server out.
func (n *node) isEjected() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.health.ejected
}

// probe tries an ejected server again until it answers or is removed.
func (n *node) probe() {
	for {
		n.mu.Lock()
		if n.closed != nil || !n.health.ejected {
			n.mu.Unlock()
			return
		}
		pause := time.Duration(max(n.health.retryAt-n.client.now(), int64(time.Millisecond)))
		n.mu.Unlock()
		select {
		case <-time.After(pause):
			_, _ = n.dial(context.Background(), noDeadline)
		case <-n.client.done:
			return
		}
	}
}
