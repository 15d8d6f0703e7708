package pack

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// writer is what a zlib.Writer and a gzip.Writer have in common.
type writer interface {
	io.WriteCloser
	Reset(w io.Writer)
}

var (
	zlibWriters = sync.Pool{New: func() any { return zlib.NewWriter(io.Discard) }}
	gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}
)

// Zlib returns src in the zlib format (RFC 1950) at the default level, or nil when
// that is not smaller than src. The result belongs to the caller.
func Zlib(src []byte) []byte { return deflate(&zlibWriters, src) }

// Gzip returns src in the gzip format (RFC 1952) at the default level, or nil when
// that is not smaller than src. The result belongs to the caller.
func Gzip(src []byte) []byte { return deflate(&gzipWriters, src) }

func deflate(pool *sync.Pool, src []byte) []byte {
	w := pool.Get().(writer)
	defer pool.Put(w)
	out := scratch.Get().(*bytes.Buffer)
	defer putScratch(out)
	out.Reset()
	w.Reset(out)
	defer w.Reset(io.Discard) // lets go of out
	if _, err := w.Write(src); err != nil {
		return nil
	}
	if err := w.Close(); err != nil {
		return nil
	}
	return shrunk(out.Bytes(), len(src))
}

// A zlibReader is a decompressor with its source; r is nil until its first use,
// because a zlib reader cannot be made without a valid header.
type zlibReader struct {
	src bytes.Reader
	r   io.ReadCloser
}

func (z *zlibReader) reset(src []byte) error {
	z.src.Reset(src)
	if z.r != nil {
		return z.r.(zlib.Resetter).Reset(&z.src, nil)
	}
	r, err := zlib.NewReader(&z.src)
	if err != nil {
		return err
	}
	z.r = r
	return nil
}

func (z *zlibReader) Read(p []byte) (int, error) { return z.r.Read(p) }

var zlibReaders = sync.Pool{New: func() any { return new(zlibReader) }}

// Unzlib decompresses src from the zlib format to at most limit bytes. The hint is
// the size to expect, 0 when unknown. The result belongs to the caller. Bytes
// behind the end of the compressed data are ignored, as zlib's own uncompress does.
func Unzlib(src []byte, hint, limit int) ([]byte, error) {
	z := zlibReaders.Get().(*zlibReader)
	defer zlibReaders.Put(z)
	defer z.src.Reset(nil)
	if err := z.reset(src); err != nil {
		return nil, corrupt(err)
	}
	return readAll(z, src, hint, limit)
}

// A gzipReader is a decompressor with its source.
type gzipReader struct {
	src bytes.Reader
	r   gzip.Reader
}

func (z *gzipReader) reset(src []byte) error {
	z.src.Reset(src)
	return z.r.Reset(&z.src)
}

func (z *gzipReader) Read(p []byte) (int, error) { return z.r.Read(p) }

var gzipReaders = sync.Pool{New: func() any { return new(gzipReader) }}

// Ungzip decompresses src from the gzip format to at most limit bytes. The result
// belongs to the caller.
func Ungzip(src []byte, limit int) ([]byte, error) {
	z := gzipReaders.Get().(*gzipReader)
	defer gzipReaders.Put(z)
	defer z.src.Reset(nil)
	if err := z.reset(src); err != nil {
		return nil, corrupt(err)
	}
	return readAll(z, src, 0, limit)
}

// IsZlib says whether b begins with a zlib header: DEFLATE with a window of 32 KiB,
// without a preset dictionary, and a valid check (RFC 1950, 2.2).
func IsZlib(b []byte) bool {
	return len(b) >= 2 && b[0] == 0x78 && b[1]&0x20 == 0 && (uint(b[0])<<8|uint(b[1]))%31 == 0
}

// IsGzip says whether b begins with a gzip header (RFC 1952, 2.3.1).
func IsGzip(b []byte) bool {
	return len(b) >= 3 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8
}
