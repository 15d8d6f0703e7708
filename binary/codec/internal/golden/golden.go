// Package golden is what the tests of the codecs have in common: reading the
// values that foreign clients stored, and decompressing with the standard
// library.
package golden

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"io"
	"os"
	"runtime"
	"testing"
)

// Load returns the values in a file of testdata, of which there is at least one.
func Load[T any](tb testing.TB, path string) []T {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var file struct{ Values []T }
	if err := json.Unmarshal(text, &file); err != nil {
		tb.Fatal(err)
	}
	if len(file.Values) == 0 {
		tb.Fatal("no golden values")
	}
	return file.Values
}

// AllBytes returns every byte value n times.
func AllBytes(n int) []byte {
	var b []byte
	for range n {
		for i := range 256 {
			b = append(b, byte(i))
		}
	}
	return b
}

// Unzip decompresses zlib and gzip, told apart by the first byte (RFC 1950,
// section 2.2, and RFC 1952, section 2.3.1).
func Unzip(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var r io.Reader
	var err error
	if len(data) > 0 && data[0] == 0x1f {
		r, err = gzip.NewReader(bytes.NewReader(data))
	} else {
		r, err = zlib.NewReader(bytes.NewReader(data))
	}
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return plain
}

// Allocated returns the bytes that f allocates, as far as f is all that runs.
func Allocated(f func()) uint64 {
	bytes, _ := Cost(f)
	return bytes
}

// Cost returns the bytes and the objects that f allocates, as far as f is all that
// runs. It stands for the work of a decoder, of which none does much without memory.
func Cost(f func()) (bytes, objects uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, after.Mallocs - before.Mallocs
}

// Frugal runs f, which decodes data within small limits, and fails the test if that
// takes more memory than data can be worth: a fuzzer is to find bombs, too.
func Frugal(t *testing.T, data []byte, f func()) {
	t.Helper()
	// Decompressors and their tables are made once, and kept.
	const once = 8 << 20
	if cost := Allocated(f); cost > once+100*uint64(len(data)) {
		t.Errorf("decoding %d bytes took %d", len(data), cost)
	}
}
