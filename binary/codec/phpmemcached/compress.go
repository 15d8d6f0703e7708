package phpmemcached

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/pack"
)

// sizeLen is how many bytes the size before compression takes. The extension
// writes it in the byte order of its machine; no supported one is big-endian.
const sizeLen = 4

// compress compresses data if that is wanted and worth it.
func (c Codec) compress(data []byte, flags uint32) ([]byte, uint32) {
	above := c.CompressAbove
	if above == 0 {
		above = CompressionThreshold - 1
	}
	if above < 0 || len(data) <= above || len(data) > pack.Limit(c.MaxSize) {
		return data, flags
	}
	smaller := pack.Zlib(data)
	if smaller == nil || len(data) <= len(smaller)*13/10 || len(data) <= sizeLen+len(smaller) {
		return data, flags
	}
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, sizeLen+len(smaller)), uint32(len(data)))
	return append(out, smaller...), flags | FlagCompressed | FlagZlib
}

// decompress returns data decompressed, and whether that is new memory.
func (c Codec) decompress(data []byte, flags uint32) (plain []byte, owned bool, err error) {
	if flags&maskInternal&^knownFlags != 0 {
		return nil, false, fmt.Errorf("%w: %#x", codec.ErrFlags, flags)
	}
	if flags&FlagCompressed == 0 {
		return data, false, nil
	}
	if len(data) < sizeLen {
		return nil, false, codec.ErrCorrupt
	}
	stated := uint64(binary.LittleEndian.Uint32(data))
	if stated > uint64(pack.Limit(c.MaxSize)) {
		return nil, false, &codec.LimitError{Limit: "size", Max: pack.Limit(c.MaxSize)}
	}
	size, data := int(stated), data[sizeLen:]
	switch { // in the order of s_decompress_value
	case flags&FlagZstd != 0:
		plain, err = pack.Unzstd(data, size)
	case flags&FlagFastLZ != 0:
		plain, err = unFastLZ(data, size)
	case flags&FlagZlib != 0:
		plain, err = pack.Unzlib(data, size, size)
	default:
		return nil, false, fmt.Errorf("%w: compressed in an unknown way", codec.ErrFlags)
	}
	if err == nil && len(plain) != size || errors.Is(err, codec.ErrTooLarge) {
		err = fmt.Errorf("%w: its size is not the one that it states", codec.ErrCorrupt)
	}
	return plain, true, err
}
