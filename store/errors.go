package store

import (
	"errors"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Errors of the store. Faults of memcached are the client's errors:
// memcached.ErrUnavailable, ErrTooLarge and so on.
var (
	// ErrKeyType says that a key is not a string. gocache's caches turn every
	// key into a string before the store sees it.
	ErrKeyType = errors.New("store: key is not a string")

	// ErrValueType says that a value is nil or of a type that the store does
	// not support. Nothing was sent.
	ErrValueType = errors.New("store: unsupported type of value")

	// ErrNotFound says that there is no value: a function that loads for
	// GetOrLoad returns it, wrapped or not, and GetOrLoad returns it.
	ErrNotFound = errors.New("store: there is no value")

	// ErrCorrupt says that an item's value does not match its flags.
	ErrCorrupt = errors.New("store: item cannot be decoded")
)

// errNotFound is every miss.
var errNotFound = libstore.NotFoundWithCause(memcached.ErrCacheMiss)

var (
	errContended  = errors.New("store: gave up, because others kept changing the item")
	errNilContext = errors.New("store: GetOrLoad: nil context")
	errNeedsCodec = errors.New("store: the item was stored with a codec: set Options.Codec")
)
