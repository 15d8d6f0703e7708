package store

import (
	"context"
	"fmt"
	"io"
	"reflect"

	libstore "github.com/eko/gocache/lib/v4/store"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// Typed is a gocache store of values of type T, which go through a Codec. It
// is safe for concurrent use.
//
//	users, err := store.NewTyped[User](client, nil)
//	…
//	cached := cache.New[User](users)
type Typed[T any] struct{ *base }

var (
	_ libstore.SetIfNotExistsStore = (*Typed[int])(nil)
	_ io.Closer                    = (*Typed[int])(nil)
)

// NewTyped returns a store of T over client. A nil Options.Codec is codec.JSON,
// but []byte, string, bool and numbers are then stored as Store does. The
// options are the defaults of every Set. NewTyped panics if client is nil. An
// error says which of opts or options cannot be honoured.
func NewTyped[T any](client Client, opts *Options, options ...libstore.Option) (*Typed[T], error) {
	mustHaveClient("NewTyped", client)
	b, err := newBase(client, opts, options)
	if err != nil {
		return nil, err
	}
	values := typedValues[T]{codec: b.opts.Codec}
	values.kind, values.native = kindOf(*new(T))
	if values.codec != nil {
		values.native = false
	} else {
		values.codec = codec.JSON{}
	}
	b.encode, b.decode = values.encode, values.decode
	return &Typed[T]{b}, nil
}

// GetMulti is Store.GetMulti.
func (t *Typed[T]) GetMulti(ctx context.Context, keys []string) (map[string]T, error) {
	found, err := t.getMulti(ctx, keys)
	values := make(map[string]T, len(found))
	for key, value := range found {
		values[key], _ = value.(T) // decode returns nothing else
	}
	return values, t.result("get_multi", err)
}

// SetMulti is Store.SetMulti.
func (t *Typed[T]) SetMulti(ctx context.Context, values map[string]T, options ...libstore.Option) error {
	return t.result("set_multi", setMulti(ctx, t.base, values, options))
}

// typedValues encodes and decodes the values of a Typed.
type typedValues[T any] struct {
	codec  codec.Codec
	kind   kind // of T, if native
	native bool // T is stored without the codec
}

func (t typedValues[T]) encode(v any) (payload, error) {
	typed, ok := v.(T)
	if !ok || isNil(typed) {
		return payload{}, fmt.Errorf("%w: %T in a store of %v", ErrValueType, v, reflect.TypeFor[T]())
	}
	if t.native {
		return encodeNative(v)
	}
	data, flags, err := t.codec.Encode(typed)
	if err != nil {
		return payload{}, fmt.Errorf("memcached store: encoding: %w", err)
	}
	return payload{form{class: classCodec, flags: flags}, data}, nil
}

func (t typedValues[T]) decode(p payload) (any, error) {
	plain := p.form.class == classNative
	if t.native && (plain || p.form.class == classForeign) {
		return decodeValue(p.data, t.kind)
	}
	if plain {
		// T may be any. Otherwise the bytes can be what the codec makes of a
		// T, stored by a Store.
		if v, err := decodeValue(p.data, p.form.kind); err == nil {
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
