package nodememcached_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
	"github.com/bmemcached/bmemcached-go/binary/codec/nodememcached"
)

// FuzzDecode decodes anything: no panic, no more memory than the limits allow, an
// error that says what is wrong, and what decodes is stored again as an equal value.
func FuzzDecode(f *testing.F) {
	for _, g := range loadGolden(f) {
		f.Add(g.Value, g.Flags)
	}
	f.Fuzz(func(t *testing.T, data []byte, flags uint32) {
		c := nodememcached.Codec{MaxElements: 10_000}
		var v any
		var err error
		golden.Frugal(t, data, func() { err = c.Decode(data, flags, &v) })
		if err != nil {
			if !errors.Is(err, codec.ErrCorrupt) && !errors.Is(err, codec.ErrTooLarge) &&
				!errors.Is(err, codec.ErrFlags) && !errors.Is(err, codec.ErrType) { // 1e999 in JSON
				t.Errorf("Decode = %v", err)
			}
			return
		}
		for _, into := range []any{new(string), new(int8), new([]string), new(map[string]float32), new([]byte)} {
			_ = c.Decode(data, flags, into)
		}
		if s, ok := v.(string); ok && strings.ToValidUTF8(s, "") != s {
			return // read as it is, but not written
		}
		stored, again, err := c.Encode(v)
		if flags == nodememcached.FlagNumber && errors.Is(err, codec.ErrType) {
			return // an integer that JavaScript does not hold
		}
		var w any
		if err == nil {
			err = c.Decode(stored, again, &w)
		}
		if err != nil || !equal(v, w) {
			t.Errorf("%#v stored again is %#v, %v", v, w, err)
		}
	})
}

// equal is reflect.DeepEqual with a float64 equal to the integer as which it is
// written, and NaN to itself.
func equal(v, w any) bool {
	f, ok := v.(float64)
	if !ok {
		return reflect.DeepEqual(v, w)
	}
	switch w := w.(type) {
	case float64:
		return f == w || math.IsNaN(f) && math.IsNaN(w)
	case int64:
		return f == float64(w)
	}
	return math.Abs(f) >= 1<<63 // in digits
}
