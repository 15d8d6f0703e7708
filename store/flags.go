package store

import "time"

// class is the highest bits of an item's flags. The flags hold the type of the
// value and a stamp, for which the protocol has no room. So the bytes of the
// value stay as they are: other clients read them, and the server increments
// them.
//
//	bits 31–30  the class
//	classNative  29–5 fine stamp                    4–0 kind
//	classCodec   29–5 fine stamp                    4–0 flags of the codec
//	classTyped   29–9 coarse stamp, 8–5 kind        4–0 flags of the codec
//
// Clients of other languages keep their flags in the low bits, where plain
// bytes have none. They test single bits and ignore the high ones.
type class uint32

const (
	classForeign class = iota // written by another client
	classTyped                // a codec's value that has a kind
	classNative               // a value without a codec
	classCodec                // a codec's value of any other type

	classShift     = 30
	stampShift     = 5
	fineStampMask  = 1<<25 - 1
	typedShift     = 9 // of the stamp in classTyped
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

// stamped reports whether flags have a stamp.
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

// split returns the parts of flags. left and ok are those of stampFormat.left.
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

// fits reports whether join has room for f. A codec's value with larger flags is
// stored with these flags alone, so that the clients which the codec is for can
// read it. It has no stamp then.
func (f form) fits() bool { return f.class != classForeign && f.flags <= lowMask }

// join returns the flags of an item of form f that expires ttl after now. f must
// fit.
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

// draft returns the flags of a value that is not valid yet: with the stamp of a
// deadline that passed long ago. ok is false for flags without room for one.
func draft(flags uint32, now time.Time) (drafted uint32, ok bool) {
	switch class(flags >> classShift) {
	case classNative, classCodec:
		return flags&^(fineStampMask<<stampShift) | uint32(fine.past(now))<<stampShift, true
	default:
		return flags, false
	}
}
