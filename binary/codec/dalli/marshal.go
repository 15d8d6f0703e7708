package dalli

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/convert"
)

// marshalHeader is the version of Ruby's marshal format, 4.8 since Ruby 1.8.
const marshalHeader = "\x04\x08"

// appendMarshal appends v in Ruby's marshal format, without the header. What could
// not be read back for its elements is refused; 0: codec.MaxElements.
func appendMarshal(dst []byte, v any, maxElements int) ([]byte, error) {
	return (&writer{newBudget(maxElements)}).value(dst, v, 0)
}

// A writer appends one value.
type writer struct{ budget }

func (w *writer) value(dst []byte, v any, depth int) ([]byte, error) {
	basic, err := convert.Basic(v)
	if err != nil {
		return w.container(dst, v, depth)
	}
	switch b := basic.(type) {
	case nil:
		return append(dst, '0'), nil
	case bool:
		if b {
			return append(dst, 'T'), nil
		}
		return append(dst, 'F'), nil
	case string:
		return appendString(dst, b), nil
	case []byte:
		return append(appendLong(append(dst, '"'), len(b)), b...), nil
	case float64:
		return appendFloat(dst, b), nil
	case float32:
		return appendFloat(dst, float64(b)), nil
	case *big.Int:
		return appendBig(dst, b), w.number(b.BitLen())
	}
	if i, ok := convert.Signed(basic); ok {
		return appendInteger(dst, i), nil
	}
	if u, ok := convert.Unsigned(basic); ok {
		return appendBig(dst, new(big.Int).SetUint64(u)), nil
	}
	return dst, fmt.Errorf("%w: %T has no form in Marshal that is data", codec.ErrType, v)
}

// appendString appends text with its encoding: UTF-8, or none when it is not.
func appendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		return append(appendLong(append(dst, '"'), len(s)), s...)
	}
	dst = append(appendLong(append(dst, 'I', '"'), len(s)), s...)
	// One instance variable, :E, is true. A symbol is spelled out each time, which
	// Ruby reads as well as a reference to the first.
	return append(dst, "\x06:\x06ET"...)
}

// appendInteger appends a Fixnum, or a Bignum where it has more than 31 bits.
func appendInteger(dst []byte, i int64) []byte {
	if i >= -1<<30 && i < 1<<30 {
		return appendLong(append(dst, 'i'), int(i))
	}
	return appendBig(dst, big.NewInt(i))
}

// appendLong appends a number the way marshal.c's w_long does: one byte for small
// ones, else a count of bytes and these, little-endian.
func appendLong(dst []byte, n int) []byte {
	switch {
	case n == 0:
		return append(dst, 0)
	case n > 0 && n < 123:
		return append(dst, byte(n+5))
	case n < 0 && n > -124:
		return append(dst, byte(n-5))
	}
	at := len(dst)
	dst = append(dst, 0)
	for i := 1; ; i++ {
		dst = append(dst, byte(n))
		n >>= 8
		if n == 0 || n == -1 {
			dst[at] = byte(i)
			if n < 0 {
				dst[at] = byte(-i)
			}
			return dst
		}
	}
}

// appendBig appends a Bignum: its sign, and its magnitude in 16-bit words,
// little-endian.
func appendBig(dst []byte, b *big.Int) []byte {
	if b.IsInt64() && b.Int64() >= -1<<30 && b.Int64() < 1<<30 {
		return appendInteger(dst, b.Int64())
	}
	sign := byte('+')
	if b.Sign() < 0 {
		sign = '-'
	}
	magnitude := b.Bytes()
	slices.Reverse(magnitude)
	if len(magnitude)%2 == 1 {
		magnitude = append(magnitude, 0)
	}
	dst = appendLong(append(dst, 'l', sign), len(magnitude)/2)
	return append(dst, magnitude...)
}

func appendFloat(dst []byte, f float64) []byte {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	switch {
	case math.IsInf(f, 1):
		text = "inf"
	case math.IsInf(f, -1):
		text = "-inf"
	case math.IsNaN(f):
		text = "nan"
	}
	return append(appendLong(append(dst, 'f'), len(text)), text...)
}

// container appends a slice or a map, whose keys it sorts.
func (w *writer) container(dst []byte, v any, depth int) (_ []byte, err error) {
	if depth >= codec.MaxDepth {
		return dst, fmt.Errorf("%w: nested deeper than %d", codec.ErrType, codec.MaxDepth)
	}
	if len(dst) > codec.MaxSize { // a value that contains itself would never end
		return dst, fmt.Errorf("%w: more than %d bytes", codec.ErrType, codec.MaxSize)
	}
	rv := reflect.ValueOf(v)
	switch {
	case rv.Kind() == reflect.Slice || rv.Kind() == reflect.Array:
		if err := w.spend(containerCost + rv.Len()); err != nil {
			return dst, err
		}
		dst = appendLong(append(dst, '['), rv.Len())
		for i := range rv.Len() {
			if dst, err = w.value(dst, rv.Index(i).Interface(), depth+1); err != nil {
				return dst, err
			}
		}
		return dst, nil
	case rv.Kind() == reflect.Map && rv.Type().Key().Kind() == reflect.String:
		return w.hash(dst, rv, depth)
	}
	return dst, fmt.Errorf("%w: %T has no form in Marshal that is data", codec.ErrType, v)
}

func (w *writer) hash(dst []byte, m reflect.Value, depth int) (_ []byte, err error) {
	if err := w.spend(containerCost + 2*m.Len()); err != nil {
		return dst, err
	}
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	dst = appendLong(append(dst, '{'), len(keys))
	for _, k := range keys {
		dst = appendString(dst, k.String())
		if dst, err = w.value(dst, m.MapIndex(k).Interface(), depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
