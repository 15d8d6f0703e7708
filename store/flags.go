package store

import "time"

// The flags of an item carry what the protocol has no room for: the type of
// the value and the time it expires. So the bytes of a value stay as they
// are, other clients can read them and the server can count in them.
//
//	bits 31–30  the class
//	classNative  29–5 fine stamp                    4–0 kind
//	classCodec   29–5 fine stamp                    4–0 flags of the codec
//	classTyped   29–9 coarse stamp, 8–5 kind        4–0 flags of the codec
//
// The low bits are where the clients of other languages keep their flags, and
// where they look for nothing in plain bytes. They test them one by one and
// ignore the high ones.
type class uint32

const (
	classForeign class = iota // written by another client
	classTyped                // a codec's value of a kind
	classNative               // a value as package store writes it
	classCodec                // a codec's value of whatever type

	classShift     = 30
	stampShift     = 5
	fineStampMask  = 1<<25 - 1
	typedShift     = 9 // of the coarse stamp
	typedStampMask = 1<<21 - 1
	kindShift      = 5 // in classTyped
	kindMask       = 1<<4 - 1
	lowMask        = 1<<5 - 1
)

// form says how to read the bytes of a value.
type form struct {
	class class
	kind  kind   // in classNative and classTyped
	flags uint32 // the codec's, or the foreign client's
}

// stamped reports whether flags hold a deadline.
func stamped(flags uint32) bool {
	switch class(flags >> classShift) {
	case classForeign:
		return false
	case classTyped:
		return flags>>typedShift&typedStampMask != 0
	default:
		return flags>>stampShift&fineStampMask != 0
	}
}

// split takes flags apart. left and ok are as of stampFormat.left.
func split(flags uint32, now time.Time) (f form, left time.Duration, ok bool) {
	f.class = class(flags >> classShift)
	switch f.class {
	case classNative:
		f.kind = kind(flags & lowMask)
		left, ok = fine.left(stamp(flags>>stampShift&fineStampMask), now)
	case classCodec:
		f.flags = flags & lowMask
		left, ok = fine.left(stamp(flags>>stampShift&fineStampMask), now)
	case classTyped:
		f.kind = kind(flags >> kindShift & kindMask)
		f.flags = flags & lowMask
		left, ok = coarse.left(stamp(flags>>typedShift&typedStampMask), now)
	default:
		f.flags = flags
	}
	return f, left, ok
}

// fits reports whether join has room for f. Values of codecs whose flags are
// larger are stored with these flags alone, so that the clients which the
// codec is for can read them; they have no deadline then.
func (f form) fits() bool { return f.class != classForeign && f.flags <= lowMask }

// join makes the flags of an item of that form that expires ttl after now.
// The form must fit.
func (f form) join(now time.Time, ttl time.Duration) uint32 {
	flags := uint32(f.class) << classShift
	switch f.class {
	case classNative:
		return flags | uint32(fine.stamp(now, ttl))<<stampShift | uint32(f.kind)
	case classCodec:
		return flags | uint32(fine.stamp(now, ttl))<<stampShift | f.flags
	default:
		return flags | uint32(coarse.stamp(now, ttl))<<typedShift | uint32(f.kind)<<kindShift | f.flags
	}
}
