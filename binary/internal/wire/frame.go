package wire

import (
	"io"
	"slices"
)

// Frame is a whole frame. Its slices are parts of the buffer that it was read
// into and valid until that is used again.
type Frame struct {
	Header
	Extras, Key, Value []byte
}

// split cuts body, whose length is the header's, into its parts.
func (f *Frame) split(body []byte) {
	e, k := int(f.ExtrasLen), int(f.ExtrasLen)+int(f.KeyLen)
	f.Extras, f.Key, f.Value = body[:e:e], body[e:k:k], body[k:]
}

// Parse reads the frame at the start of b and returns its length, or 0 if b
// does not hold all of it yet. An error is ErrFrame.
func (f *Frame) Parse(b []byte, want Magic, maxBody int) (n int, err error) {
	if len(b) < HeaderLen {
		return 0, nil
	}
	f.Decode(b)
	if err := f.Check(want, maxBody); err != nil {
		return 0, err
	}
	n = HeaderLen + int(f.BodyLen)
	if len(b) < n {
		return 0, nil
	}
	f.split(b[HeaderLen:n:n])
	return n, nil
}

// Read reads one frame from r into buf, which is grown as needed and returned
// for the next call. The buffer grows only as bytes arrive, so that a length
// alone costs no memory. The error is io.EOF at the end of r, ErrFrame for
// broken frames and io.ErrUnexpectedEOF for one cut short.
func (f *Frame) Read(r io.Reader, buf []byte, want Magic, maxBody int) ([]byte, error) {
	buf = slices.Grow(buf[:0], HeaderLen)[:HeaderLen]
	if _, err := io.ReadFull(r, buf); err != nil {
		return buf, err
	}
	f.Decode(buf)
	if err := f.Check(want, maxBody); err != nil {
		return buf, err
	}
	buf, err := readBody(r, buf[:0], int(f.BodyLen))
	if err != nil {
		return buf, err
	}
	f.split(buf)
	return buf, nil
}

// readStep is how much memory readBody makes at most ahead of the bytes.
const readStep = 64 << 10

func readBody(r io.Reader, buf []byte, n int) ([]byte, error) {
	for len(buf) < n {
		step := min(n-len(buf), max(readStep, len(buf)))
		start := len(buf)
		buf = slices.Grow(buf, step)[:start+step]
		if _, err := io.ReadFull(r, buf[start:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return buf, err
		}
	}
	return buf, nil
}
