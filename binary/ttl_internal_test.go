package memcached

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestExpiry_IsWhatTheProtocolWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands at 2000-01-01
		const day = 24 * time.Hour
		now := uint32(time.Now().Unix())
		tests := []struct {
			name string
			ttl  time.Duration
			want uint32
		}{
			{"none", 0, 0},
			{"negative", -1, 2_592_001},
			{"a negative second", -time.Second, 2_592_001},
			{"the most negative", math.MinInt64, 2_592_001},
			{"a nanosecond", 1, 1},
			{"just under a second", time.Second - 1, 1},
			{"a second", time.Second, 1},
			{"just above a second", time.Second + 1, 2},
			{"one and a half", 1500 * time.Millisecond, 2},
			{"a minute", time.Minute, 60},
			{"just under 30 days", 30*day - time.Second, 2_591_999},
			{"between that and 30 days", 30*day - 1, 2_592_000},
			{"30 days", 30 * day, 2_592_000},
			{"just above 30 days", 30*day + 1, now + 2_592_001},
			{"30 days and a second", 30*day + time.Second, now + 2_592_001},
			{"a year", 365 * day, now + 365*86400},
			{"a hundred years", 100 * 365 * day, now + 100*365*86400},
			{"the longest", math.MaxInt64, math.MaxUint32 - 1},
		}
		for _, tt := range tests {
			if got := expiry(tt.ttl); got != tt.want {
				t.Errorf("expiry(%v), %s, = %d, want %d", tt.ttl, tt.name, got, tt.want)
			}
		}
	})
}

// An expiry that says "do not create" to counters must never come of a TTL.
func FuzzExpiry(f *testing.F) {
	for _, ttl := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64, int64(30 * 24 * time.Hour), int64(time.Second)} {
		f.Add(ttl)
	}
	f.Fuzz(func(t *testing.T, ttl int64) {
		got := expiry(time.Duration(ttl))
		now := uint32(time.Now().Unix())
		switch {
		case got == math.MaxUint32:
			t.Errorf("expiry(%d) = %d, which means something else", ttl, got)
		case (ttl == 0) != (got == 0):
			t.Errorf("expiry(%d) = %d: 0 means for ever", ttl, got)
		case ttl < 0 && (got <= 2_592_000 || got >= now):
			t.Errorf("expiry(%d) = %d, want a time in the past", ttl, got)
		case ttl > 0 && got > 2_592_000 && got < now:
			t.Errorf("expiry(%d) = %d, which is in the past", ttl, got)
		case ttl > 0 && got <= 2_592_000 && time.Duration(got)*time.Second < time.Duration(ttl):
			t.Errorf("expiry(%d) = %d seconds, want no less than the duration", ttl, got)
		}
	})
}
