package memcached

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strings"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// Options configures a Client. The zero value of each field is its default; New
// copies the struct. Durations have units: 60 is 60 ns, a minute is
// 60*time.Second. New refuses what is above 0 and below a millisecond, and what is
// negative where the field does not say what that means.
type Options struct {
	// Auth authenticates every connection. nil: no authentication.
	Auth sasl.Mechanism

	// TLS encrypts TCP connections. An empty ServerName is filled with the
	// host of each server. nil: no TLS.
	TLS *tls.Config

	// DialContext opens connections. Its network is "tcp" or "unix". What it
	// returns counts as encrypted if it has tls.Conn's method ConnectionState, and
	// as local if its peer and the server's name are those of this machine.
	// nil: net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	// Timeout limits each operation, including retries and the time that it
	// waits for a connection. WithTimeout gives single operations another
	// limit. 0: 1 s. Negative: only the context limits operations.
	Timeout time.Duration

	// DialTimeout limits each attempt to connect: dialling, TLS and
	// authentication together. Attempts run in the background: one that takes
	// longer than Timeout goes on when the operations that wait for it have
	// failed. 0: 5 s, or Timeout if that is longer.
	DialTimeout time.Duration

	// MaxConns is the number of connections per server. 0: 8.
	MaxConns int

	// IdleTimeout is how long a connection may stay unused before it is
	// closed. 0: for ever.
	IdleTimeout time.Duration

	// ConnMaxLifetime is how long a connection may be used before it is replaced,
	// up to a quarter less. So a password that changed and a name that moved to
	// another address reach every connection. 0: 24 h. Negative: for ever.
	ConnMaxLifetime time.Duration

	// Prefix begins every key in memcached. It has up to 249 bytes, without spaces
	// and control characters, and counts in the length of a key. Operations take
	// and return keys without it. Distribution gets keys with it: placement.WithoutPrefix suits
	// clients that leave it out of the placement, as libmemcached does. FlushAll
	// does not look at it. "": none.
	Prefix string

	// Distribution decides which server holds a key. nil: Ketama.
	Distribution Distribution

	// Weights are the servers' shares of the keys, by server as given to New.
	// A server that is not in it weighs 1. Servers that SetServers or a
	// discovery brings later may be in it. nil: all servers weigh 1.
	Weights map[string]int

	// Replicate keeps every key on every server, as the Client class of
	// python-binary-memcached does. A write goes to all servers and succeeds
	// when one of them succeeds. A read takes the first hit in the order of the
	// servers. false: each key is on one server.
	Replicate bool

	// EjectAfter is the number of consecutive failures after which a server
	// leaves the distribution: operations without an answer, broken
	// connections, and attempts to connect. Connections that one event breaks
	// count once, and only an answered operation ends the row. The server's keys
	// move to the other servers until it answers again. It then comes back with
	// what it held before, which may be stale. 0: never; keys of a failing server
	// fail fast.
	EjectAfter int

	// RetryAfter is the longest pause before a failing server is tried again,
	// in the background. The first pause is 5 ms; pauses stay below 40 ms for a
	// second and below 80 ms for five, then they double, with jitter. After
	// refused credentials they begin with 100 ms. 0: 1 s.
	RetryAfter time.Duration

	// MaxItemSize is the size of the largest value in bytes. Larger ones are
	// refused with ErrTooLarge before anything is sent, because the server
	// would delete the old value. Raise it together with the server's -I. Values
	// on a server are read up to 1 MiB more, and always up to 2 MiB: the key of a
	// larger one fails with ErrTooLarge. 0: what fits a server whose items are up to 1 MiB,
	// which is 1,048,517 bytes of key and value together, 4 less with flags.
	MaxItemSize int

	// Logger gets changes of state: servers failing, recovering, ejected; never
	// keys, values or credentials. nil: slog.Default; slog.DiscardHandler
	// silences.
	Logger *slog.Logger

	// Tracer observes every operation. nil: none.
	Tracer Tracer
}

const (
	defaultTimeout     = time.Second
	defaultMaxConns    = 8
	defaultRetryAfter  = time.Second
	defaultDialTimeout = 5 * time.Second

	defaultConnMaxLifetime = 24 * time.Hour

	// longest is a duration that can be added to any time of the client's clock.
	longest = 100 * 365 * 24 * time.Hour
	// maxMaxItemSize is the largest -I that memcached takes.
	maxMaxItemSize = 1 << 30
)

// withDefaults returns a copy with defaults filled in, or what is wrong.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	c.Weights = maps.Clone(c.Weights)
	if c.TLS != nil {
		c.TLS = c.TLS.Clone()
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxConns == 0 {
		c.MaxConns = defaultMaxConns
	}
	if c.RetryAfter == 0 {
		c.RetryAfter = defaultRetryAfter
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = max(defaultDialTimeout, c.Timeout)
	}
	if c.ConnMaxLifetime == 0 {
		c.ConnMaxLifetime = defaultConnMaxLifetime
	}
	c.ConnMaxLifetime = min(c.ConnMaxLifetime, longest)
	c.DialTimeout = min(c.DialTimeout, longest)
	c.Timeout, c.IdleTimeout, c.RetryAfter = min(c.Timeout, longest), min(c.IdleTimeout, longest), min(c.RetryAfter, longest)
	if c.Distribution == nil {
		c.Distribution = Ketama
	}
	return c, c.validate()
}

func (o *Options) validate() error {
	switch {
	case o.MaxConns < 0:
		return fmt.Errorf("memcached: Options.MaxConns is %d: want 1 or more, or 0 for the default", o.MaxConns)
	case o.DialTimeout < 0:
		return fmt.Errorf("memcached: Options.DialTimeout is %v: want a positive duration, or 0 for the default", o.DialTimeout)
	case o.MaxItemSize < 0 || o.MaxItemSize > maxMaxItemSize:
		return fmt.Errorf("memcached: Options.MaxItemSize is %d: want up to %d bytes, or 0 for the default", o.MaxItemSize, maxMaxItemSize)
	case o.EjectAfter < 0:
		return fmt.Errorf("memcached: Options.EjectAfter is %d: want 0 for never, or a count", o.EjectAfter)
	case o.RetryAfter < 0:
		return fmt.Errorf("memcached: Options.RetryAfter is %v: want a positive duration, or 0 for the default", o.RetryAfter)
	case o.IdleTimeout < 0:
		return fmt.Errorf("memcached: Options.IdleTimeout is %v: want a positive duration, or 0 for never", o.IdleTimeout)
	}
	if len(o.Prefix) >= wire.MaxKeyLen || strings.ContainsFunc(o.Prefix, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("memcached: Options.Prefix has %d bytes: want up to %d, without spaces and control characters", len(o.Prefix), wire.MaxKeyLen-1)
	}
	return cmp.Or(
		checkDuration("Options.Timeout", o.Timeout),
		checkDuration("Options.DialTimeout", o.DialTimeout),
		checkDuration("Options.IdleTimeout", o.IdleTimeout),
		checkDuration("Options.ConnMaxLifetime", o.ConnMaxLifetime),
		checkDuration("Options.RetryAfter", o.RetryAfter),
	)
}
