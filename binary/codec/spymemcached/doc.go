// Package spymemcached reads and writes the values of spymemcached, the Java client,
// and of the clients that share its transcoder (Couchbase's 1.x SDK, AWS
// ElastiCache's cluster client), so that Go and Java services can share one cache.
//
// The flags and bytes are those of its default, SerializingTranscoder. Integers,
// floats and dates are packed: big-endian, with leading zero bytes left out.
//
//	flags  Java       Go, decoded into an any
//	0      String     string
//	0x100  Boolean    bool
//	0x200  Integer    int32
//	0x300  Long       int64
//	0x400  Date       time.Time, in UTC, to the millisecond
//	0x500  Byte       int8
//	0x600  Float      float32
//	0x700  Double     float64
//	0x800  byte[]     []byte
//	1      any other  *codec.ObjectError, or what Deserialize makes of it
//	+ 2    compressed with gzip above 16384 bytes
//
// Any of them decodes into every Go type that holds the value; a counter, which the
// server keeps as text, into a number. Java casts what it reads, so the type that is
// written matters: an int is a Long, an int32 an Integer.
//
// Values of WhalinTranscoder and WhalinV1Transcoder, whose flags mean something
// else, are not read.
//
// What decompresses to more than MaxSize is refused with a *codec.LimitError, and so
// is text of more than codec.MaxDigits digits that is decoded into a number.
//
// The largest flags that Codec returns are 0x802.
package spymemcached
