// Package convert moves values between Go's types and the few kinds that caches of
// any language hold: text, bytes, integers, floats, booleans, times, nothing, and
// lists and maps of these.
package convert

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"time"
)

// ErrType says that a Go type has no form in the cache, or that a stored value does
// not fit the Go type that it is decoded into.
var ErrType = errors.New("type does not fit")

// Basic returns v as one of Go's basic types: nil, bool, int, int8 to int64, uint,
// uint8 to uint64, float32, float64, string, []byte, *big.Int or time.Time. Named
// types give their underlying type. Everything else gives ErrType.
func Basic(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, []byte, int, int64, int32, int16, int8,
		uint, uint64, uint32, uint16, uint8, bool, float64, float32, time.Time:
		return v, nil
	case *big.Int:
		if v != nil {
			return v, nil
		}
	case big.Int:
		return &v, nil
	}
	rv := reflect.ValueOf(v)
	if t, ok := basicTypes[rv.Kind()]; ok {
		return rv.Convert(t).Interface(), nil
	}
	if rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8 {
		return rv.Bytes(), nil
	}
	return nil, fmt.Errorf("%w: %T", ErrType, v)
}

// basicTypes maps the kinds of named types to what they convert to.
var basicTypes = map[reflect.Kind]reflect.Type{
	reflect.Bool:    reflect.TypeFor[bool](),
	reflect.Int:     reflect.TypeFor[int](),
	reflect.Int8:    reflect.TypeFor[int8](),
	reflect.Int16:   reflect.TypeFor[int16](),
	reflect.Int32:   reflect.TypeFor[int32](),
	reflect.Int64:   reflect.TypeFor[int64](),
	reflect.Uint:    reflect.TypeFor[uint](),
	reflect.Uint8:   reflect.TypeFor[uint8](),
	reflect.Uint16:  reflect.TypeFor[uint16](),
	reflect.Uint32:  reflect.TypeFor[uint32](),
	reflect.Uint64:  reflect.TypeFor[uint64](),
	reflect.Float32: reflect.TypeFor[float32](),
	reflect.Float64: reflect.TypeFor[float64](),
	reflect.String:  reflect.TypeFor[string](),
}

// Signed returns the value of v if it is of a signed or unsigned integer type and
// fits an int64.
func Signed(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case int32:
		return int64(v), true
	case int16:
		return int64(v), true
	case int8:
		return int64(v), true
	}
	u, ok := Unsigned(v)
	return int64(u), ok && int64(u) >= 0
}

// Unsigned returns the value of v if it is of an unsigned integer type.
func Unsigned(v any) (uint64, bool) {
	switch v := v.(type) {
	case uint:
		return uint64(v), true
	case uint64:
		return v, true
	case uint32:
		return uint64(v), true
	case uint16:
		return uint64(v), true
	case uint8:
		return uint64(v), true
	}
	return 0, false
}
