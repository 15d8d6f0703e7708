package memcached

import (
	"errors"
	"testing"
	"time"
)

// attemptsUntil returns how many attempts a server that is down gets until the
// given time, and the longest pause before it.
func attemptsUntil(limit, retryAfter time.Duration, why error) (attempts int, longest time.Duration) {
	p := &pauses{}
	for now := int64(0); ; {
		p.next(now, 0, retryAfter, why)
		pause := time.Duration(p.retryAt - now)
		if now = p.retryAt; now > int64(limit) {
			return attempts, longest
		}
		attempts++
		longest = max(longest, pause)
	}
}

// TestPauses_ServersThatComeBackSoonAreUsedSoon also bounds the attempts.
func TestPauses_ServersThatComeBackSoonAreUsedSoon(t *testing.T) {
	refused := errors.New("connection refused")
	for _, test := range []struct {
		name         string
		until, retry time.Duration
		why          error
		pause        time.Duration
		attempts     int
	}{
		{"restart", time.Second, time.Second, refused, 40 * time.Millisecond, 40},
		{"freeze", 5 * time.Second, time.Second, refused, 80 * time.Millisecond, 110},
		{"silence", 5 * time.Second, time.Second, errTimeout, 80 * time.Millisecond, 90},
		{"an hour", time.Hour, time.Second, refused, time.Second, 110 + 3600*4/3},
		{"RetryAfter of a millisecond", time.Second, time.Millisecond, refused, time.Millisecond, 1500},
		{"refused credentials", 5 * time.Second, time.Second, ErrAuth, time.Second, 12},
		{"refused credentials, RetryAfter of an hour", time.Minute, time.Hour, ErrAuth, time.Minute, 11},
	} {
		attempts, longest := attemptsUntil(test.until, test.retry, test.why)
		if longest > test.pause || attempts > test.attempts || attempts < 5 {
			t.Errorf("%s: %d attempts with pauses up to %v, want up to %d and %v", test.name, attempts, longest, test.attempts, test.pause)
		}
	}
}

// TestPauses_BesideOtherConnections: a server that takes no more connections is
// asked again after pauses that double up to Options.RetryAfter.
func TestPauses_BesideOtherConnections(t *testing.T) {
	p := &pauses{}
	now := int64(5 * time.Second)
	for _, want := range []time.Duration{time.Second / 4, time.Second / 2, time.Second, time.Second} {
		p.grow(now, time.Second)
		if least, most := now+int64(want)*3/4, now+int64(want); p.growAt < least || p.growAt > most {
			t.Errorf("a pause of %v, want %v or up to a quarter less", time.Duration(p.growAt-now), want)
		}
	}
	p.connected()
	if p.growAt != 0 {
		t.Error("a pause after a connection was made")
	}
}

// TestPauses_ConnectionsThatBreakAllTheTime: operations are answered between.
func TestPauses_ConnectionsThatBreakAllTheTime(t *testing.T) {
	p := &pauses{}
	now := int64(time.Hour)
	for i, want := range []time.Duration{0, 0, 0, spacing, spacing} {
		p.strike(now)
		p.reset() // an operation was answered
		if got := p.space(now, time.Second); got != want {
			t.Errorf("after %d connections that broke: %v until the next attempt, want %v", i+1, got, want)
		}
	}
	now += int64(2 * time.Second)
	if got := p.space(now, time.Second); got != 0 {
		t.Errorf("%v after a quiet time, want 0", got)
	}
}

// TestPauses_AreThoseOfTheDocumentation: 5 ms, then up to 40 ms for a second, up to
// 80 ms for five, then doubled up to RetryAfter; from 100 ms after credentials were
// refused.
func TestPauses_AreThoseOfTheDocumentation(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name  string
		since time.Duration // the first failure
		last  time.Duration // pause
		retry time.Duration // Options.RetryAfter
		why   error
		want  time.Duration
	}{
		{"first", 0, 0, time.Second, nil, 5 * ms},
		{"second", 5 * ms, 5 * ms, time.Second, nil, 10 * ms},
		{"up to a second", 999 * ms, 40 * ms, time.Second, nil, 40 * ms},
		{"from a second on", time.Second, 40 * ms, time.Second, nil, 80 * ms},
		{"up to five seconds", 4999 * ms, 80 * ms, time.Second, nil, 80 * ms},
		{"from five seconds on", 5 * time.Second, 80 * ms, time.Second, nil, 160 * ms},
		{"later", 10 * time.Second, 640 * ms, time.Second, nil, time.Second},
		{"with RetryAfter of a minute", time.Minute, 20 * time.Second, time.Minute, nil, 40 * time.Second},
		{"with RetryAfter of 2 ms", 0, 0, 2 * ms, nil, 2 * ms},
		{"first after silence, which an attempt waits out", 0, 0, time.Second, errTimeout, 40 * ms},
		{"first after refused credentials", 0, 0, time.Second, ErrAuth, 100 * ms},
		{"second after refused credentials", 100 * ms, 100 * ms, time.Second, ErrAuth, 200 * ms},
	} {
		p := &pauses{pause: test.last}
		now := int64(time.Hour)
		p.next(now, now-int64(test.since), test.retry, test.why)
		if pause := time.Duration(p.retryAt - now); p.pause != test.want || pause > test.want || pause < test.want*3/4 {
			t.Errorf("%s: a pause of %v, of %v without jitter, want %v or up to a quarter less", test.name, pause, p.pause, test.want)
		}
	}
}
