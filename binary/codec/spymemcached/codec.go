package spymemcached

import (
	"bytes"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/pack"
)

// The flags of spymemcached (SerializingTranscoder). The types exclude each other
// and stand in the second byte; text has none of them.
const (
	FlagSerialized uint32 = 1 << 0 // an object in Java's serialization format
	FlagCompressed uint32 = 1 << 1 // compressed with gzip

	FlagBoolean uint32 = 1 << 8
	FlagInteger uint32 = 2 << 8
	FlagLong    uint32 = 3 << 8
	FlagDate    uint32 = 4 << 8
	FlagByte    uint32 = 5 << 8
	FlagFloat   uint32 = 6 << 8
	FlagDouble  uint32 = 7 << 8
	FlagBytes   uint32 = 8 << 8

	maskTypes uint32 = 0xff00
)

// CompressionThreshold is the size in bytes above which spymemcached compresses
// (BaseSerializingTranscoder.DEFAULT_COMPRESSION_THRESHOLD).
const CompressionThreshold = 16384

// Codec reads and writes values of spymemcached. The zero value does what that
// client does by default. It may be used concurrently as long as its fields do not
// change.
type Codec struct {
	// CompressAbove is the size in bytes above which values are compressed, if that
	// makes them smaller. 0: CompressionThreshold; negative: never.
	CompressAbove int

	// MaxSize limits, in bytes, what values decompress to; above it Decode returns
	// codec.ErrTooLarge. 0: codec.MaxSize.
	MaxSize int

	// Deserialize decodes an object in Java's serialization format, which it may
	// read only during the call. Its result is decoded into what Decode was given.
	// nil: objects give a *codec.ObjectError.
	Deserialize func(object []byte) (any, error)
}

var _ codec.Codec = Codec{}

// Encode returns v as spymemcached would store it: a string, which must be valid
// UTF-8, a []byte, bool, time.Time or number, or a named type of one of these.
// int8 is a Byte, uint8, int16, uint16 and int32 are an Integer, and the larger
// integers a Long; one that does not fit is codec.ErrType. Dates lose what is below
// a millisecond.
func (c Codec) Encode(v any) (data []byte, flags uint32, err error) {
	basic, err := convert.Basic(v)
	if err != nil {
		return nil, 0, fail(err)
	}
	data, flags, err = encode(basic)
	if err != nil {
		return nil, 0, fail(err)
	}
	above := c.CompressAbove
	if above == 0 {
		above = CompressionThreshold
	}
	if above < 0 || len(data) <= above || len(data) > pack.Limit(c.MaxSize) || flags == 0 && looksLikeJSON(data) {
		return data, flags, nil
	}
	if smaller := pack.Gzip(data); smaller != nil {
		return smaller, flags | FlagCompressed, nil
	}
	return data, flags, nil
}

func encode(v any) (data []byte, flags uint32, err error) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return nil, 0, fmt.Errorf("%w: a string that is not UTF-8 cannot be text; store it as []byte", codec.ErrType)
		}
		return []byte(v), 0, nil
	case []byte:
		return v, FlagBytes, nil
	case bool:
		if v {
			return []byte("1"), FlagBoolean, nil
		}
		return []byte("0"), FlagBoolean, nil
	case int8:
		return []byte{byte(v)}, FlagByte, nil
	case uint8:
		return packInt(int32(v)), FlagInteger, nil
	case int16:
		return packInt(int32(v)), FlagInteger, nil
	case uint16:
		return packInt(int32(v)), FlagInteger, nil
	case int32:
		return packInt(v), FlagInteger, nil
	case float32:
		return packInt(int32(math.Float32bits(v))), FlagFloat, nil
	case float64:
		return packLong(int64(math.Float64bits(v))), FlagDouble, nil
	case time.Time:
		return packLong(v.UnixMilli()), FlagDate, nil
	}
	if i, ok := convert.Signed(v); ok {
		return packLong(i), FlagLong, nil
	}
	return nil, 0, fmt.Errorf("%w: %T has no form that is data in Java, or is too large for a Long", codec.ErrType, v)
}

// looksLikeJSON says what StringUtils.isJsonObject does: spymemcached leaves such
// text uncompressed, so that the server side can index it. Numbers and words count
// as well there, and are too short to matter unless they have thousands of digits.
func looksLikeJSON(text []byte) bool {
	return text[0] == '{' || text[0] == '[' || !bytes.ContainsFunc(bytes.TrimPrefix(text, []byte("-")), notDigit)
}

func notDigit(r rune) bool { return r < '0' || r > '9' }

// Decode sets v to the value that spymemcached stored.
func (c Codec) Decode(data []byte, flags uint32, v any) error {
	if flags&^(FlagSerialized|FlagCompressed|maskTypes) != 0 || flags&maskTypes > FlagBytes {
		return fail(fmt.Errorf("%w: %#x", codec.ErrFlags, flags))
	}
	compressed := flags&FlagCompressed != 0
	if compressed {
		plain, err := pack.Ungzip(data, pack.Limit(c.MaxSize))
		if err != nil {
			return fail(err)
		}
		data = plain
	}
	if flags&FlagSerialized != 0 {
		return c.deserialize(data, v)
	}
	if err := decode(data, flags&maskTypes, compressed, v); err != nil {
		return fail(err)
	}
	return nil
}

// deserialize hands an object to the hook.
func (c Codec) deserialize(data []byte, v any) error {
	if c.Deserialize == nil {
		return fail(&codec.ObjectError{Format: "java serialization", Data: bytes.Clone(data)})
	}
	val, err := c.Deserialize(data)
	if err == nil {
		err = convert.Value(v, val)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// fail adds the package's name to an error.
func fail(err error) error { return fmt.Errorf("spymemcached: %w", err) }
