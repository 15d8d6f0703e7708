package bmemcached

import (
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// The flags of python-binary-memcached (bmemcached.protocol.Protocol.FLAGS). Text
// has none of them.
const (
	FlagPickle  uint32 = 1 << 0 // an object, pickled
	FlagInteger uint32 = 1 << 1 // an int, in decimal
	FlagLong    uint32 = 1 << 2 // a long of Python 2, in decimal
	FlagZlib    uint32 = 1 << 3 // compressed with zlib, whatever the kind
	FlagBytes   uint32 = 1 << 4 // bytes
)

// CompressionThreshold is the size in bytes above which python-binary-memcached
// compresses (Protocol.COMPRESSION_THRESHOLD).
const CompressionThreshold = 128

// Codec reads and writes values of python-binary-memcached. The zero value does
// what that client does by default. It may be used concurrently as long as its
// fields do not change.
type Codec struct {
	// CompressAbove is the size in bytes above which values are compressed, if that
	// makes them smaller. 0: CompressionThreshold; negative: never, as with
	// compress_level=0.
	CompressAbove int

	// MaxSize limits, in bytes, what values decompress to; above it Decode returns
	// codec.ErrTooLarge. 0: codec.MaxSize.
	MaxSize int

	// Unpickle decodes a pickle, which it may read only during the call. Its result
	// is decoded into what Decode was given. It must build nothing but data: a full
	// unpickler runs whatever code the cache holds. nil: pickles give a *PickleError.
	Unpickle func(pickle []byte) (any, error)

	// Pickle encodes values that are neither text, bytes nor integers. nil: they
	// give codec.ErrType.
	Pickle func(v any) ([]byte, error)
}

var _ codec.Codec = Codec{}

// Encode returns v as python-binary-memcached would store it. Text must be valid
// UTF-8, because Python could not read it otherwise.
func (c Codec) Encode(v any) (data []byte, flags uint32, err error) {
	above := c.CompressAbove
	if above == 0 {
		above = CompressionThreshold
	}
	data, flags, err = encode(v, layout{text: 0, bytes: FlagBytes, integer: FlagInteger}, c.Pickle)
	if err != nil {
		return nil, 0, err
	}
	data, flags = compress(data, flags, above, c.MaxSize)
	return data, flags, nil
}

// Decode sets v to the value that python-binary-memcached stored.
func (c Codec) Decode(data []byte, flags uint32, v any) error {
	plain, owned, err := decompress(data, flags, c.MaxSize)
	if err != nil {
		return err
	}
	// The order is that of Protocol.deserialize.
	kind := isPickle
	switch {
	case flags&FlagBytes != 0:
		kind = isBytes
	case flags&(FlagInteger|FlagLong) != 0:
		kind = isInteger
	case flags&FlagPickle == 0:
		kind = isText
	}
	return decode(plain, owned, kind, v, c.Unpickle)
}

// Serialize returns v as python-binary-memcached would store it with its default
// settings: Protocol.serialize of that client.
func Serialize(v any) (data []byte, flags uint32, err error) { return Codec{}.Encode(v) }

// Deserialize returns the value that python-binary-memcached stored: a string, a
// []byte, or an integer as an int64, uint64 or *big.Int. It is Protocol.deserialize
// of that client, except that a pickle gives a *PickleError.
func Deserialize(data []byte, flags uint32) (any, error) {
	var v any
	if err := (Codec{}).Decode(data, flags, &v); err != nil {
		return nil, err
	}
	return v, nil
}

// fail adds the package's name to an error.
func fail(err error) error { return fmt.Errorf("bmemcached: %w", err) }
