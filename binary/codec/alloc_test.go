//go:build !race

package codec_test

import (
	"bytes"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// The race detector makes sync.Pool drop what it is given, so these run without.
func TestAllocations(t *testing.T) {
	small, large := []byte("value"), bytes.Repeat([]byte("line of a value\n"), 500)
	raw, zipped := codec.Raw{}, codec.Compressed(codec.Raw{}, 1024)
	var (
		asBytes any = small
		asText  any = "value"
		asLarge any = large
		asNoise any = noise(8000)
	)
	stored, flags, err := zipped.Encode(large)
	if err != nil || flags != codec.FlagZstd {
		t.Fatalf("Encode gave flags %d, %v", flags, err)
	}
	var b []byte
	for _, tc := range []struct {
		name string
		want float64
		run  func() error
	}{
		{"Raw.Encode bytes", 0, func() error { _, _, err := raw.Encode(asBytes); return err }},
		{"Raw.Encode text", 1, func() error { _, _, err := raw.Encode(asText); return err }},
		{"Raw.Decode", 1, func() error { return raw.Decode(small, 0, &b) }},
		{"Compressed.Encode below the threshold", 0, func() error { _, _, err := zipped.Encode(asBytes); return err }},
		{"Compressed.Encode", 1, func() error { _, _, err := zipped.Encode(asLarge); return err }},
		{"Compressed.Encode of what does not shrink", 0, func() error { _, _, err := zipped.Encode(asNoise); return err }},
		{"Compressed.Decode", 1, func() error { return zipped.Decode(stored, flags, &b) }},
	} {
		var failed error
		got := testing.AllocsPerRun(200, func() {
			if err := tc.run(); err != nil {
				failed = err
			}
		})
		if failed != nil {
			t.Errorf("%s: %v", tc.name, failed)
		}
		if got > tc.want {
			t.Errorf("%s allocates %v times, want at most %v", tc.name, got, tc.want)
		}
	}
}
