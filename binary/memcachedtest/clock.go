package memcachedtest

import (
	"math"
	"sync/atomic"
	"time"
)

// relTime is memcached's rel_time_t: seconds since a little before the server
// started. 0 as an expiry means never.
type relTime uint32

const (
	// startAge is how old a server already is when it starts, so that 0 and 1
	// can stand for never and long ago (memcached.c, stats_init).
	startAge = 62
	// maxRelative is the longest expiry, in seconds, that counts from now;
	// anything above is a Unix time (memcached.h, REALTIME_MAXDELTA).
	maxRelative = 30 * 24 * 60 * 60
)

// clock is time as the server sees it: whole seconds, like memcached's.
type clock struct {
	advanced atomic.Int64 // nanoseconds added by Advance
	started  atomic.Int64 // Unix time at which relTime was 0
}

func (c *clock) time() time.Time {
	return time.Now().Add(time.Duration(c.advanced.Load()))
}

func (c *clock) start() { c.started.Store(c.time().Unix() - startAge) }

func (c *clock) now() relTime { return relTime(c.time().Unix() - c.started.Load()) }

// expiry translates an expiry of a request (memcached.c, realtime).
func (c *clock) expiry(exptime uint32, now relTime) relTime {
	started := c.started.Load()
	switch {
	case exptime == 0:
		return 0
	case exptime <= maxRelative:
		return now + relTime(exptime)
	case int64(exptime) <= started:
		return 1
	default:
		return relTime(int64(exptime) - started)
	}
}

// after is the expiry of an item that is to live for ttl; 0 means for ever.
func (c *clock) after(ttl time.Duration, now relTime) relTime {
	switch seconds := (ttl + time.Second - 1) / time.Second; {
	case ttl == 0:
		return 0
	case ttl < 0:
		return 1
	default:
		return now + relTime(min(int64(seconds), math.MaxUint32-int64(now)))
	}
}

// remaining is how long an item of that expiry has left; 0 means for ever.
func (c *clock) remaining(expiry relTime) time.Duration {
	if expiry == 0 {
		return 0
	}
	return time.Unix(c.started.Load()+int64(expiry), 0).Sub(c.time())
}
