// Package phpmemcached reads and writes the values of PHP's memcached extension
// (php-memcached), so that Go and PHP services can share one cache.
//
// The extension keeps the type of a value in the lowest four bits of the flags, how
// it is compressed in the next four, and a number of the application's own
// (OPT_USER_FLAGS) in the upper sixteen:
//
//	type  PHP                     Go, decoded into an any
//	0     string                  string, whatever its bytes
//	1     int                     int64, or uint64 for a counter above it
//	2     float                   float64
//	3     bool                    bool
//	4     serialize()             null is nil; an array is []any if it is a list,
//	                              else map[string]any; objects are not data
//	5     igbinary                as serialize(); the default where it is installed
//	6     JSON                    as encoding/json decodes it
//	7     MessagePack             as serialize()
//	+ 16  compressed: with zlib (+ 32), FastLZ (+ 64, the default) or zstd (+ 128)
//
// An array decodes into a map with string keys in any case, and into a slice if it is
// a list. PHP makes no difference between the keys 1 and "1".
//
// Objects, enums and references are not data. They give a *codec.ObjectError, which
// names the format and has the bytes, unless Unserialize is set. Nothing is ever
// executed.
//
// Values that hold more than MaxElements, numbers of more than codec.MaxDigits digits,
// nesting deeper than codec.MaxDepth, and what decompresses to more than MaxSize, are
// refused with a *codec.LimitError.
//
// Codec reads every serializer and every compression. It writes the format of
// serialize() or JSON, and zlib, which every version of the extension reads whatever
// it writes itself.
//
// The largest flags that Codec returns are 54, with UserFlags in the upper 16 bits.
package phpmemcached
