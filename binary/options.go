package memcached

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

// Options set up a Client. The zero value of each field is its default; New
// copies the struct.
type Options struct {
	// Auth authenticates every connection. Nil connects without
	// authentication.
	Auth sasl.Mechanism

	// TLS encrypts TCP connections. An empty ServerName is filled with the
	// host of each server. Nil connects without TLS.
	TLS *tls.Config

	// DialContext opens connections instead of net.Dialer. Its network is
	// "tcp" or "unix".
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	// Timeout limits each operation, connecting and authenticating included,
	// and every retry of it. Zero means one second; negative leaves the limit
	// to the context, and then a connection attempt is given up after 10 s.
	Timeout time.Duration

	// MaxConns is how many connections are kept per server. Zero means 8.
	MaxConns int

	// IdleTimeout closes connections that were unused that long. Zero keeps
	// them.
	IdleTimeout time.Duration

	// Distribution decides which server holds a key. Nil means Ketama.
	Distribution Distribution

	// Weights are the servers' shares of the keys, by server as given to New.
	// Absent servers weigh 1. New refuses a weight of a server that it is not
	// given; the weights of servers that SetServers removes are kept for their
	// return.
	Weights map[string]int

	// Replicate keeps every key on every server: writes go to all and succeed
	// when any does, a read takes the first hit in the order of the servers.
	// This is what the Client class of python-binary-memcached does.
	Replicate bool

	// EjectAfter is after how many consecutive failures a server leaves the
	// distribution, so that its keys move to the others until it answers
	// again. What was written elsewhere meanwhile is then stale: the server
	// comes back with what it held. Zero never ejects: keys of a failing
	// server fail fast.
	EjectAfter int

	// RetryAfter is the longest pause before a failing server is tried again.
	// The first pause is a quarter of it; pauses double, with jitter. Zero
	// means one second.
	RetryAfter time.Duration

	// MaxItemSize is the size of a value above which writes are refused with
	// ErrTooLarge before anything is sent (the server would delete the old
	// value). Zero means what fits a server with the default item size of
	// 1 MiB: 1,048,517 bytes of key and value together, 4 less with flags.
	// Raise it together with the server's -I. It also bounds what is accepted
	// from a server: frames above it plus 1 MiB close the connection.
	MaxItemSize int

	// Logger gets changes of state: servers failing, recovering, ejected; never
	// keys, values or credentials. nil: slog.Default; slog.DiscardHandler
	// silences.
	Logger *slog.Logger

	// Tracer observes every operation. Nil costs nothing.
	Tracer Tracer
}

const (
	defaultTimeout     = time.Second
	defaultMaxConns    = 8
	defaultRetryAfter  = time.Second
	defaultDialTimeout = 10 * time.Second // when Timeout sets no limit

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
	case o.MaxItemSize < 0 || o.MaxItemSize > maxMaxItemSize:
		return fmt.Errorf("memcached: Options.MaxItemSize is %d: want up to %d bytes, or 0 for the default", o.MaxItemSize, maxMaxItemSize)
	case o.EjectAfter < 0:
		return fmt.Errorf("memcached: Options.EjectAfter is %d: want 0 for never, or a count", o.EjectAfter)
	case o.RetryAfter < 0:
		return fmt.Errorf("memcached: Options.RetryAfter is %v: want a positive duration, or 0 for the default", o.RetryAfter)
	case o.IdleTimeout < 0:
		return fmt.Errorf("memcached: Options.IdleTimeout is %v: want a positive duration, or 0 for never", o.IdleTimeout)
	}
	return nil
}
