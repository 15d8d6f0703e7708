package spymemcached

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

// packInt returns i big-endian without leading zero bytes (TranscoderUtils). A
// negative number has none, so it takes four bytes; 0 takes none.
func packInt(i int32) []byte {
	return bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, uint32(i)), "\x00")
}

// packLong is packInt for 64 bits.
func packLong(i int64) []byte {
	return bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, uint64(i)), "\x00")
}

// unpack reads up to size bytes, big-endian.
func unpack(data []byte, size int) (uint64, error) {
	if len(data) > size {
		return 0, codec.ErrCorrupt
	}
	var u uint64
	for _, b := range data {
		u = u<<8 | uint64(b)
	}
	return u, nil
}

// widths is how many bytes a packed type takes at most.
var widths = map[uint32]int{
	FlagInteger: 4, FlagLong: 8, FlagDate: 8, FlagByte: 1, FlagFloat: 4, FlagDouble: 8,
}

// decode sets v to the value of a type in data, which v may keep if it is owned.
func decode(data []byte, kind uint32, owned bool, v any) error {
	switch kind {
	case 0:
		return convert.Text(v, data)
	case FlagBytes:
		return convert.Bytes(v, data, owned)
	case FlagBoolean:
		if len(data) != 1 {
			return codec.ErrCorrupt
		}
		return convert.Value(v, data[0] == '1')
	}
	u, err := unpack(data, widths[kind])
	if err != nil {
		return err
	}
	switch kind {
	case FlagInteger:
		return convert.Value(v, int32(u))
	case FlagLong:
		return convert.Int(v, int64(u))
	case FlagDate:
		return convert.Value(v, time.UnixMilli(int64(u)).UTC())
	case FlagByte:
		return convert.Value(v, int8(u))
	case FlagFloat:
		return convert.Value(v, math.Float32frombits(uint32(u)))
	default: // FlagDouble
		return convert.Value(v, math.Float64frombits(u))
	}
}
