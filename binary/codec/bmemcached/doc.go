// Package bmemcached reads and writes values the way Python's memcached clients do,
// so that Go and Python services can share one cache.
//
// Codec has the flags of python-binary-memcached, and Pylibmc those of pylibmc and
// pymemcache, which mark text where python-binary-memcached marks bytes:
//
//	                 python-binary-memcached   pylibmc, pymemcache
//	Codec            Codec                     Pylibmc
//	str              0                         16
//	bytes            16                        0
//	int              2 (Python 2's long: 4)    4, pymemcache: 2
//	bool             pickle                    2 as 1 or 0, pymemcache: pickle
//	pickle           1                         1
//	zlib             + 8 above 128 bytes       + 8 above what is configured
//
// In Go, str is a string, bytes a []byte, and int any integer type or a *big.Int.
// Decoded into an any, an integer is an int64, a uint64 if it is too large for that,
// and a *big.Int beyond. It can be decoded into any type that holds its value, and
// text and bytes into numbers when they are decimal: counters that the server
// created, as incr does, are text.
//
// Everything else (None, float, bool, lists, dicts, objects) is pickled by Python.
// A pickle is a program: unpickling one from a cache lets whoever can write to the
// cache run code. This package never does it. Decoding a pickle gives a
// *PickleError, which matches ErrPickle and carries the bytes; who trusts a reader
// that builds data only sets Unpickle. The better way is to let both sides store
// JSON text.
//
// An int of more than codec.MaxDigits digits, and what decompresses to more than
// MaxSize, are refused with a *codec.LimitError.
//
// The largest flags that Codec and Pylibmc return are 24.
package bmemcached
