package codec

import (
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/pack"
)

// Compressed returns a Codec that stores what c encodes, compressed with Zstandard
// where that is above the given number of bytes and becomes smaller by it. A
// negative number compresses nothing; values are decompressed all the same, so
// that compression can be turned on and off while a cache is in use.
//
// It reads zlib as well (FlagZlib). A value that decompresses to more than MaxSize
// gives ErrTooLarge, and is never stored compressed either; CompressedMax takes
// another limit. The bits FlagZstd and FlagZlib must be free in the flags of c.
func Compressed(c Codec, above int) Codec { return CompressedMax(c, above, MaxSize) }

// CompressedMax is Compressed for values of up to maxSize bytes before compression;
// 0 means MaxSize. Every value that is being decoded can take that much memory, and
// what the wrapped Codec makes of it beside, whoever stored it.
func CompressedMax(c Codec, above, maxSize int) Codec {
	return &compressed{inner: c, above: above, limit: pack.Limit(maxSize)}
}

type compressed struct {
	inner Codec
	above int // bytes; negative: never
	limit int // bytes
}

// Encode encodes v with the wrapped Codec and compresses what is worth it.
func (c *compressed) Encode(v any) (data []byte, flags uint32, err error) {
	data, flags, err = c.inner.Encode(v)
	if err != nil {
		return nil, 0, err
	}
	if flags&compressedFlags != 0 {
		return nil, 0, fmt.Errorf("codec: %w: %T uses the flags of Compressed", ErrFlags, c.inner)
	}
	if c.above < 0 || len(data) <= c.above || len(data) > c.limit {
		return data, flags, nil
	}
	if smaller := pack.Zstd(data); smaller != nil {
		return smaller, flags | FlagZstd, nil
	}
	return data, flags, nil
}

// Decode decompresses data as the flags say, and decodes the rest with the wrapped
// Codec.
func (c *compressed) Decode(data []byte, flags uint32, v any) error {
	var err error
	inner := flags &^ compressedFlags
	switch flags & compressedFlags {
	case 0:
		return c.inner.Decode(data, inner, v)
	case FlagZstd:
		data, err = pack.Unzstd(data, c.limit)
	case FlagZlib:
		data, err = pack.Unzlib(data, 0, c.limit)
	default:
		err = fmt.Errorf("%w: marked as zstd and as zlib", ErrFlags)
	}
	if err != nil {
		return fmt.Errorf("codec: %w", err)
	}
	if _, ok := c.inner.(Raw); ok {
		return decodeRaw(data, true, v) // spares the copy
	}
	return c.inner.Decode(data, inner, v)
}
