package middleware

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
)

// Every value that the cache keeps in memcached begins the same way:
//
//	0  mark      0xB7
//	1  version   1
//	2  kind
//	3  zero
//	4  checksum  CRC-32C of all that follows, 4 bytes
//	8  id        random, 8 bytes: no two values share it
//	16 the rest, by kind
const (
	itemMark    = 0xB7
	itemVersion = 1
	itemHeader  = 16
)

type itemKind byte

const (
	// kindEntry is a stored response.
	kindEntry itemKind = 'E'
	// kindLock says that a response is being made; the id is its owner's token.
	kindLock itemKind = 'L'
	// kindPass is a hit-for-miss note: responses here are not for sharing, do
	// not wait for them.
	kindPass itemKind = 'M'
	// kindIndex lists the request fields that select the variants of a response;
	// the id is part of the variants' keys.
	kindIndex itemKind = 'V'
	// kindChunk is a part of a body; the id is the one of its entry.
	kindChunk itemKind = 'C'
)

// errGarbage says that a value in memcached is not what this cache wrote there.
var errGarbage = errors.New("middleware: not a cache entry")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// newID returns a number that no other value has. It tells values apart and
// keeps no secret.
func newID() uint64 { return rand.Uint64() }

// appendItem begins a value; sealItem must follow when it is complete.
func appendItem(dst []byte, kind itemKind, id uint64) []byte {
	dst = append(dst, itemMark, itemVersion, byte(kind), 0, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint64(dst, id)
}

// sealItem fills in the checksum.
func sealItem(item []byte) []byte {
	binary.BigEndian.PutUint32(item[4:8], crc32.Checksum(item[8:], castagnoli))
	return item
}

// openItem checks a value and returns its parts. The rest aliases value.
func openItem(value []byte) (kind itemKind, id uint64, rest []byte, err error) {
	if len(value) < itemHeader || value[0] != itemMark || value[1] != itemVersion || value[3] != 0 {
		return 0, 0, nil, errGarbage
	}
	if crc32.Checksum(value[8:], castagnoli) != binary.BigEndian.Uint32(value[4:8]) {
		return 0, 0, nil, errGarbage
	}
	return itemKind(value[2]), binary.BigEndian.Uint64(value[8:16]), value[itemHeader:], nil
}

func encodeMark(kind itemKind, id uint64) []byte {
	return sealItem(appendItem(nil, kind, id))
}

// index is a kindIndex value.
type index struct {
	id     uint64
	fields []string
}

func encodeIndex(ix *index, full []byte) []byte {
	b := appendItem(nil, kindIndex, ix.id)
	b = appendFramed(b, full)
	b = binary.AppendUvarint(b, uint64(len(ix.fields)))
	for _, f := range ix.fields {
		b = appendFramed(b, f)
	}
	return sealItem(b)
}

// decodeIndex reads the rest of a kindIndex value that belongs to the key full.
func decodeIndex(id uint64, rest, full []byte) (*index, error) {
	d := decoder{rest}
	if string(d.framed()) != string(full) {
		return nil, errGarbage
	}
	ix := &index{id: id, fields: make([]string, 0, d.count(1))}
	for range cap(ix.fields) {
		ix.fields = append(ix.fields, string(d.framed()))
	}
	if d.failed() || len(d.rest) > 0 {
		return nil, errGarbage
	}
	return ix, nil
}

func appendFramed[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// decoder reads what appendFramed and its like wrote. After a failure it yields
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

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail()
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}
