package bmemcached_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
)

// FuzzDecode decodes anything: no panic, no more memory than the limits allow, an
// error that says what is wrong, and what decodes is stored again as an equal value.
func FuzzDecode(f *testing.F) {
	for _, g := range loadGolden(f) {
		f.Add(g.Value, g.Flags)
	}
	f.Add([]byte("  -12  "), bmemcached.FlagLong)
	f.Add([]byte(strings.Repeat("9", 50)), bmemcached.FlagInteger)
	f.Fuzz(func(t *testing.T, data []byte, flags uint32) {
		const limit = 64 << 10
		for _, c := range []codec.Codec{bmemcached.Codec{MaxSize: limit}, bmemcached.Pylibmc{MaxSize: limit}} {
			var v any
			var err error
			golden.Frugal(t, data, func() { err = c.Decode(data, flags, &v) })
			if err != nil {
				checkError(t, err, limit+len(data))
				continue
			}
			stored, again, err := c.Encode(v)
			if s, ok := v.(string); ok && err != nil && strings.ToValidUTF8(s, "") != s {
				continue // read as it is, but not written
			}
			var w any
			if err == nil {
				err = c.Decode(stored, again, &w)
			}
			if err != nil || !reflect.DeepEqual(v, w) {
				t.Errorf("%T: %#v stored again is %#v, %v", c, v, w, err)
			}
			for _, into := range []any{new(string), new([]byte), new(int), new(uint8), new(float32), new(bool)} {
				_ = c.Decode(data, flags, into)
			}
		}
	})
}

// checkError checks that an error is one of those that the documentation names.
func checkError(t *testing.T, err error, most int) {
	t.Helper()
	var pickle *bmemcached.PickleError
	if errors.As(err, &pickle) {
		if len(pickle.Data) > most {
			t.Errorf("a pickle of %d bytes, the limit is %d", len(pickle.Data), most)
		}
		return
	}
	if !errors.Is(err, codec.ErrCorrupt) && !errors.Is(err, codec.ErrTooLarge) && !errors.Is(err, codec.ErrFlags) {
		t.Errorf("Decode = %v", err)
	}
}

// FuzzRoundTrip stores any bytes and text and reads them back.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("abc "), uint8(100), 0)
	f.Add([]byte("\xff"), uint8(1), -1)
	f.Fuzz(func(t *testing.T, data []byte, repeat uint8, above int) {
		in := bytes.Repeat(data, int(repeat))
		for _, c := range []codec.Codec{bmemcached.Codec{CompressAbove: above}, bmemcached.Pylibmc{CompressAbove: above}} {
			stored, flags, err := c.Encode(in)
			if err != nil || len(stored) > len(in) || flags > 24 {
				t.Fatalf("Encode of %d bytes gave %d bytes, flags %d, %v", len(in), len(stored), flags, err)
			}
			var out any
			if err := c.Decode(stored, flags, &out); err != nil || !bytes.Equal(out.([]byte), in) {
				t.Errorf("Decode = %.40v, %v, want %.40q", out, err, in)
			}
		}
	})
}
