package store

import "time"

// stamp is a deadline in few bits. The highest bits choose a unit of time. The
// others are the deadline in such units since 1970, modulo their range. 0 means
// no deadline.
//
// A finer unit has a shorter reach. The TTL decides which unit is used.
type stamp uint32

// stampFormat is how a stamp is laid out.
type stampFormat struct {
	countBits int
	units     []time.Duration
}

var (
	// fine has 25 bits. Its units reach 54 hours, 72 days, 582 days and
	// 204 years.
	fine = stampFormat{23, []time.Duration{
		time.Second / 32, time.Second, 8 * time.Second, 1024 * time.Second,
	}}
	// coarse has 21 bits. Its units reach 102 minutes, 13 hours, 4 days,
	// 18 days, 72 days, 291 days, 12 years and 204 years.
	coarse = stampFormat{18, []time.Duration{
		time.Second / 32, time.Second / 4, 2 * time.Second, 8 * time.Second,
		32 * time.Second, 128 * time.Second, 2048 * time.Second, 32768 * time.Second,
	}}
)

// A stamp's count wraps around. A writer's deadline is at most three quarters of
// the range ahead. A reader's clock may be behind, so to a reader up to seven
// eighths ahead is the future, and the rest is the past.
func (f *stampFormat) counts() uint64     { return 1 << f.countBits }
func (f *stampFormat) writeReach() uint64 { return f.counts() / 4 * 3 }
func (f *stampFormat) readReach() uint64  { return f.counts() / 8 * 7 }

// stamp returns the stamp of the deadline ttl after now, rounded down to the
// unit. It is 0 for a ttl of 0. A negative ttl gives a deadline in the past.
func (f *stampFormat) stamp(now time.Time, ttl time.Duration) stamp {
	if ttl == 0 {
		return 0
	}
	ttl = max(ttl, -time.Second) // how long ago does not matter
	reach := time.Duration(f.writeReach())
	scale := 0
	for scale < len(f.units)-1 && ttl > reach*f.units[scale] {
		scale++
	}
	unit := f.units[scale]
	ttl = min(ttl, reach*unit)
	// Unsigned, because the sum can need 64 bits.
	count := (uint64(now.UnixNano()) + uint64(ttl)) / uint64(unit) % f.counts()
	if scale == 0 && count == 0 {
		count = f.counts() - 1 // one unit earlier: 0 means no deadline
	}
	return stamp(scale)<<f.countBits | stamp(count)
}

// past returns the stamp of a deadline that passed long ago, whatever the clock of
// a reader says.
func (f *stampFormat) past(now time.Time) stamp {
	const ago = 365 * 24 * time.Hour
	scale := len(f.units) - 1
	count := uint64(now.Add(-ago).UnixNano()) / uint64(f.units[scale]) % f.counts()
	return stamp(scale)<<f.countBits | stamp(count)
}

// left returns the time from now to the deadline, which is 0 or less once it has
// passed. ok is false when there is no deadline.
func (f *stampFormat) left(s stamp, now time.Time) (left time.Duration, ok bool) {
	if s == 0 {
		return 0, false
	}
	unit := uint64(f.units[s>>f.countBits])
	at := uint64(now.UnixNano())
	current := at / unit
	ahead := (uint64(s) - current) % f.counts()
	if ahead > f.readReach() {
		return -time.Duration((f.counts() - ahead) * unit), true
	}
	return time.Duration((current+ahead)*unit - at), true
}
