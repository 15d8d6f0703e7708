package memcached

import (
	"fmt"
	"math"
	"time"
)

const (
	// maxRelative is the longest expiry that memcached takes as a duration;
	// larger numbers are Unix times (memcached.c, realtime).
	maxRelative = 30 * 24 * time.Hour / time.Second
	// expiredAt is a Unix time in the past. The number is unsigned on the
	// wire, so a negative one would live until 2106.
	expiredAt uint32 = uint32(maxRelative) + 1
	// lastExpiry is the largest time; one more means "do not create" to
	// counters.
	lastExpiry uint32 = math.MaxUint32 - 1
)

// checkDuration refuses a duration that can only be a forgotten unit: TTL: 60
// compiles, and is 60 ns.
func checkDuration(what string, d time.Duration) error {
	if 0 < d && d < time.Millisecond {
		return fmt.Errorf("memcached: %s of %v: durations have units, as in 60*time.Second", what, d)
	}
	return nil
}

func checkTTL(ttl time.Duration) error { return checkDuration("time to live", ttl) }

// expiry converts a time to live to what the protocol wants.
func expiry(ttl time.Duration) uint32 {
	switch {
	case ttl == 0:
		return 0
	case ttl < 0:
		return expiredAt
	}
	seconds := ttl / time.Second
	if ttl%time.Second != 0 {
		seconds++
	}
	if seconds <= maxRelative {
		return uint32(seconds)
	}
	return uint32(min(time.Now().Unix()+int64(seconds), int64(lastExpiry)))
}
