package session

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Options configures a store. The zero value of each field is its default; the
// constructors copy the struct. Durations have units: 60 is 60 ns, a minute is
// 60*time.Second. The constructors refuse what is above 0 and below a millisecond,
// and what is negative.
type Options struct {
	// Prefix begins every key in memcached. It has up to 207 bytes, without
	// spaces and control characters. "": "session:".
	//
	// Records are bound to it: a copy under another prefix is not a session,
	// even with the same keys.
	Prefix string

	// IdleTimeout ends a session that long after the last request that loaded
	// it. Memcached counts in seconds, sometimes two at once: a session may end up
	// to two seconds early. 0: 20 min, or the MaxAge of the session's cookie where
	// that is longer.
	IdleTimeout time.Duration

	// AbsoluteTimeout ends a session that long after it was created, however
	// active it is. Renew does not extend it. 0: 12 h, or the MaxAge of the
	// session's cookie where that is longer.
	AbsoluteTimeout time.Duration

	// Codec encodes values of types that the package does not store by itself.
	// nil: encoding/gob.
	Codec Codec

	// MaxSessions is how many sessions a user can have at a time: one more that is
	// bound to the user ends the one that was used longest ago. 0: 100.
	MaxSessions int

	// MaxSize is how many bytes a stored session may take. Save refuses larger
	// ones with ErrTooLarge before anything is sent, because the server would
	// delete the session that it has. Lower it with the server's -I.
	// 0: 1 MiB less 1 KiB, which fits a server with the default item size.
	MaxSize int

	// Logger gets what goes wrong, each kind of event once in ten seconds at
	// most; never keys, values or credentials, nor session IDs or users.
	// nil: slog.Default; slog.DiscardHandler silences.
	Logger *slog.Logger
}

const (
	defaultPrefix   = "session:"
	defaultIdle     = 20 * time.Minute
	defaultAbsolute = 12 * time.Hour
	defaultMaxSize  = 1<<20 - 1<<10

	// longest is a timeout of which twice as much is still a duration.
	longest         = time.Duration(maxAge) * time.Second
	defaultSessions = 100
)

// withDefaults returns a checked copy with the defaults filled in.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if err := c.check(); err != nil {
		return Options{}, err
	}
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = defaultIdle
	}
	if c.AbsoluteTimeout == 0 {
		c.AbsoluteTimeout = defaultAbsolute
	}
	c.IdleTimeout, c.AbsoluteTimeout = min(c.IdleTimeout, longest), min(c.AbsoluteTimeout, longest)
	if c.Codec == nil {
		c.Codec = gobCodec{}
	}
	if c.MaxSessions == 0 {
		c.MaxSessions = defaultSessions
	}
	if c.MaxSize == 0 {
		c.MaxSize = defaultMaxSize
	}
	return c, nil
}

func (o *Options) check() error {
	if err := checkPrefix(o.Prefix); err != nil {
		return err
	}
	if err := checkTimeout("IdleTimeout", o.IdleTimeout); err != nil {
		return err
	}
	if err := checkTimeout("AbsoluteTimeout", o.AbsoluteTimeout); err != nil {
		return err
	}
	if o.MaxSessions < 0 {
		return fmt.Errorf("session: Options.MaxSessions is %d: want a number of sessions, or 0 for the default", o.MaxSessions)
	}
	if o.MaxSize < 0 {
		return fmt.Errorf("session: Options.MaxSize is %d: want a number of bytes, or 0 for the default", o.MaxSize)
	}
	return nil
}

// A key has up to 250 bytes, of which up to 43 follow the prefix: an HMAC in
// base64 (encode32).
const (
	nameSize  = 43
	maxPrefix = 250 - nameSize
)

// checkPrefix refuses what no key can begin with.
func checkPrefix(prefix string) error {
	if key := prefix + strings.Repeat("x", nameSize); memcached.SafeKey("", key) != key {
		return fmt.Errorf("session: Options.Prefix is %.50q, %d bytes: want up to %d bytes without spaces and control characters", prefix, len(prefix), maxPrefix)
	}
	return nil
}

// checkTimeout refuses durations that cannot be meant.
func checkTimeout(name string, d time.Duration) error {
	switch {
	case d < 0:
		return fmt.Errorf("session: Options.%s is %v: want a positive duration, or 0 for the default", name, d)
	case d > 0 && d < time.Millisecond:
		return fmt.Errorf("session: Options.%s of %v: durations have units, as in 60*time.Second", name, d)
	default:
		return nil
	}
}
