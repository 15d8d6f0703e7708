package pack

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// zstdWindow is the window that the compressor uses. Items are seldom larger, and
// an encoder's memory grows with its window.
const zstdWindow = 1 << 20

// Encoders and decoders are pooled one by one instead of shared as one with a
// fixed concurrency, so that memory follows use and the collector gets it back.
// Neither starts a goroutine for EncodeAll and DecodeAll.
var (
	zstdEncoders = sync.Pool{New: func() any {
		e, err := zstd.NewWriter(nil,
			zstd.WithEncoderConcurrency(1),
			zstd.WithLowerEncoderMem(true),
			zstd.WithWindowSize(zstdWindow))
		if err != nil {
			panic("pack: " + err.Error()) // only for options out of range
		}
		return e
	}}
	zstdDecoders = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true),
			zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic("pack: " + err.Error()) // only for options out of range
		}
		return d
	}}
)

// Zstd returns src as one Zstandard frame (RFC 8878) with a checksum, or nil when
// that is not smaller than src. The result belongs to the caller.
func Zstd(src []byte) []byte {
	e := zstdEncoders.Get().(*zstd.Encoder)
	defer zstdEncoders.Put(e)
	out := scratch.Get().(*bytes.Buffer)
	defer putScratch(out)
	out.Reset()
	out.Grow(len(src) + 64)
	return shrunk(e.EncodeAll(src, out.AvailableBuffer()), len(src))
}

// Unzstd decompresses src from Zstandard frames to at most limit bytes. The result
// belongs to the caller.
func Unzstd(src []byte, limit int) ([]byte, error) {
	size, err := zstdSize(src)
	if err != nil {
		return nil, err
	}
	if size.least > uint64(limit) {
		return nil, tooLarge(limit)
	}
	d := zstdDecoders.Get().(*zstd.Decoder)
	defer zstdDecoders.Put(d)
	// The decoder never writes beyond the capacity that it is given. A little more
	// than the size lets it copy in wide steps up to the end.
	out, err := d.DecodeAll(src, make([]byte, 0, min(size.most, uint64(limit))+16))
	switch {
	case err == nil && len(out) <= limit:
		return out, nil
	case err == nil || errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, tooLarge(limit)
	case size.most > uint64(limit):
		// The decoder does not say whether room or sense was missing.
		return nil, fmt.Errorf("%w, or %w", tooLarge(limit), ErrCorrupt)
	}
	return nil, corrupt(err)
}
