package wire

import "encoding/binary"

// DecodeStoreExtras reads the extras of a SET, ADD or REPLACE. It panics if b
// is shorter than StoreExtrasLen.
func DecodeStoreExtras(b []byte) (flags, expiry uint32) {
	_ = b[StoreExtrasLen-1]
	return binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
}

// DecodeCounterExtras reads the extras of an INCREMENT or DECREMENT. It panics
// if b is shorter than CounterExtrasLen.
func DecodeCounterExtras(b []byte) (delta, initial uint64, expiry uint32) {
	_ = b[CounterExtrasLen-1]
	return binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint32(b[16:])
}
