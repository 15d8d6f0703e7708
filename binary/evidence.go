package memcached

import (
	"errors"
	"fmt"
	"io"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// What operations and connections tell of a server's health.

// heard notes that an operation was answered on c. It costs a look at one flag and
// at the status while the server is up.
func (n *node) heard(c *conn, cl *call) {
	status := cl.result.status
	if b, ok := cl.batch.(multiBatch); ok {
		for _, err := range b.failures() {
			var e *StatusError
			if errors.As(err, &e) {
				status = max(status, wire.Status(e.Status))
			}
		}
	}
	switch {
	case status == wire.StatusUnknownCommand: // it ends the connection: see broke
	case unfit(cl.op, status):
		n.refused(cl.op, status)
		if status == wire.StatusAuthError && n.client.opts.Auth != nil {
			n.replace(c)
		}
	case n.failing.Load() && onData(cl.op):
		n.answered()
	}
}

// unfit reports whether a status says that the server serves nobody, as a proxy
// does whose server is gone.
func unfit(op wire.Opcode, status wire.Status) bool {
	switch status {
	case wire.StatusAuthError:
		return op != wire.OpFlush // which memcached -F refuses
	case wire.StatusInternalError, wire.StatusBusy, wire.StatusTemporaryFailure:
		return true
	default:
		return false
	}
}

// onData reports whether an operation needs more of a server than that it
// greets.
func onData(op wire.Opcode) bool {
	switch op {
	case wire.OpNoop, wire.OpVersion, wire.OpStat:
		return false
	default:
		return true
	}
}

// unknownError ends a connection on which the server answered that it does not
// know an operation.
type unknownError struct{ op wire.Opcode }

func (e *unknownError) Error() string {
	return fmt.Sprintf("the server does not know %s, and its connection is out of step after it", e.op)
}

// answered notes that an operation on data was carried out.
func (n *node) answered() {
	n.mu.Lock()
	n.follow(n.health.answered())
}

// refused notes that a server answered an operation with a status by which it
// serves nobody.
func (n *node) refused(op wire.Opcode, status wire.Status) {
	n.mu.Lock()
	if n.closed != nil {
		n.mu.Unlock()
		return
	}
	n.follow(n.health.refused(n.client.now(), statusError(op, status, "")))
}

// replace makes a connection leave on which the server wants authentication again,
// as a proxy does that has lost its own. memcached closes it. What is under way on
// it ends there: who knows which of it a proxy refuses.
func (n *node) replace(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed == nil {
		n.health.pauses.strike(n.client.now())
		n.dismiss(func(other *conn) bool { return other == c })
	}
}

// broke notes that a connection ended. used says that there were operations on
// it.
func (n *node) broke(c *conn, cause error, used bool) {
	now := n.client.now()
	alive, since := c.lastRead.Load(), c.silentSince()
	var unknown *unknownError
	switch {
	case errors.Is(cause, ErrClosed), errors.Is(cause, errRetired), cause == errIdle, cause == errStale, cause == errLeft:
		return
	case errors.As(cause, &unknown) && !onData(unknown.op):
		return
	case isTimeout(cause):
		n.suspect(since)
	case isReset(cause) || errors.Is(cause, io.EOF):
		n.dropStale()
		// A server may close what is idle, at the moment when it is used again.
		if !used || alive+int64(idleCheck) <= c.pendingSince.Load() {
			return
		}
	}
	n.mu.Lock()
	if n.closed != nil {
		n.mu.Unlock()
		return
	}
	n.health.pauses.strike(now)
	if isTimeout(cause) && n.isDeadFlow(since) {
		n.mu.Unlock()
		return
	}
	n.follow(n.health.broke(now, alive, cause, len(*n.conns.Load()) > 0))
}

// follow carries out what a transition asks for. It is called under mu, which it
// releases before it logs: a handler of the program's may wait, or use the client.
func (n *node) follow(t transition) {
	n.failing.Store(n.health.state() != up)
	leaves, back := t.to == ejected && t.from != ejected, t.to == up && t.from >= down
	if t.to >= down && t.from < down || back {
		n.superviseRecovery()
	}
	cause, failures := n.health.err, n.health.failures
	n.mu.Unlock()
	if leaves || back && t.from == ejected {
		n.client.rebuild()
	}
	log, server := n.client.log(), n.addr.name
	if t.fell {
		log.Warn("memcached: server is down", "server", server, "error", cause)
	}
	switch {
	case leaves:
		log.Warn("memcached: server is ejected", "server", server, "failures", failures)
	case back:
		log.Info("memcached: server is back", "server", server)
	}
}

// isEjected reports whether the distribution leaves the server out.
func (n *node) isEjected() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.health.ejected
}

var errUnproved = errors.New("the server greets and does not answer operations")

// proofKey is the key that is asked for to see whether a server answers
// operations. Nobody needs to have it.
const proofKey = "bmemcached-go:are-you-there"

// prove asks for a key.
func (h *handshake) prove() error {
	err := h.exchange(wire.AppendKey(nil, wire.OpGet, 0, proofKey))
	switch {
	case isTimeout(err):
		return err // says so
	case err != nil:
		return unavailable(fmt.Errorf("%w: %w", errUnproved, err))
	}
	switch h.frame.Status {
	case wire.StatusAuthError, wire.StatusInternalError, wire.StatusBusy, wire.StatusTemporaryFailure, wire.StatusUnknownCommand:
		return unavailable(fmt.Errorf("%w: %w", errUnproved, h.statusError()))
	default:
		return nil
	}
}
