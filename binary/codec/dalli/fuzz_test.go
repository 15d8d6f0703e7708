package dalli_test

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/dalli"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
)

// FuzzDecode decodes anything: no panic, no more memory than the limits allow, an
// error that says what is wrong, and what decodes is stored again as an equal value.
func FuzzDecode(f *testing.F) {
	for _, g := range loadGolden(f) {
		f.Add(g.Value, g.Flags)
	}
	f.Add([]byte("\x04\x08[\x07\"\x06a@\x06"), dalli.FlagSerialized)
	f.Fuzz(func(t *testing.T, data []byte, flags uint32) {
		c := dalli.Codec{MaxSize: 64 << 10, MaxElements: 10_000}
		var v any
		var err error
		golden.Frugal(t, data, func() { err = c.Decode(data, flags, &v) })
		if err != nil {
			if !errors.Is(err, codec.ErrCorrupt) && !errors.Is(err, codec.ErrTooLarge) &&
				!errors.Is(err, codec.ErrFlags) && !errors.Is(err, codec.ErrObject) &&
				!errors.Is(err, codec.ErrType) { // 1e999 in JSON
				t.Errorf("Decode = %v", err)
			}
			return
		}
		stored, again, err := c.Encode(v)
		var w any
		if err == nil {
			err = c.Decode(stored, again, &w)
		}
		if err != nil || !equal(v, w) {
			t.Errorf("%#v stored again is %#v, %v", v, w, err)
		}
		for _, into := range []any{new(string), new(int8), new([]string), new(map[string]float32), new([][]any)} {
			_ = c.Decode(data, flags, into)
		}
	})
}

// equal is reflect.DeepEqual with NaN equal to itself, and with text that is not
// UTF-8 equal to its bytes, as which it is stored.
func equal(v, w any) bool {
	switch v := v.(type) {
	case string:
		b, ok := w.([]byte) // a symbol in another encoding
		return v == w || ok && v == string(b)
	case float64:
		f, ok := w.(float64)
		return ok && (v == f || math.IsNaN(v) && math.IsNaN(f))
	case []any:
		list, ok := w.([]any)
		if !ok || len(v) != len(list) {
			return false
		}
		for i := range v {
			if !equal(v[i], list[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		m, ok := w.(map[string]any)
		if !ok || len(v) != len(m) {
			return false
		}
		for k := range v {
			if x, ok := m[k]; !ok || !equal(v[k], x) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(v, w)
}
