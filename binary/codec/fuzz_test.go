package codec_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
)

// FuzzDecode decodes anything with every codec: no panic, no more memory than the
// limits allow, and an error that says what is wrong.
func FuzzDecode(f *testing.F) {
	const limit = 64 << 10
	zstd, _, err := codec.Compressed(codec.JSON{}, 0).Encode(strings.Repeat("abc ", 100))
	if err != nil {
		f.Fatal(err)
	}
	for _, data := range [][]byte{nil, []byte(`{"X":1}`), zstd, zlibOf(f, 100), zstdOf(3, true), zstdOf(3, false)} {
		for _, flags := range []uint32{0, codec.FlagZstd, codec.FlagZlib, codec.FlagZstd | codec.FlagZlib, 1 << 31} {
			f.Add(data, flags)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, flags uint32) {
		var b []byte
		err := codec.CompressedMax(codec.Raw{}, 0, limit).Decode(data, flags, &b)
		switch {
		case err == nil && len(b) > max(limit, len(data)):
			t.Errorf("%d bytes decoded to %d, the limit is %d", len(data), len(b), limit)
		case err == nil && flags&(codec.FlagZlib|codec.FlagZstd) == 0 && !bytes.Equal(b, data):
			t.Errorf("Raw decoded %q as %q", data, b)
		case err != nil && !errors.Is(err, codec.ErrCorrupt) && !errors.Is(err, codec.ErrTooLarge) && !errors.Is(err, codec.ErrFlags):
			t.Errorf("Decode = %v", err)
		}
		var v any
		few := codec.CompressedMax(codec.JSON{MaxElements: 10_000}, 0, limit)
		golden.Frugal(t, data, func() { _ = few.Decode(data, flags, &v) })
	})
}

// FuzzRoundTrip stores anything and reads it back.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(""), uint16(1), 0)
	f.Add([]byte("abc "), uint16(100), 10)
	f.Add(noise(1000), uint16(300), 0)
	f.Fuzz(func(t *testing.T, data []byte, repeat uint16, above int) {
		in := bytes.Repeat(data, min(int(repeat), 1+(64<<10)/(len(data)+1)))
		c := codec.Compressed(codec.Raw{}, above)
		stored, flags, err := c.Encode(in)
		if err != nil || flags > codec.MaxFlags || len(stored) > len(in) || flags != 0 && len(stored) == len(in) {
			t.Fatalf("Encode of %d bytes gave %d bytes, flags %d, %v", len(in), len(stored), flags, err)
		}
		var out []byte
		if err := c.Decode(stored, flags, &out); err != nil || !bytes.Equal(out, in) {
			t.Errorf("Decode gave %d bytes, %v, want the %d bytes stored", len(out), err, len(in))
		}
	})
}
