// Package pack compresses and decompresses values within a size limit.
//
// What it decompresses comes from a cache that other programs write to, so every
// decompressor takes the largest size that it may produce and stops there: a small
// value that inflates to gigabytes costs no more memory than the limit. What a
// value claims about its own size is a hint that is believed only as far as its
// compressed size makes it possible.
//
// All functions may be used concurrently. They start no goroutines, and they keep
// their working memory in pools that the garbage collector empties.
package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/bmemcached/bmemcached-go/binary/codec/internal/limit"
)

// DefaultLimit is the decompressed size, in bytes, up to which codecs decompress
// when they are not told otherwise: 16 MiB, sixteen times memcached's default item
// size.
const DefaultLimit = 16 << 20

// ErrCorrupt says that the bytes are not what they are marked as.
var ErrCorrupt = errors.New("value is corrupt")

// Limit returns the limit that a codec's option means: DefaultLimit for 0 and
// below.
func Limit(option int) int {
	if option <= 0 {
		return DefaultLimit
	}
	return option
}

// maxScratch is the largest buffer that a pool keeps, in bytes.
const maxScratch = 1 << 20

// scratch lends buffers to the compressors, whose output is worth keeping only
// when it turns out smaller than its input.
var scratch = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func putScratch(b *bytes.Buffer) {
	if b.Cap() <= maxScratch {
		scratch.Put(b)
	}
}

// shrunk returns a copy of b when it is smaller than size, and nil when not.
func shrunk(b []byte, size int) []byte {
	if len(b) >= size {
		return nil
	}
	return bytes.Clone(b)
}

// inflateRatio bounds what DEFLATE can expand one byte to: 258 bytes from 2 bits.
const inflateRatio = 1032

// countAbove is the size in bytes above which a value of unknown size is counted
// before it is kept.
const countAbove = 1 << 20

// A source is a decompressor that can begin again.
type source interface {
	io.Reader
	reset(src []byte) error
}

// readAll reads r to its end and refuses more than limit bytes. The hint is the
// size to expect, 0 when unknown; r decompresses src.
func readAll(r source, src []byte, hint, limit int) ([]byte, error) {
	buf := make([]byte, 0, firstSize(len(src), hint, limit))
	for {
		if len(buf) == cap(buf) {
			if len(buf) >= countAbove {
				return readCounted(r, src, len(buf), limit)
			}
			buf = append(buf, 0)[:len(buf)]
		}
		// One byte above the limit is enough to know that there is more.
		room := buf[len(buf):min(cap(buf), limit+1)]
		n, err := r.Read(room)
		buf = buf[:len(buf)+n]
		if len(buf) > limit {
			return nil, tooLarge(limit)
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, corrupt(err)
		}
	}
}

// readCounted reads what remains of r after some bytes, only to know the size, and
// then the whole into memory of that size. A value above the limit costs nothing
// more, and one below it is not copied while a buffer grows.
func readCounted(r source, src []byte, already, limit int) ([]byte, error) {
	rest, err := io.Copy(io.Discard, io.LimitReader(r, int64(limit+1-already)))
	if err != nil {
		return nil, corrupt(err)
	}
	size := already + int(rest)
	if size > limit {
		return nil, tooLarge(limit)
	}
	if err := r.reset(src); err != nil {
		return nil, corrupt(err)
	}
	buf := make([]byte, size)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, corrupt(err)
	}
	return buf, nil
}

// firstSize is the size of the first buffer: the hint where it is possible, and
// else a few times the compressed size. One byte more than the hint lets the end
// of the data be read without growing.
func firstSize(size, hint, limit int) int {
	guess := min(4*size+64, max(size, countAbove))
	if hint > 0 && hint/inflateRatio <= size {
		guess = hint + 1
	}
	return min(guess, limit+1)
}

// tooLarge is the error of what decompresses to more than most bytes.
func tooLarge(most int) error { return limit.Exceeded(limit.Size, most) }

// corrupt wraps what a decompressor said.
func corrupt(err error) error {
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}
