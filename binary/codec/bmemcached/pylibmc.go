package bmemcached

import "github.com/bmemcached/bmemcached-go/binary/codec"

// FlagText marks text in pylibmc and pymemcache; their bytes have no flag. It is
// the bit that marks bytes in python-binary-memcached.
const FlagText uint32 = 1 << 4

// Pylibmc reads and writes values of pylibmc, of python-memcached, and of pymemcache
// with its pickle_serde or compressed_serde. The zero value does what pylibmc does by
// default. It may be used concurrently as long as its fields do not change.
//
// A bool is stored as pylibmc does it, as the integer 1 or 0, and can be decoded
// into a bool.
type Pylibmc struct {
	// CompressAbove is the size in bytes above which values are compressed, if that
	// makes them smaller. 0 or negative: never, as pylibmc without min_compress_len;
	// with it, pylibmc compresses from that size on, so this is one less.
	CompressAbove int

	// MaxSize limits, in bytes, what values decompress to; above it Decode returns
	// codec.ErrTooLarge. 0: codec.MaxSize.
	MaxSize int

	// Unpickle and Pickle are as in Codec.
	Unpickle func(pickle []byte) (any, error)
	Pickle   func(v any) ([]byte, error)
}

var _ codec.Codec = Pylibmc{}

// Encode returns v as pylibmc would store it. Text must be valid UTF-8, because
// Python could not read it otherwise.
func (c Pylibmc) Encode(v any) (data []byte, flags uint32, err error) {
	above := c.CompressAbove
	if above == 0 {
		above = -1
	}
	kinds := layout{text: FlagText, bytes: 0, integer: FlagLong, boolean: FlagInteger}
	data, flags, err = encode(v, kinds, c.Pickle)
	if err != nil {
		return nil, 0, err
	}
	data, flags = compress(data, flags, above, c.MaxSize)
	return data, flags, nil
}

// Decode sets v to the value that pylibmc or pymemcache stored.
func (c Pylibmc) Decode(data []byte, flags uint32, v any) error {
	plain, owned, err := decompress(data, flags, c.MaxSize)
	if err != nil {
		return err
	}
	// The order is that of pymemcache.serde; pylibmc refuses combinations.
	kind := isBytes
	switch {
	case flags&FlagText != 0:
		kind = isText
	case flags&(FlagInteger|FlagLong) != 0:
		kind = isInteger
	case flags&FlagPickle != 0:
		kind = isPickle
	}
	return decode(plain, owned, kind, v, c.Unpickle)
}
