package store

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// anyValues encodes and decodes the values of a Store. The codec may be nil.
type anyValues struct{ codec codec.Codec }

func (a anyValues) encode(v any) (payload, error) {
	k, native := kindOf(v)
	if a.codec == nil || !native && isNil(v) {
		return encodeNative(v)
	}
	data, flags, err := a.codec.Encode(v)
	switch {
	case err != nil && native && errors.Is(err, codec.ErrType):
		return encodeNative(v)
	case err != nil:
		return payload{}, fmt.Errorf("store: encoding: %w", err)
	case native:
		return payload{form{class: classTyped, kind: k, flags: flags}, data}, nil
	default:
		return payload{form{class: classCodec, flags: flags}, data}, nil
	}
}

func (a anyValues) decode(p payload) (any, error) {
	switch {
	case p.form.class == classNative:
		return decodeNative(p.data, p.form.kind)
	case p.form.class == classForeign && a.codec == nil:
		return decodeNative(p.data, kindBytes)
	case a.codec == nil:
		return nil, errNeedsCodec
	case p.form.class == classTyped:
		return decodeKind(a.codec, p)
	default:
		return decodeAs[any](a.codec, p)
	}
}

// typedValues encodes and decodes the values of a Typed.
type typedValues[T any] struct {
	codec  codec.Codec
	kind   kind // of T, if native
	native bool // T is stored without the codec
	exact  bool // the codec is exactJSON
}

func newTypedValues[T any](c codec.Codec) (typedValues[T], error) {
	if c != nil {
		return typedValues[T]{codec: c}, nil
	}
	if k, native := kindOf(*new(T)); native {
		return typedValues[T]{codec: codec.JSON{}, kind: k, native: true}, nil
	}
	j, err := newExactJSON[T]()
	return typedValues[T]{codec: j, exact: true}, err
}

func (t typedValues[T]) encode(v any) (payload, error) {
	typed, ok := v.(T)
	if !ok || isNil(typed) {
		return payload{}, fmt.Errorf("%w: %T in a store of %v", ErrValueType, v, reflect.TypeFor[T]())
	}
	if t.native {
		return encodeNative(v)
	}
	v = typed
	if t.exact {
		v = &typed // so that encoding/json finds methods of pointers
	}
	data, flags, err := t.codec.Encode(v)
	if err != nil {
		return payload{}, fmt.Errorf("store: encoding: %w", err)
	}
	return payload{form{class: classCodec, flags: flags}, data}, nil
}

func (t typedValues[T]) decode(p payload) (any, error) {
	plain := p.form.class == classNative
	if t.native && (plain || p.form.class == classForeign) {
		return decodeNative(p.data, t.kind)
	}
	if plain {
		// A Store wrote it. T may be any; otherwise the bytes can be an encoded
		// T.
		if v, err := decodeNative(p.data, p.form.kind); err == nil {
			if _, ok := v.(T); ok {
				return v, nil
			}
		}
	}
	return decodeAs[T](t.codec, p)
}

// isNil reports whether v is a nil interface or pointer. Nil slices and maps
// are empty ones.
func isNil[T any](v T) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

// decodeAs decodes a codec's value into a T.
func decodeAs[T any](c codec.Codec, p payload) (any, error) {
	var v T
	if err := c.Decode(p.data, p.form.flags, &v); err != nil {
		return nil, fmt.Errorf("store: decoding: %w", err)
	}
	return v, nil
}

// decodeKind decodes a codec's value into the type that it was stored with.
func decodeKind(c codec.Codec, p payload) (any, error) {
	switch p.form.kind {
	case kindBytes:
		return decodeAs[[]byte](c, p)
	case kindString:
		return decodeAs[string](c, p)
	case kindBool:
		return decodeAs[bool](c, p)
	case kindInt:
		return decodeAs[int](c, p)
	case kindInt8:
		return decodeAs[int8](c, p)
	case kindInt16:
		return decodeAs[int16](c, p)
	case kindInt32:
		return decodeAs[int32](c, p)
	case kindInt64:
		return decodeAs[int64](c, p)
	case kindUint:
		return decodeAs[uint](c, p)
	case kindUint8:
		return decodeAs[uint8](c, p)
	case kindUint16:
		return decodeAs[uint16](c, p)
	case kindUint32:
		return decodeAs[uint32](c, p)
	case kindUint64:
		return decodeAs[uint64](c, p)
	case kindUintptr:
		return decodeAs[uintptr](c, p)
	case kindFloat32:
		return decodeAs[float32](c, p)
	case kindFloat64:
		return decodeAs[float64](c, p)
	default:
		return nil, fmt.Errorf("%w: unknown kind %d: was it written by a newer version?", ErrCorrupt, p.form.kind)
	}
}
