package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/golden"
	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
)

var plain = []byte(strings.Repeat("a line of text to compress\n", 2000))

func TestRoundTrip(t *testing.T) {
	for name, p := range map[string]struct {
		pack   func([]byte) []byte
		unpack func([]byte) ([]byte, error)
	}{
		"zlib": {Zlib, func(b []byte) ([]byte, error) { return Unzlib(b, 0, len(plain)) }},
		"hint": {Zlib, func(b []byte) ([]byte, error) { return Unzlib(b, len(plain), len(plain)) }},
		"lie":  {Zlib, func(b []byte) ([]byte, error) { return Unzlib(b, 1<<30, len(plain)) }},
		"gzip": {Gzip, func(b []byte) ([]byte, error) { return Ungzip(b, len(plain)) }},
		"zstd": {Zstd, func(b []byte) ([]byte, error) { return Unzstd(b, len(plain)) }},
	} {
		packed := p.pack(plain)
		if packed == nil || len(packed) > len(plain)/10 {
			t.Errorf("%s: %d bytes became %d", name, len(plain), len(packed))
		}
		if got, err := p.unpack(packed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: unpacked %d bytes, %v", name, len(got), err)
		}
		if p.pack([]byte("tiny")) != nil || p.pack(nil) != nil {
			t.Errorf("%s: what did not become smaller was returned", name)
		}
	}
}

func TestUnzstd_FramesOfOthers(t *testing.T) {
	frame := Zstd(plain)
	skippable := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 0x184D2A53), 5)
	skippable = append(skippable, "note!"...)

	var stream bytes.Buffer // does not state its size
	w, err := zstd.NewWriter(&stream, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		_, _ = w.Write(plain)
		_ = w.Flush()
	}
	_ = w.Close()
	tenfold := bytes.Repeat(plain, 10)

	for name, tc := range map[string]struct{ in, want []byte }{
		"two frames":             {append(bytes.Clone(frame), frame...), append(bytes.Clone(plain), plain...)},
		"a note first":           {append(bytes.Clone(skippable), frame...), plain},
		"a note behind":          {append(bytes.Clone(frame), skippable...), plain},
		"a stream":               {stream.Bytes(), tenfold},
		"a short one, no size":   {shortFrame(t), []byte(strings.Repeat("short ", 20))},
		"nothing but a note":     {skippable, nil},
		"a stream behind a note": {append(bytes.Clone(skippable), stream.Bytes()...), tenfold},
	} {
		for _, limit := range []int{len(tc.want), len(tc.want) + 1, DefaultLimit} {
			if got, err := Unzstd(tc.in, limit); err != nil || !bytes.Equal(got, tc.want) {
				t.Errorf("%s: Unzstd with limit %d = %d bytes, %v, want %d", name, limit, len(got), err, len(tc.want))
			}
		}
		if len(tc.want) == 0 {
			continue
		}
		if got, err := Unzstd(tc.in, len(tc.want)-1); !errors.Is(err, limit.ErrTooLarge) {
			t.Errorf("%s: Unzstd with a limit below = %d bytes, %v, want ErrTooLarge", name, len(got), err)
		}
	}
}

// shortFrame returns a frame of one compressed block that does not state its size:
// encoders leave it out below 256 bytes.
func shortFrame(t *testing.T) []byte {
	t.Helper()
	frame := Zstd([]byte(strings.Repeat("short ", 20)))
	var h zstd.Header
	if err := h.Decode(frame); err != nil || h.HasFCS {
		t.Fatalf("the frame states its size: %+v, %v", h, err)
	}
	return frame
}

func TestUnzstd_CutAnywhereIsCorrupt(t *testing.T) {
	frame := Zstd(plain)
	for n := range frame {
		if got, err := Unzstd(frame[:n], DefaultLimit); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Unzstd of %d of %d bytes = %d bytes, %v, want ErrCorrupt", n, len(frame), len(got), err)
		}
	}
}

func TestUnpack_FlippedBitsAreNoticed(t *testing.T) {
	for name, tc := range map[string]struct {
		packed []byte
		unpack func([]byte, int) ([]byte, error)
	}{
		"zstd": {Zstd(plain), Unzstd},
		"gzip": {Gzip(plain), Ungzip},
		"zlib": {Zlib(plain), func(b []byte, limit int) ([]byte, error) { return Unzlib(b, 0, limit) }},
	} {
		for i := range tc.packed {
			for bit := range 8 {
				damaged := bytes.Clone(tc.packed)
				damaged[i] ^= 1 << bit
				// Some bits of a gzip header mean nothing; the content is checked.
				if got, err := tc.unpack(damaged, DefaultLimit); err == nil && !bytes.Equal(got, plain) {
					t.Errorf("%s: a flip of bit %d in byte %d gave other data", name, bit, i)
				}
			}
		}
	}
}

func TestIsZlib(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, "x": false, "x\x9c": true, "x\x01": true, "x\xda": true, "x\x9d": false, "ab": false, "\x1f\x8b\x08": false,
	} {
		if got := IsZlib([]byte(in)); got != want {
			t.Errorf("IsZlib(%q) = %v, want %v", in, got, want)
		}
	}
}

// TestUnpack_LargeValuesCostTheirSize decompresses values of unknown size: one
// within the limit takes its own size, one above it next to nothing.
func TestUnpack_LargeValuesCostTheirSize(t *testing.T) {
	const size = 8 << 20
	large := bytes.Repeat(plain, size/len(plain)+1)[:size]
	for name, tc := range map[string]struct {
		packed []byte
		unpack func([]byte, int) ([]byte, error)
	}{
		"gzip": {Gzip(large), Ungzip},
		"zlib": {Zlib(large), func(b []byte, limit int) ([]byte, error) { return Unzlib(b, 0, limit) }},
	} {
		var got []byte
		var err error
		if cost := golden.Allocated(func() { got, err = tc.unpack(tc.packed, size) }); cost > size+8<<20 {
			t.Errorf("%s: %d bytes took %d", name, size, cost)
		}
		if err != nil || !bytes.Equal(got, large) {
			t.Errorf("%s: %d bytes, %v, want what was packed", name, len(got), err)
		}
		if cost := golden.Allocated(func() { got, err = tc.unpack(tc.packed, size-1) }); cost > 6<<20 {
			t.Errorf("%s: what is above the limit took %d", name, cost)
		}
		if !errors.Is(err, limit.ErrTooLarge) || got != nil {
			t.Errorf("%s: %d bytes, %v, want ErrTooLarge", name, len(got), err)
		}
	}
}
