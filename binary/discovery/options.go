package discovery

import (
	"fmt"
	"log/slog"
	"time"
)

// Options configures a Watcher. The zero value of each field is its default; New
// and Watch copy the struct. Durations have units: 60 is 60 ns, a minute is
// 60*time.Second. What is above 0 and below a millisecond is refused, and so is
// what is negative, but for Jitter.
type Options struct {
	// Interval is the pause between two resolutions. After a failure, pauses
	// begin with a second and double up to Interval. A system's resolver may
	// cache answers for longer. 0: 30 s.
	Interval time.Duration

	// Jitter is the largest share by which a pause is shortened at random, so
	// that the processes of a fleet do not ask at the same time: with 0.1, a
	// pause of 30 s takes 27 s to 30 s. 0: 0.1. Negative: no jitter.
	Jitter float64

	// Timeout limits each resolution. 0: 5 s.
	Timeout time.Duration

	// MaxServers is the largest number of servers in an answer; an answer with
	// more is a failure. 0: 1024.
	MaxServers int

	// StartAnyway makes Watch start even when the first resolution fails; the
	// client then keeps the servers that it was made with. New ignores it.
	// false: Watch fails.
	StartAnyway bool

	// OnChange is called after the client got other servers, including the
	// first ones. before is nil if the servers before are unknown. Calls do not
	// overlap. OnChange is part of the resolution and must not call Refresh or
	// Close, nor change the slices. nil: none.
	OnChange func(before, now []string)

	// Logger gets changes of the servers, and the beginning and end of
	// failures; never keys, values or credentials. nil: slog.Default;
	// slog.DiscardHandler silences.
	Logger *slog.Logger
}

const (
	defaultInterval   = 30 * time.Second
	defaultJitter     = 0.1
	defaultTimeout    = 5 * time.Second
	defaultMaxServers = 1024
	// firstPause follows a failure.
	firstPause = time.Second
)

// withDefaults returns a copy with defaults filled in, or what is wrong.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	if c.Jitter == 0 {
		c.Jitter = defaultJitter
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxServers == 0 {
		c.MaxServers = defaultMaxServers
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Jitter = max(c.Jitter, 0)
	return c, c.validate()
}

func (o *Options) validate() error {
	switch {
	case o.Interval < 0:
		return fmt.Errorf("discovery: Options.Interval is %v: want a positive duration, or 0 for %v", o.Interval, defaultInterval)
	case !(o.Jitter <= 1): // also what is not a number
		return fmt.Errorf("discovery: Options.Jitter is %v: want up to 1, or 0 for %v", o.Jitter, defaultJitter)
	case o.Timeout < 0:
		return fmt.Errorf("discovery: Options.Timeout is %v: want a positive duration, or 0 for %v", o.Timeout, defaultTimeout)
	case 0 < o.Interval && o.Interval < time.Millisecond:
		return fmt.Errorf("discovery: Options.Interval of %v: durations have units, as in 60*time.Second", o.Interval)
	case 0 < o.Timeout && o.Timeout < time.Millisecond:
		return fmt.Errorf("discovery: Options.Timeout of %v: durations have units, as in 60*time.Second", o.Timeout)
	case o.MaxServers < 0:
		return fmt.Errorf("discovery: Options.MaxServers is %d: want 1 or more, or 0 for %d", o.MaxServers, defaultMaxServers)
	}
	return nil
}
