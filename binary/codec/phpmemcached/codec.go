package phpmemcached

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

// The types of values, in the lowest four bits of the flags (MEMC_VAL_IS_*).
const (
	TypeString uint32 = iota
	TypeLong
	TypeDouble
	TypeBool
	TypeSerialized
	TypeIgbinary
	TypeJSON
	TypeMsgpack

	maskType uint32 = 0xf
)

// How a value is compressed (MEMC_VAL_COMPRESS*).
const (
	FlagCompressed uint32 = 1 << 4
	FlagZlib       uint32 = 1 << 5
	FlagFastLZ     uint32 = 1 << 6
	FlagZstd       uint32 = 1 << 7

	maskInternal uint32 = 0xfff0
	knownFlags          = maskType | FlagCompressed | FlagZlib | FlagFastLZ | FlagZstd
)

// CompressionThreshold is the size in bytes from which the extension compresses
// (memcached.compression_threshold).
const CompressionThreshold = 2000

// UserFlags returns the number that a PHP application stored with OPT_USER_FLAGS.
func UserFlags(flags uint32) uint16 { return uint16(flags >> 16) }

// A Serializer says how null, arrays and maps are written. Reading recognises each
// by its type.
type Serializer int

// The serializers.
const (
	PHP  Serializer = iota // serialize(): Memcached::SERIALIZER_PHP
	JSON                   // Memcached::SERIALIZER_JSON and SERIALIZER_JSON_ARRAY
)

// Codec reads and writes values of php-memcached. It may be used concurrently as
// long as its fields do not change.
type Codec struct {
	// Serializer is how values are written that PHP does not store as a string or
	// number. PHP reads each, whatever it writes itself.
	Serializer Serializer

	// CompressAbove is the size in bytes above which values are compressed, if that
	// saves as much as the extension asks for (compression_factor, 1.3).
	// 0: CompressionThreshold - 1; negative: never, as with OPT_COMPRESSION off.
	CompressAbove int

	// UserFlags is stored with every value, as with OPT_USER_FLAGS.
	UserFlags uint16

	// MaxSize limits, in bytes, what values decompress to; above it Decode returns
	// codec.ErrTooLarge. 0: codec.MaxSize.
	MaxSize int

	// MaxElements limits what arrays may hold, counted as codec.MaxElements is; above
	// it Encode and Decode return codec.ErrTooLarge. 0: codec.MaxElements.
	MaxElements int

	// Unserialize decodes what is not data here, which it may read only during the
	// call. The format is "php serialize", "igbinary" or "msgpack". Its result is
	// decoded into what Decode was given. nil: such values give a
	// *codec.ObjectError.
	Unserialize func(format string, data []byte) (any, error)
}

var _ codec.Codec = Codec{}

// Encode returns v as php-memcached would store it: a string or []byte, an integer
// of up to 64 bits with a sign, a float, a bool; and, through Serializer, nil and
// slices and maps of these with keys of string types. With JSON, everything that
// encoding/json takes.
func (c Codec) Encode(v any) (data []byte, flags uint32, err error) {
	data, flags, err = c.encode(v)
	if err != nil {
		return nil, 0, fail(err)
	}
	if kind := flags; kind == TypeString || kind >= TypeSerialized { // the extension leaves numbers
		data, flags = c.compress(data, flags)
	}
	return data, flags | uint32(c.UserFlags)<<16, nil
}

func (c Codec) encode(v any) (data []byte, flags uint32, err error) {
	basic, err := convert.Basic(v)
	if err != nil {
		basic = v
	}
	switch b := basic.(type) {
	case string:
		return []byte(b), TypeString, nil
	case []byte:
		return b, TypeString, nil
	case bool:
		if b {
			return []byte("1"), TypeBool, nil
		}
		return []byte{}, TypeBool, nil
	case float64:
		return appendDouble(nil, b), TypeDouble, nil
	case float32:
		return appendDouble(nil, float64(b)), TypeDouble, nil
	}
	if i, ok := convert.Signed(basic); ok {
		data, _ = convert.AppendInteger(nil, i)
		return data, TypeLong, nil
	}
	switch c.Serializer {
	case PHP:
		data, err = appendSerialized(nil, v, c.MaxElements)
		return data, TypeSerialized, err
	case JSON:
		data, _, err = codec.JSON{MaxElements: c.MaxElements}.Encode(v)
		return data, TypeJSON, err
	}
	return nil, 0, fmt.Errorf("unknown serializer %d", c.Serializer)
}

// Decode sets v to the value that php-memcached stored.
func (c Codec) Decode(data []byte, flags uint32, v any) error {
	plain, owned, err := c.decompress(data, flags)
	if err == nil {
		err = c.decode(plain, owned, flags&maskType, v)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

func (c Codec) decode(data []byte, owned bool, kind uint32, v any) error {
	switch kind {
	case TypeString:
		if b, ok := v.(*[]byte); ok {
			return convert.Bytes(b, data, owned)
		}
		return convert.Text(v, data)
	case TypeLong:
		return corrupt(convert.Digits(v, data))
	case TypeDouble:
		return corrupt(convert.Decimal(v, data))
	case TypeBool:
		return convert.Value(v, len(data) > 0 && data[0] == '1')
	case TypeSerialized:
		val, err := parseSerialized(data, c.MaxElements)
		return c.data("php serialize", data, val, err, v)
	case TypeJSON:
		return codec.JSON{MaxElements: c.MaxElements}.Decode(data, 0, v)
	case TypeIgbinary:
		val, err := parseIgbinary(data, c.MaxElements)
		return c.data("igbinary", data, val, err, v)
	case TypeMsgpack:
		val, err := parseMsgpack(data, c.MaxElements)
		return c.data("msgpack", data, val, err, v)
	}
	return fmt.Errorf("%w: type %d", codec.ErrFlags, kind)
}

// data sets v to val, which was parsed from what data holds, unless err says that it
// is no data.
func (c Codec) data(format string, data []byte, val any, err error, v any) error {
	if errors.Is(err, codec.ErrObject) {
		return c.unserialize(format, data, v)
	}
	if err != nil {
		return err
	}
	return convert.Value(v, val)
}

// unserialize hands what is not data to the hook.
func (c Codec) unserialize(format string, data []byte, v any) error {
	if c.Unserialize == nil {
		return &codec.ObjectError{Format: format, Data: bytes.Clone(data)}
	}
	val, err := c.Unserialize(format, data)
	if err != nil {
		return err
	}
	return convert.Value(v, val)
}

// fail adds the package's name to an error.
func fail(err error) error { return fmt.Errorf("phpmemcached: %w", err) }

// corrupt marks the error of text that is not a number as that of a corrupt value.
func corrupt(err error) error {
	if errors.Is(err, convert.ErrNotNumber) {
		return fmt.Errorf("%w: %w", codec.ErrCorrupt, err)
	}
	return err
}
