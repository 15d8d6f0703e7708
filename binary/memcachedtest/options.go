package memcachedtest

import (
	"crypto/tls"
	"fmt"
	"slices"

	"github.com/bmemcached/bmemcached-go/binary/internal/saslserver"
)

// defaultMechanisms are what a server lists whose Options name none.
var defaultMechanisms = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN"}

// Options configures a Server. The zero value of each field is its default.
type Options struct {
	// Users are the passwords by user name. If it is set, clients must
	// authenticate. nil: no SASL and no authentication, like memcached without
	// -S.
	Users map[string]string

	// Mechanisms are the SASL mechanisms on offer, in the order in which they
	// are listed; SCRAM-SHA-512 is known, too. nil: SCRAM-SHA-256, SCRAM-SHA-1,
	// CRAM-MD5 and PLAIN.
	Mechanisms []string

	// TLS encrypts the connections; it needs a certificate (see TLSConfig).
	// nil: no TLS.
	TLS *tls.Config

	// MaxItemSize is the size of the largest item in bytes: key, value and 59
	// bytes of overhead together, 4 more with flags. It is memcached's -I.
	// 0: 1 MiB.
	MaxItemSize int

	// MaxMemory is the memory for items in bytes. When it is full, the least
	// recently used items are evicted. It is memcached's -m. 0: 64 MiB.
	MaxMemory int

	// MaxConns is the number of connections served at the same time. Others get
	// "ERROR Too many open connections" in the text protocol. It is memcached's
	// -c. 0: 1024.
	MaxConns int

	// DisableCAS keeps no versions, like memcached's -C. false: versions.
	DisableCAS bool

	// DisableFlush refuses FLUSH, like memcached's -F. false: FLUSH works.
	DisableFlush bool
}

const (
	defaultMaxItemSize = 1 << 20
	defaultMaxMemory   = 64 << 20
	defaultMaxConns    = 1024
	// minItemSize and maxItemSize are the bounds that memcached sets for -I.
	minItemSize = 1 << 10
	maxItemSize = 1 << 30
)

// withDefaults returns a copy with defaults filled in, or what is wrong.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	c.Mechanisms = slices.Clone(c.Mechanisms)
	if c.Mechanisms == nil {
		c.Mechanisms = slices.Clone(defaultMechanisms)
	}
	if c.TLS != nil {
		c.TLS = c.TLS.Clone()
	}
	if c.MaxItemSize == 0 {
		c.MaxItemSize = defaultMaxItemSize
	}
	if c.MaxMemory == 0 {
		c.MaxMemory = max(defaultMaxMemory, 2*c.MaxItemSize)
	}
	if c.MaxConns == 0 {
		c.MaxConns = defaultMaxConns
	}
	return c, c.validate()
}

func (o *Options) validate() error {
	switch {
	case o.MaxItemSize < minItemSize || o.MaxItemSize > maxItemSize:
		return fmt.Errorf("memcachedtest: Options.MaxItemSize is %d: want %d to %d, or 0 for the default", o.MaxItemSize, minItemSize, maxItemSize)
	case o.MaxMemory < o.MaxItemSize:
		return fmt.Errorf("memcachedtest: Options.MaxMemory is %d: want at least the largest item, %d, or 0 for the default", o.MaxMemory, o.MaxItemSize)
	}
	if o.MaxConns < 0 {
		return fmt.Errorf("memcachedtest: Options.MaxConns is %d: want 1 or more, or 0 for the default", o.MaxConns)
	}
	for _, m := range o.Mechanisms {
		if !slices.Contains(saslserver.Mechanisms, m) {
			return fmt.Errorf("memcachedtest: Options.Mechanisms has %q: want some of %q", m, saslserver.Mechanisms)
		}
	}
	return nil
}
