package stored

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
)

// Every value that the cache keeps in memcached begins the same way:
//
//	0  mark      0xB7
//	1  version   2
//	2  kind
//	3  zero
//	4  checksum  CRC-32C of all that follows, 4 bytes
//	8  ID        random, 8 bytes: no two values have the same
//	16 the rest, by kind
const (
	valueMark    = 0xB7
	valueVersion = 2
	headerSize   = 16
)

// Kind is what a value is.
type Kind byte

const (
	// KindEntry is a stored response.
	KindEntry Kind = 'E'
	// KindLock says that a response is being made; the ID is its owner's token.
	KindLock Kind = 'L'
	// KindPass is a hit-for-miss note: responses here are not for others, do not
	// wait for them.
	KindPass Kind = 'M'
	// KindIndex lists the request fields that select the variants of a response.
	KindIndex Kind = 'V'
	// KindChunk is a part of a body; the ID is that of the body.
	KindChunk Kind = 'C'
	// KindTag is what is known of the purges of a tag; the ID is that of the last.
	KindTag Kind = 'T'
)

// ErrGarbage says that a value in memcached is not what this cache wrote there.
var ErrGarbage = errors.New("middleware: not a cache entry")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// NewID returns a number that no other value has. It tells values apart and
// keeps no secret.
func NewID() uint64 { return rand.Uint64() }

// Value is a value whose checksum is right. The zero Value is of no kind.
type Value struct {
	Kind Kind
	ID   uint64
	rest []byte
}

// Open checks b, which came from memcached. The Value aliases it.
func Open(b []byte) (Value, error) {
	if len(b) < headerSize || b[0] != valueMark || b[1] != valueVersion || b[3] != 0 {
		return Value{}, ErrGarbage
	}
	if crc32.Checksum(b[8:], castagnoli) != binary.BigEndian.Uint32(b[4:8]) {
		return Value{}, ErrGarbage
	}
	return Value{Kind(b[2]), binary.BigEndian.Uint64(b[8:16]), b[headerSize:]}, nil
}

// Mark returns a value that is its kind and ID only: a lock or a note.
func Mark(kind Kind, id uint64) []byte { return finish(begin(nil, kind, id)) }

// begin begins a value; finish must follow when it is complete.
func begin(dst []byte, kind Kind, id uint64) []byte {
	dst = append(dst, valueMark, valueVersion, byte(kind), 0, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint64(dst, id)
}

// finish fills in the checksum.
func finish(value []byte) []byte {
	binary.BigEndian.PutUint32(value[4:8], crc32.Checksum(value[8:], castagnoli))
	return value
}
