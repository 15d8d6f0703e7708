package store

import (
	"fmt"
	"strconv"
	"strings"
)

// kind is the Go type of a value that was stored without a codec. The numbers
// are stored: they never change.
type kind uint32

const (
	kindBytes kind = iota // zero, so that other clients see plain bytes
	kindString
	kindBool
	kindInt
	kindInt8
	kindInt16
	kindInt32
	kindInt64
	kindUint
	kindUint8
	kindUint16
	kindUint32
	kindUint64
	kindUintptr
	kindFloat32
	kindFloat64

	kindEnvelope kind = lowMask // what the value is stands in its envelope
)

// kindOf returns the kind of v, if it has one.
func kindOf(v any) (kind, bool) {
	switch v.(type) {
	case []byte:
		return kindBytes, true
	case string:
		return kindString, true
	case bool:
		return kindBool, true
	case int:
		return kindInt, true
	case int8:
		return kindInt8, true
	case int16:
		return kindInt16, true
	case int32:
		return kindInt32, true
	case int64:
		return kindInt64, true
	case uint:
		return kindUint, true
	case uint8:
		return kindUint8, true
	case uint16:
		return kindUint16, true
	case uint32:
		return kindUint32, true
	case uint64:
		return kindUint64, true
	case uintptr:
		return kindUintptr, true
	case float32:
		return kindFloat32, true
	case float64:
		return kindFloat64, true
	default:
		return 0, false
	}
}

// encodeValue returns the bytes and the kind of v. Bytes are v's own. Numbers
// are decimal text, which is what memcached counts in.
func encodeValue(v any) ([]byte, kind, error) {
	switch v := v.(type) {
	case []byte:
		return v, kindBytes, nil
	case string:
		return []byte(v), kindString, nil
	case bool:
		return strconv.AppendBool(nil, v), kindBool, nil
	case int:
		return appendInt(v), kindInt, nil
	case int8:
		return appendInt(v), kindInt8, nil
	case int16:
		return appendInt(v), kindInt16, nil
	case int32:
		return appendInt(v), kindInt32, nil
	case int64:
		return appendInt(v), kindInt64, nil
	case uint:
		return appendUint(v), kindUint, nil
	case uint8:
		return appendUint(v), kindUint8, nil
	case uint16:
		return appendUint(v), kindUint16, nil
	case uint32:
		return appendUint(v), kindUint32, nil
	case uint64:
		return appendUint(v), kindUint64, nil
	case uintptr:
		return appendUint(v), kindUintptr, nil
	case float32:
		return strconv.AppendFloat(nil, float64(v), 'g', -1, 32), kindFloat32, nil
	case float64:
		return strconv.AppendFloat(nil, v, 'g', -1, 64), kindFloat64, nil
	case nil:
		return nil, 0, fmt.Errorf("%w: nil", ErrValueType)
	default:
		return nil, 0, fmt.Errorf("%w: %T (NewTyped and Options.Codec store any type)", ErrValueType, v)
	}
}

// decodeValue returns the value of kind k that data holds. Bytes are data
// itself.
func decodeValue(data []byte, k kind) (any, error) {
	switch k {
	case kindBytes:
		if data == nil {
			data = []byte{}
		}
		return data, nil
	case kindString:
		return string(data), nil
	case kindBool:
		return decoded(strconv.ParseBool(string(data)))
	case kindInt:
		return parseInt[int](data, strconv.IntSize)
	case kindInt8:
		return parseInt[int8](data, 8)
	case kindInt16:
		return parseInt[int16](data, 16)
	case kindInt32:
		return parseInt[int32](data, 32)
	case kindInt64:
		return parseInt[int64](data, 64)
	case kindUint:
		return parseUint[uint](data, strconv.IntSize)
	case kindUint8:
		return parseUint[uint8](data, 8)
	case kindUint16:
		return parseUint[uint16](data, 16)
	case kindUint32:
		return parseUint[uint32](data, 32)
	case kindUint64:
		return parseUint[uint64](data, 64)
	case kindUintptr:
		return parseUint[uintptr](data, strconv.IntSize)
	case kindFloat32:
		f, err := strconv.ParseFloat(string(data), 32)
		return decoded(float32(f), err)
	case kindFloat64:
		return decoded(strconv.ParseFloat(string(data), 64))
	default:
		return nil, fmt.Errorf("%w: unknown kind %d: written by a newer version?", ErrCorrupt, k)
	}
}

func appendInt[T int | int8 | int16 | int32 | int64](v T) []byte {
	return strconv.AppendInt(nil, int64(v), 10)
}

func appendUint[T uint | uint8 | uint16 | uint32 | uint64 | uintptr](v T) []byte {
	return strconv.AppendUint(nil, uint64(v), 10)
}

func parseInt[T int | int8 | int16 | int32 | int64](data []byte, bits int) (any, error) {
	v, err := strconv.ParseInt(number(data), 10, bits)
	return decoded(T(v), err)
}

func parseUint[T uint | uint8 | uint16 | uint32 | uint64 | uintptr](data []byte, bits int) (any, error) {
	v, err := strconv.ParseUint(number(data), 10, bits)
	return decoded(T(v), err)
}

// number is data as text. memcached pads with spaces on the right when a
// decremented number gets shorter.
func number(data []byte) string { return strings.TrimRight(string(data), " ") }

// decoded drops the text of strconv's errors, which quotes the value: cached
// values do not belong in errors.
func decoded[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, fmt.Errorf("%w: not a %T", ErrCorrupt, v)
	}
	return v, nil
}
