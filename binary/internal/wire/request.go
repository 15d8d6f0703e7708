package wire

import "encoding/binary"

// ExpiryNoCreate as the expiry of a counter operation makes it fail on a
// missing key instead of creating it.
const ExpiryNoCreate uint32 = 0xffffffff

// appendRequest appends a header for a body of the given parts.
func appendRequest(dst []byte, op Opcode, opaque uint32, cas uint64, extrasLen, keyLen, valueLen int) []byte {
	return AppendHeader(dst, &Header{
		Magic:     MagicRequest,
		Opcode:    op,
		KeyLen:    uint16(keyLen),
		ExtrasLen: uint8(extrasLen),
		BodyLen:   uint32(extrasLen + keyLen + valueLen),
		Opaque:    opaque,
		CAS:       cas,
	})
}

// AppendSimple appends a request of a header only: NOOP, VERSION, QUIT, SASL
// LIST, and FLUSH at once.
func AppendSimple(dst []byte, op Opcode, opaque uint32) []byte {
	return appendRequest(dst, op, opaque, 0, 0, 0, 0)
}

// AppendKey appends a request of a key only: the GET family, and STAT, whose
// key is a group or empty.
func AppendKey(dst []byte, op Opcode, opaque uint32, key string) []byte {
	dst = appendRequest(dst, op, opaque, 0, 0, len(key), 0)
	return append(dst, key...)
}

// AppendDelete appends a DELETE, which with a cas other than 0 applies to that
// version only.
func AppendDelete(dst []byte, op Opcode, opaque uint32, key string, cas uint64) []byte {
	dst = appendRequest(dst, op, opaque, cas, 0, len(key), 0)
	return append(dst, key...)
}

// AppendStore appends a SET, ADD or REPLACE up to and without the value, of
// which valueLen bytes must follow.
func AppendStore(dst []byte, op Opcode, opaque uint32, key string, valueLen int, flags, expiry uint32, cas uint64) []byte {
	dst = appendRequest(dst, op, opaque, cas, StoreExtrasLen, len(key), valueLen)
	dst = binary.BigEndian.AppendUint32(dst, flags)
	dst = binary.BigEndian.AppendUint32(dst, expiry)
	return append(dst, key...)
}

// AppendConcat appends an APPEND or PREPEND up to and without the value, of
// which valueLen bytes must follow.
func AppendConcat(dst []byte, op Opcode, opaque uint32, key string, valueLen int) []byte {
	dst = appendRequest(dst, op, opaque, 0, 0, len(key), valueLen)
	return append(dst, key...)
}

// AppendCounter appends an INCREMENT or DECREMENT. A missing key is created
// with initial, unless expiry is ExpiryNoCreate.
func AppendCounter(dst []byte, op Opcode, opaque uint32, key string, delta, initial uint64, expiry uint32) []byte {
	dst = appendRequest(dst, op, opaque, 0, CounterExtrasLen, len(key), 0)
	dst = binary.BigEndian.AppendUint64(dst, delta)
	dst = binary.BigEndian.AppendUint64(dst, initial)
	dst = binary.BigEndian.AppendUint32(dst, expiry)
	return append(dst, key...)
}

// AppendTouch appends a TOUCH or a request of the GAT family.
func AppendTouch(dst []byte, op Opcode, opaque uint32, key string, expiry uint32) []byte {
	dst = appendRequest(dst, op, opaque, 0, 4, len(key), 0)
	dst = binary.BigEndian.AppendUint32(dst, expiry)
	return append(dst, key...)
}

// AppendFlush appends a FLUSH that takes effect at expiry, in the units of
// every expiry, or at once if that is 0. Then no expiry is sent: yrmcds takes a
// 0 for "never".
func AppendFlush(dst []byte, op Opcode, opaque uint32, expiry uint32) []byte {
	if expiry == 0 {
		return appendRequest(dst, op, opaque, 0, 0, 0, 0)
	}
	dst = appendRequest(dst, op, opaque, 0, 4, 0, 0)
	return binary.BigEndian.AppendUint32(dst, expiry)
}

// AppendSASL appends a SASL AUTH or STEP: the mechanism's name is the key, the
// exchange's bytes are the value.
func AppendSASL(dst []byte, op Opcode, opaque uint32, mechanism string, data []byte) []byte {
	dst = appendRequest(dst, op, opaque, 0, 0, len(mechanism), len(data))
	dst = append(dst, mechanism...)
	return append(dst, data...)
}

// InsertPrefix puts prefix before the key of the request that begins at
// dst[at:] and of which nothing is behind the key yet.
func InsertPrefix(dst []byte, at int, prefix string) []byte {
	frame := dst[at:]
	keyLen, bodyLen := binary.BigEndian.Uint16(frame[2:]), binary.BigEndian.Uint32(frame[8:])
	binary.BigEndian.PutUint16(frame[2:], keyLen+uint16(len(prefix)))
	binary.BigEndian.PutUint32(frame[8:], bodyLen+uint32(len(prefix)))
	key := len(dst) - int(keyLen)
	dst = append(dst, prefix...)
	copy(dst[key+len(prefix):], dst[key:])
	copy(dst[key:], prefix)
	return dst
}
