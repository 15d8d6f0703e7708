package memcached

import "time"

// A server that is down or ejected is tried by a goroutine, so that no operation
// waits for an answer that probably does not come. It makes a new attempt after
// each pause and lets the oldest one go on beside it: a server that was frozen
// answers what waits for it, and one that was cut off by the network answers what
// is new.

// maxProbes is how many attempts there are at the same time.
const maxProbes = 2

// superviseRecovery starts, under mu, the goroutine or tells it that the state
// has changed.
func (n *node) superviseRecovery() {
	if n.health.state() >= down && !n.recovering {
		n.recovering = true
		n.client.goroutines.Go(n.recover)
		return
	}
	select {
	case n.woken <- struct{}{}:
	default:
	}
}

// recover tries the server until operations on it are answered or it is removed.
func (n *node) recover() {
	for {
		n.mu.Lock()
		if n.closed != nil || n.health.state() < down {
			n.recovering = false
			n.mu.Unlock()
			return
		}
		now := n.client.now()
		var t transition
		if now >= n.health.pauses.retryAt {
			t = n.probe(now)
		}
		pause := time.NewTimer(time.Duration(n.health.pauses.retryAt - now))
		n.follow(t)
		select {
		case <-pause.C:
		case <-n.woken:
		case <-n.client.done:
			pause.Stop()
			return
		}
		pause.Stop()
	}
}

// probe begins, under mu, another attempt. When there are enough it takes the
// place of the newest, which then has failed.
func (n *node) probe(now int64) (t transition) {
	h := &n.health
	h.pauses.next(now, h.since, h.retryAfter, h.err)
	if len(n.attempts) > maxProbes { // one was cancelled and does not end
		return t
	}
	if len(n.attempts) == maxProbes {
		newest := n.attempts[maxProbes-1]
		if enough := newest.began + int64(n.trialTime()); now < enough {
			h.pauses.retryAt = enough
			return t
		}
		newest.replace()
		n.failedPeer = newest.peer
		t = h.fail(now, h.err, false)
	}
	n.startAttempt()
	return t
}
