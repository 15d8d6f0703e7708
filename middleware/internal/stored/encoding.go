package stored

import (
	"encoding/binary"
	"time"
)

// AppendFramed appends s and, before it, its length.
func AppendFramed[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// decoder reads what AppendFramed and its like wrote. After a failure it yields
// zeros; the caller asks once at the end.
type decoder struct{ rest []byte }

func (d *decoder) fail() { d.rest = nil }

func (d *decoder) failed() bool { return d.rest == nil }

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// count reads how many elements follow, each of at least size bytes.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.rest)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) framed() []byte { return d.bytes(d.uvarint()) }

// millis reads a duration; absurd ones count as the longest that is ever stored.
func (d *decoder) millis() time.Duration {
	const longest = uint64(1<<31) * 1000
	return time.Duration(min(d.uvarint(), longest)) * time.Millisecond
}

func (d *decoder) uint64() uint64 {
	b := d.bytes(8)
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// stringDecoder is decoder over a string.
type stringDecoder struct {
	rest string
	bad  bool
}

func (d *stringDecoder) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(d.rest) && i < 9; i++ {
		c := d.rest[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.rest = d.rest[i+1:]
			return v
		}
	}
	d.bad, d.rest = true, ""
	return 0
}

// count reads a number of elements, of which there can be at most limit.
func (d *stringDecoder) count(limit int) int {
	n := d.uvarint()
	if n > uint64(max(0, limit)) {
		d.bad, d.rest = true, ""
		return 0
	}
	return int(n)
}

func (d *stringDecoder) framed() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, ""
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *stringDecoder) byte() byte {
	if d.rest == "" {
		d.bad = true
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}
