package store

import (
	"errors"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Misuse and damage. Faults of the cache itself are the client's errors:
// memcached.ErrUnavailable, ErrTooLarge and so on.
var (
	// ErrKeyType says that a key is not a string. gocache's own caches turn
	// every key into a string before the store sees it.
	ErrKeyType = errors.New("memcached store: key is not a string")

	// ErrValueType says that a value is nil or of a type that the store does
	// not keep. Nothing was sent.
	ErrValueType = errors.New("memcached store: unsupported type of value")

	// ErrCorrupt says that what the cache holds is not what its flags say.
	ErrCorrupt = errors.New("memcached store: item cannot be decoded")
)

var errContended = errors.New("memcached store: gave up: others kept changing the item")

// errNotFound is every miss.
var errNotFound = libstore.NotFoundWithCause(memcached.ErrCacheMiss)

var errNeedsCodec = errors.New("memcached store: the item was stored with a codec: set Options.Codec")
