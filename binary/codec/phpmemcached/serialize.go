package phpmemcached

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

// appendSerialized appends v as PHP's serialize() does. What could not be read back
// for its elements is refused; 0: codec.MaxElements.
func appendSerialized(dst []byte, v any, maxElements int) ([]byte, error) {
	return (&writer{newBudget(maxElements)}).value(dst, v, 0)
}

// A writer appends one value.
type writer struct{ budget }

func (w *writer) value(dst []byte, v any, depth int) ([]byte, error) {
	basic, err := convert.Basic(v)
	if err != nil {
		return w.array(dst, v, depth)
	}
	switch b := basic.(type) {
	case nil:
		return append(dst, "N;"...), nil
	case bool:
		if b {
			return append(dst, "b:1;"...), nil
		}
		return append(dst, "b:0;"...), nil
	case string:
		return appendString(dst, b), nil
	case []byte:
		return appendString(dst, string(b)), nil
	case float64:
		return appendFloat(dst, b), nil
	case float32:
		return appendFloat(dst, float64(b)), nil
	}
	if i, ok := convert.Signed(basic); ok {
		return append(strconv.AppendInt(append(dst, "i:"...), i, 10), ';'), nil
	}
	return dst, unsupported(v)
}

func unsupported(v any) error {
	return fmt.Errorf("%w: %T has no form that is data in PHP, or is too large for an int", codec.ErrType, v)
}

// appendString appends a string with its length in bytes; nothing is escaped.
func appendString(dst []byte, s string) []byte {
	dst = strconv.AppendInt(append(dst, "s:"...), int64(len(s)), 10)
	dst = append(dst, `:"`...)
	dst = append(dst, s...)
	return append(dst, `";`...)
}

func appendFloat(dst []byte, f float64) []byte {
	dst = append(dst, "d:"...)
	switch {
	case math.IsInf(f, 1):
		dst = append(dst, "INF"...)
	case math.IsInf(f, -1):
		dst = append(dst, "-INF"...)
	case math.IsNaN(f):
		dst = append(dst, "NAN"...)
	default:
		dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
	return append(dst, ';')
}

// array appends a slice or a map, whose keys it sorts.
func (w *writer) array(dst []byte, v any, depth int) (_ []byte, err error) {
	if depth >= codec.MaxDepth {
		return dst, fmt.Errorf("%w: nested deeper than %d", codec.ErrType, codec.MaxDepth)
	}
	if len(dst) > codec.MaxSize { // a value that contains itself would never end
		return dst, fmt.Errorf("%w: more than %d bytes", codec.ErrType, codec.MaxSize)
	}
	rv := reflect.ValueOf(v)
	switch {
	case rv.Kind() == reflect.Slice || rv.Kind() == reflect.Array:
		if err := w.spend(rv.Len()); err != nil {
			return dst, err
		}
		dst = appendCount(dst, rv.Len())
		for i := range rv.Len() {
			dst = append(strconv.AppendInt(append(dst, "i:"...), int64(i), 10), ';')
			if dst, err = w.value(dst, rv.Index(i).Interface(), depth+1); err != nil {
				return dst, err
			}
		}
	case rv.Kind() == reflect.Map && rv.Type().Key().Kind() == reflect.String:
		if err := w.spend(rv.Len()); err != nil {
			return dst, err
		}
		keys := rv.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		dst = appendCount(dst, len(keys))
		for _, k := range keys {
			dst = appendKey(dst, k.String())
			if dst, err = w.value(dst, rv.MapIndex(k).Interface(), depth+1); err != nil {
				return dst, err
			}
		}
	default:
		return dst, unsupported(v)
	}
	return append(dst, '}'), nil
}

func appendCount(dst []byte, n int) []byte {
	return append(strconv.AppendInt(append(dst, "a:"...), int64(n), 10), ":{"...)
}

// appendKey appends a key: as an int where PHP would make it one, so that no key
// stands in an array twice.
func appendKey(dst []byte, key string) []byte {
	if i, err := strconv.ParseInt(key, 10, 64); err == nil && strconv.FormatInt(i, 10) == key {
		return append(strconv.AppendInt(append(dst, "i:"...), i, 10), ';')
	}
	return appendString(dst, key)
}
