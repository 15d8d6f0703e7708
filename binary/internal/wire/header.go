package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Magic is the first byte of a frame: its direction.
type Magic uint8

// The two directions.
const (
	MagicRequest  Magic = 0x80
	MagicResponse Magic = 0x81
)

// Lengths of the protocol.
const (
	// HeaderLen is the length of the header of every frame.
	HeaderLen = 24
	// MaxKeyLen is the longest key that memcached takes.
	MaxKeyLen = 250
	// StoreExtrasLen is the length of the extras of SET, ADD and REPLACE:
	// flags and expiry.
	StoreExtrasLen = 8
	// CounterExtrasLen is the length of the extras of INCREMENT and
	// DECREMENT: delta, initial value and expiry.
	CounterExtrasLen = 20
)

// Header is the fixed part of a frame. Fields are in host byte order.
type Header struct {
	Magic     Magic
	Opcode    Opcode
	KeyLen    uint16
	ExtrasLen uint8
	DataType  uint8
	Status    Status // in requests: the vbucket, which memcached ignores
	BodyLen   uint32 // extras, key and value together
	Opaque    uint32
	CAS       uint64
}

// ErrFrame says that bytes are not a frame of the protocol. A connection that
// sent them can not be used any more.
var ErrFrame = errors.New("memcached: broken frame")

// ValueLen returns the length of the value of a header that Check accepted.
func (h *Header) ValueLen() int {
	return int(h.BodyLen) - int(h.KeyLen) - int(h.ExtrasLen)
}

// Decode reads the header from the first HeaderLen bytes of b, without
// checking them. It panics if b is shorter.
func (h *Header) Decode(b []byte) {
	_ = b[HeaderLen-1]
	h.Magic = Magic(b[0])
	h.Opcode = Opcode(b[1])
	h.KeyLen = binary.BigEndian.Uint16(b[2:])
	h.ExtrasLen = b[4]
	h.DataType = b[5]
	h.Status = Status(binary.BigEndian.Uint16(b[6:]))
	h.BodyLen = binary.BigEndian.Uint32(b[8:])
	h.Opaque = binary.BigEndian.Uint32(b[12:])
	h.CAS = binary.BigEndian.Uint64(b[16:])
}

// Check reports, as an error that is ErrFrame, a header of another direction
// or with lengths that contradict each other or make a body above maxBody
// bytes.
func (h *Header) Check(want Magic, maxBody int) error {
	switch {
	case h.Magic != want:
		return fmt.Errorf("%w: magic 0x%02x instead of 0x%02x", ErrFrame, uint8(h.Magic), uint8(want))
	case uint64(h.BodyLen) > uint64(maxBody):
		return fmt.Errorf("%w: %d bytes in one frame are above the limit of %d", ErrFrame, h.BodyLen, maxBody)
	case uint32(h.KeyLen)+uint32(h.ExtrasLen) > h.BodyLen:
		return fmt.Errorf("%w: %d bytes of key and extras in a body of %d", ErrFrame, int(h.KeyLen)+int(h.ExtrasLen), h.BodyLen)
	}
	return nil
}

// AppendHeader appends the encoded header to dst.
func AppendHeader(dst []byte, h *Header) []byte {
	dst = append(dst, byte(h.Magic), byte(h.Opcode), byte(h.KeyLen>>8), byte(h.KeyLen),
		h.ExtrasLen, h.DataType, byte(h.Status>>8), byte(h.Status))
	dst = binary.BigEndian.AppendUint32(dst, h.BodyLen)
	dst = binary.BigEndian.AppendUint32(dst, h.Opaque)
	return binary.BigEndian.AppendUint64(dst, h.CAS)
}
