// Package dalli reads and writes the values of Dalli, Ruby's memcached client, so
// that Go and Ruby services can share one cache.
//
// Dalli stores with these flags:
//
//	1  serialized: Ruby's Marshal, or whatever the serializer option names
//	2  compressed: zlib, or gzip with Dalli::GzipCompressor; from 4096 bytes on
//	4  UTF-8 text that is not serialized (string_fastpath)
//	0  bytes as they are (raw: true), and counters
//
// Dalli marshals even plain strings and integers unless it is told otherwise. Codec
// reads and writes the part of Ruby's marshal format that is data:
//
//	Ruby                 Go, decoded into an any
//	nil, true, false     nil, bool
//	Integer              int64, uint64 above it, *big.Int beyond
//	Float                float64
//	String               string if it is UTF-8 or ASCII by its encoding, else []byte
//	Symbol               string
//	Array                []any
//	Hash                 map[string]any; its keys are strings, symbols or integers
//
// Objects of classes, structs, ranges, regular expressions, times and the like are
// not data. They give a *codec.ObjectError, which names the format and has the
// bytes, unless Load is set. Nothing is ever executed.
//
// Values that hold more than MaxElements, numbers of more than codec.MaxDigits digits,
// nesting deeper than codec.MaxDepth, and what decompresses to more than MaxSize, are
// refused with a *codec.LimitError, although Ruby has none of these limits. A
// reference to a string or number counts like the value itself.
//
// The largest flags that Codec returns are 3.
package dalli
