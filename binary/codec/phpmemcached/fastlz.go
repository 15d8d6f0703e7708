package phpmemcached

import (
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

var errFastLZ = fmt.Errorf("%w: not in the FastLZ format", codec.ErrCorrupt)

const (
	// fastLZRatio bounds what FastLZ can expand one byte to.
	fastLZRatio = 256

	// fastLZFar is where the distances of level 2 with 16 bits begin.
	fastLZFar = 8191
)

// unFastLZ decompresses src, in the FastLZ format, to size bytes.
//
// The format is a sequence of literal runs and matches. The upper three bits of a
// control byte are 0 for a run of up to 32 literals, else the length of a match,
// whose distance has 13 bits. The upper bits of the first control byte, which
// begins with literals always, are the level: 0, or 1 where lengths have no end and
// distances can have 16 bits (fastlz.c, FASTLZ_DECOMPRESSOR).
func unFastLZ(src []byte, size int) ([]byte, error) {
	if len(src) == 0 || size/fastLZRatio > len(src) {
		return nil, errFastLZ
	}
	level := src[0] >> 5
	if level > 1 {
		return nil, errFastLZ
	}
	d := fastLZ{in: src[1:], out: make([]byte, 0, size), far: level == 1}
	for control := src[0] & 31; ; {
		ok := true
		if control < 32 {
			ok = d.literals(int(control) + 1)
		} else {
			ok = d.match(control)
		}
		if !ok {
			return nil, errFastLZ
		}
		if len(d.in) == 0 {
			return d.out, nil
		}
		control = d.byte()
	}
}

// A fastLZ is a decompressor; out has the capacity of the whole.
type fastLZ struct {
	in, out []byte
	far     bool // level 2
}

// byte returns the next byte of input, which there is.
func (d *fastLZ) byte() byte {
	b := d.in[0]
	d.in = d.in[1:]
	return b
}

// literals copies n bytes of input.
func (d *fastLZ) literals(n int) bool {
	if n > len(d.in) || n > cap(d.out)-len(d.out) {
		return false
	}
	d.out = append(d.out, d.in[:n]...)
	d.in = d.in[n:]
	return true
}

// match copies bytes of output that a control byte and what follows it describe.
func (d *fastLZ) match(control byte) bool {
	length, distance := int(control>>5), int(control&31)<<8
	if length == 7 {
		for more := byte(255); more == 255; {
			if len(d.in) == 0 {
				return false
			}
			more = d.byte()
			length += int(more)
			if !d.far {
				break
			}
		}
	}
	if len(d.in) == 0 {
		return false
	}
	distance += int(d.byte())
	if d.far && distance == fastLZFar {
		if len(d.in) < 2 {
			return false
		}
		distance += int(d.byte())<<8 | int(d.byte())
	}
	return d.repeat(distance+1, length+2)
}

// repeat appends n bytes from a distance back, where the copy may overlap itself.
func (d *fastLZ) repeat(distance, n int) bool {
	from := len(d.out) - distance
	if from < 0 || n > cap(d.out)-len(d.out) {
		return false
	}
	for n > 0 {
		part := d.out[from:min(from+n, len(d.out))]
		d.out = append(d.out, part...)
		n -= len(part)
	}
	return true
}
