package session

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// The first byte of an encoded value. The numbers are stored, so they never
// change.
const (
	kindNil     = 0
	kindFalse   = 1
	kindTrue    = 2
	kindString  = 3
	kindInt     = 4
	kindInt64   = 5
	kindUint64  = 6
	kindFloat64 = 7
	kindBytes   = 8
	kindTime    = 9
	kindList    = 10 // []any: elements, each with its length before it
	kindCodec   = 255
)

// maxDepth is how deep lists may nest: a list can contain itself.
const maxDepth = 64

var errTooDeep = fmt.Errorf("session: lists nested more than %d deep", maxDepth)

// appendValue appends v, encoded, to dst.
func appendValue(dst []byte, v any, codec Codec, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, kindNil), nil
	case bool:
		if v {
			return append(dst, kindTrue), nil
		}
		return append(dst, kindFalse), nil
	case string:
		return append(append(dst, kindString), v...), nil
	case int:
		return appendNumber(dst, kindInt, uint64(int64(v))), nil
	case int64:
		return appendNumber(dst, kindInt64, uint64(v)), nil
	case uint64:
		return appendNumber(dst, kindUint64, v), nil
	case float64:
		return appendNumber(dst, kindFloat64, math.Float64bits(v)), nil
	case []byte:
		return append(append(dst, kindBytes), v...), nil
	case time.Time:
		return appendTime(dst, v)
	case []any:
		return appendList(dst, v, codec, depth+1)
	default:
		return appendOther(dst, v, codec)
	}
}

func appendNumber(dst []byte, kind byte, n uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, kind), n)
}

func appendTime(dst []byte, t time.Time) ([]byte, error) {
	dst, err := t.AppendBinary(append(dst, kindTime))
	if err != nil {
		return nil, fmt.Errorf("session: encoding a time.Time: %w", err)
	}
	return dst, nil
}

func appendOther(dst []byte, v any, codec Codec) ([]byte, error) {
	data, err := codec.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("session: encoding a %T: %w", v, err)
	}
	return append(append(dst, kindCodec), data...), nil
}

func appendList(dst []byte, list []any, codec Codec, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	dst = append(dst, kindList)
	for _, v := range list {
		element, err := appendValue(nil, v, codec, depth)
		if err != nil {
			return nil, err
		}
		dst = appendText(dst, string(element))
	}
	return dst, nil
}

// joinElements returns the list of already encoded elements.
func joinElements(elements []string) string {
	list := []byte{kindList}
	for _, e := range elements {
		list = appendText(list, e)
	}
	return string(list)
}

// decodeValue is the reverse of appendValue.
func decodeValue(data string, codec Codec, depth int) (any, error) {
	if len(data) == 0 {
		return nil, undecodable("an empty value")
	}
	kind, data := data[0], data[1:]
	switch kind {
	case kindNil, kindFalse, kindTrue:
		return decodeConstant(kind, data)
	case kindString:
		return data, nil
	case kindInt, kindInt64, kindUint64, kindFloat64:
		return decodeNumber(kind, data)
	case kindBytes:
		return []byte(data), nil
	case kindTime:
		var t time.Time
		if err := t.UnmarshalBinary([]byte(data)); err != nil {
			return nil, undecodable("a malformed time")
		}
		return t, nil
	case kindList:
		return decodeList(data, codec, depth+1)
	case kindCodec:
		v, err := codec.Decode([]byte(data))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDecode, err)
		}
		return v, nil
	default:
		return nil, undecodable("a value of an unknown kind, perhaps of a newer version")
	}
}

func decodeConstant(kind byte, data string) (any, error) {
	switch {
	case len(data) > 0:
		return nil, undecodable("a value with something behind it")
	case kind == kindNil:
		return nil, nil
	default:
		return kind == kindTrue, nil
	}
}

func decodeNumber(kind byte, data string) (any, error) {
	if len(data) != 8 {
		return nil, undecodable("a number of a wrong size")
	}
	n := binary.LittleEndian.Uint64([]byte(data))
	switch kind {
	case kindInt:
		if int64(int(n)) != int64(n) {
			return nil, undecodable("an int beyond this machine's")
		}
		return int(n), nil
	case kindInt64:
		return int64(n), nil
	case kindUint64:
		return n, nil
	default:
		return math.Float64frombits(n), nil
	}
}

func decodeList(data string, codec Codec, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: %w", ErrDecode, errTooDeep)
	}
	elements, err := splitElements(data)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(elements))
	for i, e := range elements {
		if list[i], err = decodeValue(e, codec, depth); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// splitElements returns the encoded elements of a list, without its kind.
func splitElements(data string) ([]string, error) {
	var elements []string
	for len(data) > 0 {
		e, rest, err := cutText(data)
		if err != nil {
			return nil, err
		}
		elements = append(elements, e)
		data = rest
	}
	return elements, nil
}

// appendText appends text with its length before it.
func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// cutText is the reverse of appendText.
func cutText(data string) (text, rest string, err error) {
	n, size := binary.Uvarint([]byte(data[:min(len(data), binary.MaxVarintLen64)]))
	if size <= 0 || n > uint64(len(data)-size) {
		return "", "", undecodable("cut short")
	}
	data = data[size:]
	return data[:n], data[n:], nil
}
