package store

import (
	"encoding/binary"
	"fmt"
)

// An envelope holds what does not fit the flags: the versions of an item's
// tags, and the form of its value. The flags of an item in an envelope are
// classNative, kindEnvelope and the stamp.
//
//	byte 0      envelopeVersion
//	byte 1, 2   class and kind of the value
//	byte 3–6    the codec's flags, big endian
//	uvarint     number of tags, then of each tag
//	              uvarint   length of its key
//	              bytes     key of its counter
//	              8 bytes   version, big endian
//	the rest    the value
type envelope struct {
	form form
	tags []tagVersion
	data []byte
}

const (
	envelopeVersion = 1
	envelopeHead    = 7
	minTagSize      = 1 + 1 + 8

	// maxTags is how many tags an item can have: each costs every Get a counter.
	maxTags = 1000
)

// bytes returns e as it is stored.
func (e *envelope) bytes() []byte {
	size := envelopeHead + binary.MaxVarintLen64 + len(e.data)
	for _, t := range e.tags {
		size += binary.MaxVarintLen16 + len(t.key) + 8
	}
	b := make([]byte, 0, size)
	b = append(b, envelopeVersion, byte(e.form.class), byte(e.form.kind))
	b = binary.BigEndian.AppendUint32(b, e.form.flags)
	b = binary.AppendUvarint(b, uint64(len(e.tags)))
	for _, t := range e.tags {
		b = binary.AppendUvarint(b, uint64(len(t.key)))
		b = append(b, t.key...)
		b = binary.BigEndian.AppendUint64(b, t.version)
	}
	return append(b, e.data...)
}

// parseEnvelope reads what bytes returned. The value is a part of b.
func parseEnvelope(b []byte) (*envelope, error) {
	if len(b) < envelopeHead+1 {
		return nil, fmt.Errorf("%w: envelope cut short", ErrCorrupt)
	}
	if b[0] != envelopeVersion {
		return nil, fmt.Errorf("%w: envelope of version %d: was it written by a newer version?", ErrCorrupt, b[0])
	}
	e := &envelope{form: form{
		class: class(b[1]), kind: kind(b[2]), flags: binary.BigEndian.Uint32(b[3:]),
	}}
	if e.form.class > classCodec || e.form.kind == kindEnvelope {
		return nil, fmt.Errorf("%w: envelope around an unknown form", ErrCorrupt)
	}
	rest := b[envelopeHead:]
	n, size := binary.Uvarint(rest)
	if size <= 0 || n > uint64(len(rest)/minTagSize) {
		return nil, fmt.Errorf("%w: envelope cut short", ErrCorrupt)
	}
	if n > maxTags {
		return nil, fmt.Errorf("%w: envelope with %d tags", ErrCorrupt, n)
	}
	rest = rest[size:]
	e.tags = make([]tagVersion, n)
	for i := range e.tags {
		length, size := binary.Uvarint(rest)
		if size <= 0 || length == 0 || length > maxKeyLen || uint64(len(rest)-size) < length+8 {
			return nil, fmt.Errorf("%w: envelope cut short", ErrCorrupt)
		}
		rest = rest[size:]
		if !wellFormed(rest[:length]) {
			return nil, fmt.Errorf("%w: envelope with a malformed tag", ErrCorrupt)
		}
		e.tags[i] = tagVersion{string(rest[:length]), binary.BigEndian.Uint64(rest[length:])}
		rest = rest[length+8:]
	}
	e.data = rest
	return e, nil
}

// wellFormed reports whether memcached takes key, which has a permitted length.
func wellFormed(key []byte) bool {
	for _, b := range key {
		if b <= ' ' || b == 0x7f {
			return false
		}
	}
	return true
}
