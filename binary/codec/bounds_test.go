package codec_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// zlibOf compresses size zero bytes.
func zlibOf(tb testing.TB, size int) []byte {
	tb.Helper()
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	for chunk := make([]byte, 1<<20); size > 0; size -= len(chunk) {
		chunk = chunk[:min(len(chunk), size)]
		if _, err := w.Write(chunk); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return z.Bytes()
}

// zstdOf returns a frame of n blocks that repeat one byte 128 KiB times each
// (RFC 8878, 3.1.1). Its header claims the size where claim is set.
func zstdOf(n int, claim bool) []byte {
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd}
	if claim {
		size := uint64(n) << 17
		frame = append(frame, 0xe0) // single segment, 8 bytes of size
		for range 8 {
			frame = append(frame, byte(size))
			size >>= 8
		}
	} else {
		frame = append(frame, 0x00, 0x58) // window of 2 MiB
	}
	for i := range n {
		header := uint32(1<<17)<<3 | 1<<1
		if i == n-1 {
			header |= 1
		}
		frame = append(frame, byte(header), byte(header>>8), byte(header>>16), 0)
	}
	return frame
}

// allocated returns the bytes that f allocates, as far as f is all that runs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestCompressed_BombCostsNoMoreThanTheLimit(t *testing.T) {
	const limit = 1 << 20
	c := codec.CompressedMax(codec.Raw{}, 0, limit)
	for _, tc := range []struct {
		name  string
		data  []byte
		flags uint32
	}{
		{"zlib of 16 MiB", zlibOf(t, 16<<20), codec.FlagZlib},
		{"zstd of 1 GiB, size stated", zstdOf(8192, true), codec.FlagZstd},
		{"zstd of 1 GiB, size hidden", zstdOf(8192, false), codec.FlagZstd},
		{"many zstd frames", bytes.Repeat(zstdOf(8, true), 100), codec.FlagZstd},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out []byte
			var err error
			cost := allocated(func() { err = c.Decode(tc.data, tc.flags, &out) })
			if !errors.Is(err, codec.ErrTooLarge) || out != nil {
				t.Errorf("Decode = %d bytes, %v, want ErrTooLarge", len(out), err)
			}
			if cost > 8*limit {
				t.Errorf("Decode allocated %d bytes under a limit of %d", cost, limit)
			}
		})
	}
}

func TestCompressed_ImpossibleSizeIsNotBelieved(t *testing.T) {
	frame := zstdOf(1, true)
	frame[4+1+2] = 0xff // 16 MiB more than the one block holds
	cost := allocated(func() {
		if err := codec.Compressed(codec.Raw{}, 0).Decode(frame, codec.FlagZstd, new([]byte)); !errors.Is(err, codec.ErrCorrupt) {
			t.Errorf("Decode = %v, want ErrCorrupt", err)
		}
	})
	if cost > 1<<20 {
		t.Errorf("Decode of %d bytes allocated %d", len(frame), cost)
	}
}

func TestCompressed_LimitIsInclusive(t *testing.T) {
	const limit = 5000
	c := codec.CompressedMax(codec.Raw{}, 0, limit)
	for _, tc := range []struct {
		size int
		want error
	}{{limit - 1, nil}, {limit, nil}, {limit + 1, codec.ErrTooLarge}} {
		plain := bytes.Repeat([]byte("a"), tc.size)
		zstd, _, err := codec.Compressed(codec.Raw{}, 0).Encode(plain)
		if err != nil {
			t.Fatal(err)
		}
		for flags, data := range map[uint32][]byte{codec.FlagZlib: zlibOf(t, tc.size), codec.FlagZstd: zstd} {
			var out []byte
			if err := c.Decode(data, flags, &out); !errors.Is(err, tc.want) || err == nil && len(out) != tc.size {
				t.Errorf("Decode of %d bytes, flags %d = %d bytes, %v, want %v", tc.size, flags, len(out), err, tc.want)
			}
		}
		// What would be refused is not compressed in the first place.
		if _, flags, err := c.Encode(plain); err != nil || (flags != 0) != (tc.want == nil) {
			t.Errorf("Encode of %d bytes gave flags %d, %v", tc.size, flags, err)
		}
	}
}

func TestCompressed_ConcurrentUse(t *testing.T) {
	c := codec.Compressed(codec.JSON{}, 64)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				in := fmt.Sprintf("%d/%d %s", g, i, strings.Repeat("abc ", i*g))
				data, flags, err := c.Encode(in)
				if err != nil {
					t.Error(err)
					return
				}
				var out string
				if err := c.Decode(data, flags, &out); err != nil || out != in {
					t.Errorf("Decode gave another value: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestCompressed_StartsNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	c := codec.Compressed(codec.Raw{}, 0)
	for range 50 {
		data, flags, err := c.Encode(make([]byte, 500_000))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Decode(data, flags, new([]byte)); err != nil {
			t.Fatal(err)
		}
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines after use, %d before", after, before)
	}
}
