package store

import (
	"fmt"
	"time"
)

// checkTTL refuses a time to live between 0 and a millisecond: 60 is 60 ns, and
// can only be a forgotten unit.
func checkTTL(what string, ttl time.Duration) error {
	if ttl > 0 && ttl < time.Millisecond {
		return fmt.Errorf("memcached store: %s of %v: durations have units, as in 60*time.Second", what, ttl)
	}
	return nil
}

// checkPositive refuses what checkTTL refuses, and everything that is not
// above 0.
func checkPositive(what string, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("memcached store: %s is %v: it must be above 0", what, d)
	}
	return checkTTL(what, d)
}
