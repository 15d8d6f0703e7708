// Package nodememcached reads and writes the values of the npm package memcached, so
// that Go and Node.js services can share one cache.
//
// That client keeps the type of a value in the flags:
//
//	flags  JavaScript   Go, decoded into an any
//	0      string       string
//	2      any other    JSON: nil, bool, []any, map[string]any, float64
//	4      Buffer       []byte
//	8      number       int64 if it is written as an integer, else float64
//
// It speaks the text protocol, whose lines it tells apart after reading: it puts a
// backslash before each carriage return and line feed and takes it away again, and
// stores a Buffer as the UTF-8 of its bytes as characters. Codec does the same. The
// numbers of JavaScript are float64: integers beyond 2^53 are refused.
//
// The npm package memjs stores strings and Buffers as they are, without flags, and
// reads Buffers. codec.Raw does the same, and codec.JSON for what its users pass
// through JSON.stringify and JSON.parse.
//
// Values that hold more than MaxElements, and numbers of more than codec.MaxDigits
// digits, are refused with a *codec.LimitError. Nothing is compressed, and nothing is
// ever executed.
//
// The largest flags that Codec returns are 8.
package nodememcached
