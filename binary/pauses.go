package memcached

import (
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// firstPause and longQuickPause are the pauses between attempts in the first
	// quickPauses after the first failure, and slowPause is for steadyPauses.
	// Later they double up to Options.RetryAfter.
	firstPause     = 5 * time.Millisecond
	longQuickPause = 40 * time.Millisecond
	quickPauses    = time.Second
	slowPause      = 80 * time.Millisecond
	steadyPauses   = 5 * time.Second
	// firstAuthPause is the first pause after credentials were refused.
	firstAuthPause = 100 * time.Millisecond
	// burst is how many connections may break, each within strikeWindow of the
	// one before, until spacing is between attempts to connect although
	// operations are answered.
	burst        = 3
	strikeWindow = time.Second
	spacing      = 10 * time.Millisecond
	// strayPause is the longest pause after a connection led to another server.
	strayPause = 100 * time.Millisecond
	// growFraction is the fraction of Options.RetryAfter that the first pause
	// takes when a server that works takes no more connections.
	growFraction = 4
)

// pauses are those between attempts to connect.
type pauses struct {
	pause   time.Duration // the last
	retryAt int64         // when the next attempt may be made while the server is down

	growPause time.Duration // the same for connections beside others
	growAt    int64

	strikes int   // connections that broke soon after each other
	struck  int64 // when the last of them did
}

// next sets when a server that is down is tried again. Most come back soon: they
// were restarted.
func (p *pauses) next(now, since int64, retryAfter time.Duration, why error) {
	age := time.Duration(now - since)
	limit, first := retryAfter, firstPause
	switch {
	case errors.Is(why, ErrAuth):
		first = firstAuthPause
	case age < steadyPauses && isTimeout(why): // an attempt waits beside the new ones
		first, limit = longQuickPause, slowPause
	case age < quickPauses:
		limit = longQuickPause
	case age < steadyPauses:
		limit = slowPause
	}
	p.pause = min(max(2*p.pause, first), limit, retryAfter)
	p.retryAt = now + int64(jitter(p.pause))
}

// grow sets when a server that works is asked for more connections again.
func (p *pauses) grow(now int64, retryAfter time.Duration) {
	p.growPause = min(max(2*p.growPause, retryAfter/growFraction), retryAfter)
	p.growAt = now + int64(jitter(p.growPause))
}

// strike notes that a connection broke.
func (p *pauses) strike(now int64) {
	if time.Duration(now-p.struck) > strikeWindow {
		p.strikes = 0
	}
	p.strikes++
	p.struck = now
}

// space returns how long an attempt to connect has to wait because connections
// break all the time.
func (p *pauses) space(now int64, retryAfter time.Duration) time.Duration {
	if p.strikes <= burst || time.Duration(now-p.struck) > strikeWindow {
		return 0
	}
	return min(spacing, retryAfter)
}

// reset ends the pauses of a server that was down.
func (p *pauses) reset() { p.pause, p.retryAt = 0, 0 }

// connected ends the pauses between attempts to have more connections.
func (p *pauses) connected() { p.growPause, p.growAt = 0, 0 }

// jitter returns a pause that is up to a quarter shorter.
func jitter(pause time.Duration) time.Duration {
	return pause - time.Duration(rand.Int64N(int64(pause)/4+1))
}
