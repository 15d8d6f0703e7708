package wire

// AppendResponse appends a response frame. Of h it uses Opcode, Status, Opaque
// and CAS; the lengths come from the parts.
func AppendResponse(dst []byte, h Header, extras, key, value []byte) []byte {
	h.Magic = MagicResponse
	h.ExtrasLen = uint8(len(extras))
	h.KeyLen = uint16(len(key))
	h.BodyLen = uint32(len(extras) + len(key) + len(value))
	dst = AppendHeader(dst, &h)
	dst = append(dst, extras...)
	dst = append(dst, key...)
	return append(dst, value...)
}
