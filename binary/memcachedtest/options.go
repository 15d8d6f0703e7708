package memcachedtest

import "crypto/tls"

// Options set up a Server. The zero value of each field is its default.
type Options struct {
	// Users are the passwords by user name. With any, clients have to
	// authenticate; nil lets everybody in and offers no SASL, like a memcached
	// started without -S.
	Users map[string]string

	// Mechanisms are the SASL mechanisms on offer, in the order in which they
	// are listed: SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN. Nil offers them
	// all.
	Mechanisms []string

	// TLS encrypts the connections. Nil leaves them plain.
	TLS *tls.Config

	// MaxItemSize is the largest item in bytes, key, value and about 60 bytes
	// of overhead together, like memcached's -I. Zero means 1 MiB.
	MaxItemSize int

	// MaxMemory is how many bytes of items are kept, like memcached's -m:
	// above it, those unused for the longest time are evicted. Zero means
	// 64 MiB.
	MaxMemory int

	// DisableCAS keeps no versions, like memcached's -C.
	DisableCAS bool

	// DisableFlush refuses FLUSH, like memcached's -F.
	DisableFlush bool
}

const (
	defaultMaxItemSize = 1 << 20
	defaultMaxMemory   = 64 << 20
)

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.MaxItemSize == 0 {
		c.MaxItemSize = defaultMaxItemSize
	}
	if c.MaxMemory == 0 {
		c.MaxMemory = defaultMaxMemory
	}
	return c
}
