package store

import (
	"fmt"
	"time"
)

// serverMargin is how much longer than in the store an item lives on the server.
// Memcached's clock has whole seconds. It is read once a second, by a timer that
// drifts, so that it sometimes advances by two at once (memcached.c,
// clock_handler): an item can be gone almost two seconds early. The stamp ends
// items in time.
const serverMargin = 2 * time.Second

// serverTTL returns the TTL on the server of an item with a stamp, which stays
// there for keep after its deadline.
func serverTTL(ttl, keep time.Duration) time.Duration {
	if ttl <= 0 {
		return ttl
	}
	return ttl + min(keep+serverMargin, maxDuration-ttl)
}

// checkTTL refuses a time to live between 0 and a millisecond: 60 is 60 ns, and
// can only be a forgotten unit.
func checkTTL(what string, ttl time.Duration) error {
	if ttl > 0 && ttl < time.Millisecond {
		return fmt.Errorf("store: %s of %v: durations have units, as in 60*time.Second", what, ttl)
	}
	return nil
}

// checkPositive refuses what checkTTL refuses, and everything that is not
// above 0.
func checkPositive(what string, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("store: %s is %v: want more than 0", what, d)
	}
	return checkTTL(what, d)
}
