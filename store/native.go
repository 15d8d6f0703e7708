package store

import (
	"fmt"
	"strconv"
	"strings"
)

// encodeNative encodes a value without a codec. A []byte is not copied. Numbers
// become decimal text, which memcached can increment.
func encodeNative(v any) (payload, error) {
	data, k, err := nativeBytes(v)
	return payload{form{class: classNative, kind: k}, data}, err
}

// nativeBytes returns the bytes and the kind of v.
func nativeBytes(v any) ([]byte, kind, error) {
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
		return nil, 0, fmt.Errorf("%w: %T (NewTyped or Options.Codec stores other types)", ErrValueType, v)
	}
}

// decodeNative returns the value of kind k in data. A []byte is data itself.
func decodeNative(data []byte, k kind) (any, error) {
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
		return nil, fmt.Errorf("%w: unknown kind %d: was it written by a newer version?", ErrCorrupt, k)
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

// number returns data without the spaces at its end: memcached pads a number
// that a decrement made shorter.
func number(data []byte) string { return strings.TrimRight(string(data), " ") }

// decoded replaces strconv's errors, which quote the value: cached values do
// not belong in errors.
func decoded[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, fmt.Errorf("%w: not a %T", ErrCorrupt, v)
	}
	return v, nil
}
