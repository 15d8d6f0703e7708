package spymemcached_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
	"github.com/bmemcached/bmemcached-go/binary/codec/spymemcached"
)

// FuzzDecode decodes anything: no panic, no more memory than the limits allow, an
// error that says what is wrong, and what decodes is stored again as an equal value.
func FuzzDecode(f *testing.F) {
	for _, g := range loadGolden(f) {
		f.Add(g.Value, g.Flags)
	}
	f.Fuzz(func(t *testing.T, data []byte, flags uint32) {
		c := spymemcached.Codec{MaxSize: 64 << 10}
		var v any
		var err error
		golden.Frugal(t, data, func() { err = c.Decode(data, flags, &v) })
		if err != nil {
			if !errors.Is(err, codec.ErrCorrupt) && !errors.Is(err, codec.ErrTooLarge) &&
				!errors.Is(err, codec.ErrFlags) && !errors.Is(err, codec.ErrObject) {
				t.Errorf("Decode = %v", err)
			}
			return
		}
		if s, ok := v.(string); ok && strings.ToValidUTF8(s, "") != s {
			return // read as it is, but not written
		}
		stored, again, err := c.Encode(v)
		var w any
		if err == nil {
			err = c.Decode(stored, again, &w)
		}
		if err != nil || !reflect.DeepEqual(v, w) && !isNaN(v) {
			t.Errorf("%#v stored again is %#v, %v", v, w, err)
		}
		for _, into := range []any{new(string), new(int8), new(float32), new(bool), new([]byte)} {
			_ = c.Decode(data, flags, into)
		}
	})
}

func isNaN(v any) bool {
	switch v := v.(type) {
	case float32:
		return v != v
	case float64:
		return math.IsNaN(v)
	}
	return false
}
