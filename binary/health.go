package memcached

import (
	"context"
	"time"
)

// isEjected reports whether the distribution leaves the server out.
func (n *node) isEjected() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.health.ejected
}

// silent notes that a connection was closed because the server did not answer.
func (n *node) silent() {
	n.mu.Lock()
	ejected := n.countFailure()
	n.mu.Unlock()
	if ejected {
		n.client.rebuild()
	}
}

// answered notes that the server carried out an operation.
func (n *node) answered() {
	if !n.failing.Load() {
		return
	}
	n.mu.Lock()
	n.health.failures = 0
	n.failing.Store(false)
	n.mu.Unlock()
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

// gone is what inFlight is lowered by when a node was removed.
const gone = -1 << 30

// enter counts an operation in. It returns false when the node was removed.
func (n *node) enter() bool {
	if n.inFlight.Add(1) > 0 {
		return true
	}
	n.inFlight.Add(-1)
	return false
}

// leave counts an operation out. The last one closes a node that SetServers
// removed.
func (n *node) leave() {
	if n.inFlight.Add(-1) == 0 && n.retired.Load() {
		n.closeRetired()
	}
}

// retire closes the node when the operations in flight have ended.
func (n *node) retire() {
	n.retired.Store(true)
	n.closeRetired()
}

func (n *node) closeRetired() {
	if n.inFlight.CompareAndSwap(0, gone) {
		n.close(errRetired)
		n.client.forget(n)
	}
}
