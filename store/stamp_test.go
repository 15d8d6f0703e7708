package store

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const (
	day  = 24 * time.Hour
	year = 365 * day

	finest = time.Second / 32
)

func TestStamp_KeepsDeadline(t *testing.T) {
	formats := []struct {
		name   string
		format *stampFormat
		ttls   map[time.Duration]time.Duration // how much earlier it may be
	}{
		{"fine", &fine, map[time.Duration]time.Duration{
			time.Nanosecond:        finest,
			500 * time.Millisecond: finest,
			time.Second:            finest,
			2 * day:                finest,
			30 * day:               time.Second,
			60 * day:               time.Second,
			400 * day:              8 * time.Second,
			10 * year:              1024 * time.Second,
			100 * year:             1024 * time.Second,
		}},
		{"coarse", &coarse, map[time.Duration]time.Duration{
			500 * time.Millisecond: finest,
			time.Hour:              finest,
			12 * time.Hour:         time.Second / 4,
			3 * day:                2 * time.Second,
			15 * day:               8 * time.Second,
			60 * day:               32 * time.Second,
			200 * day:              128 * time.Second,
			10 * year:              2048 * time.Second,
			100 * year:             32768 * time.Second,
		}},
	}
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			for ttl, tolerance := range f.ttls {
				if tolerance == finest {
					tolerance *= 2 // one count stands for no deadline: the one before is taken
				}
				for range 1000 {
					now := time.Unix(rand.Int64N(4e9), rand.Int64N(1e9))
					s := f.format.stamp(now, ttl)
					left, ok := f.format.left(s, now)
					if !ok || left > ttl || left < ttl-tolerance {
						t.Fatalf("stamp(%v, %v).left() = %v, %v, want up to %v less than the TTL", now, ttl, left, ok, tolerance)
					}
				}
			}
		})
	}
}

func TestStamp_KeepsDeadlineAtTheCountThatIsTaken(t *testing.T) {
	for _, f := range []*stampFormat{&fine, &coarse} {
		wrap := time.Unix(0, int64(f.counts())*int64(finest)*9) // counts begin anew
		for _, late := range []time.Duration{0, 1, finest - 1} {
			s := f.stamp(wrap.Add(late-time.Second), time.Second)
			left, ok := f.left(s, wrap.Add(late-time.Second))
			if want := time.Second - finest - late; !ok || left != want {
				t.Errorf("%v after the wrap: left %v, %v, want %v", late, left, ok, want)
			}
		}
	}
}

func TestStamp_FollowsClock(t *testing.T) {
	now := time.Unix(1_800_000_000, 123)
	for _, f := range []*stampFormat{&fine, &coarse} {
		for _, ttl := range []time.Duration{time.Second, time.Minute, time.Hour, day, 30 * day, year, 90 * year} {
			s := f.stamp(now, ttl)
			total, _ := f.left(s, now)
			for _, part := range []time.Duration{ttl / 100, ttl / 2, ttl - 1, ttl, ttl + 1, ttl + ttl/20} {
				left, ok := f.left(s, now.Add(part))
				if !ok || left != total-part && (left > 0 || part < total) {
					t.Errorf("%v after stamp(%v): left = %v, %v, want %v", part, ttl, left, ok, total-part)
				}
			}
		}
	}
}

func TestStamp_NoTTLMeansNoDeadline(t *testing.T) {
	for _, f := range []*stampFormat{&fine, &coarse} {
		if s := f.stamp(time.Now(), 0); s != 0 {
			t.Errorf("stamp(0) = %d, want 0", s)
		}
		if left, ok := f.left(0, time.Now()); ok || left != 0 {
			t.Errorf("left(0) = %v, %v, want none", left, ok)
		}
	}
}

func TestStamp_NegativeTTLIsPast(t *testing.T) {
	now := time.Now()
	for _, f := range []*stampFormat{&fine, &coarse} {
		for _, ttl := range []time.Duration{-1, -time.Second, -year, math.MinInt64} {
			if left, ok := f.left(f.stamp(now, ttl), now); !ok || left > 0 {
				t.Errorf("stamp(%v).left() = %v, %v, want the past", ttl, left, ok)
			}
		}
	}
}

func TestStamp_LongestTTLDoesNotOverflow(t *testing.T) {
	now := time.Now()
	for _, f := range []*stampFormat{&fine, &coarse} {
		left, ok := f.left(f.stamp(now, math.MaxInt64), now)
		if !ok || left < 200*year {
			t.Errorf("stamp of the longest duration: left = %v, %v, want centuries", left, ok)
		}
	}
}

// The count that would be taken for "no deadline" must not come out.
func TestStamp_NeverZeroWithTTL(t *testing.T) {
	for _, f := range []*stampFormat{&fine, &coarse} {
		round := time.Duration(f.counts()) * f.units[0]
		wrapped := time.Unix(0, int64(round)*7000) // its count is 0
		now := wrapped.Add(-time.Second)
		s := f.stamp(now, time.Second)
		left, ok := f.left(s, now)
		if s == 0 || !ok || left > time.Second || left < time.Second-2*f.units[0] {
			t.Errorf("stamp at the wrap = %d, left %v, %v, want a second", s, left, ok)
		}
	}
}

func TestStamp_FitsItsBits(t *testing.T) {
	for range 10000 {
		now := time.Unix(rand.Int64N(4e9), 0)
		ttl := time.Duration(rand.Int64N(math.MaxInt64))
		if s := fine.stamp(now, ttl); s > fineStampMask {
			t.Fatalf("fine.stamp(%v, %v) = %#x, want 25 bits", now, ttl, s)
		}
		if s := coarse.stamp(now, ttl); s > typedStampMask {
			t.Fatalf("coarse.stamp(%v, %v) = %#x, want 21 bits", now, ttl, s)
		}
	}
}

// A reader whose clock is behind sees deadlines further ahead than any writer
// makes them.
func TestStamp_ToleratesSlowClock(t *testing.T) {
	now := time.Now()
	ttl := 50 * time.Hour
	left, ok := fine.left(fine.stamp(now, ttl), now.Add(-time.Hour))
	if want := ttl + time.Hour; !ok || left > want || left < want-time.Second {
		t.Errorf("left an hour before the stamp = %v, %v, want %v", left, ok, want)
	}
}
