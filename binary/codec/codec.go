// Package codec turns Go values into the bytes and flags of a memcached item, and
// back.
//
// Raw stores bytes and strings as they are, JSON stores everything that
// encoding/json does, and Compressed wraps either and shrinks what is large:
//
//	c := codec.Compressed(codec.JSON{}, 1024)
//	data, flags, err := c.Encode(v)
//	// client.Set(ctx, &memcached.Item{Key: key, Value: data, Flags: flags})
//	// item, err := client.Get(ctx, key)
//	err = c.Decode(item.Value, item.Flags, &v)
//
// The subpackages read and write what clients of other languages store: bmemcached
// for Python (python-binary-memcached, pylibmc, pymemcache), dalli for Ruby,
// spymemcached for Java, phpmemcached for PHP and nodememcached for Node.js. All of
// them treat what they read as data: nothing from the cache is ever executed, and
// bytes that are not what they are marked as give an error, not a panic.
//
// # Limits
//
// Whoever can write to a cache can store a few hundred bytes that decompress to
// gigabytes, or that mean the same large number a hundred thousand times. So every
// codec limits what it reads, and says which limit a value exceeds:
//
//	MaxSize      bytes after decompression            every codec that decompresses
//	MaxElements  values and keys of lists and maps    JSON, dalli, nodememcached, phpmemcached
//	MaxDigits    decimal digits of a number           every codec
//	MaxDepth     lists and maps within each other     dalli, phpmemcached
//
// MaxSize and MaxElements are defaults: CompressedMax and the fields of codecs set
// others. Hooks for objects of other languages get what has been decompressed, and
// limit what they make of it themselves.
//
// # Flags
//
// memcached keeps 32 bits of flags with every item, and whoever stores the item
// says what they mean. The codecs of this package use the lowest four, so that a
// layer above, such as a store that keeps a deadline in the rest, can carry them
// wherever it likes:
//
//	bits 0, 1   left to the wrapped Codec; Raw and JSON leave them 0
//	bit  2      FlagZstd: compressed with Zstandard
//	bit  3      FlagZlib: compressed with zlib; read, never written
//	bits 4…31   0
//
// No Codec of this package returns flags above MaxFlags, and none looks at bits
// above it. Bit 3 has the meaning that it has in the Python clients, so that text
// and JSON which these compressed can be read through Compressed. The subpackages
// use the flags of their clients instead, which reach higher (each says how far):
// they are for items that are shared with those clients, and do not mix with a
// layer that wants flags of its own.
package codec

// A Codec turns values into the bytes and flags of an item, and back.
// Implementations may be used concurrently.
type Codec interface {
	// Encode returns v as bytes and flags. The data is to be read only: it may
	// share memory with v.
	Encode(v any) (data []byte, flags uint32, err error)

	// Decode sets v, a non-nil pointer, to the value that data and flags hold. It
	// does not keep data: what v points to shares no memory with it.
	Decode(data []byte, flags uint32, v any) error
}

// The flags of this package; its documentation has the layout.
const (
	FlagZstd uint32 = 1 << 2 // the value is compressed with Zstandard (RFC 8878)
	FlagZlib uint32 = 1 << 3 // the value is compressed with zlib (RFC 1950)

	// MaxFlags is the largest value of flags that a Codec of this package returns,
	// as long as the Codec that Compressed wraps stays within it.
	MaxFlags uint32 = 1<<4 - 1

	compressedFlags = FlagZstd | FlagZlib
)
