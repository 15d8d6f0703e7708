package ring

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// hash maps a key to 32 bits. It does not allocate.
type hash func(key string) uint32

// CRC-32 (IEEE) of a key, and what clients make of it.

func crc(key string) uint32 { return crc32.ChecksumIEEE(bytesOf(key)) }

// crc15 is the 15 bits of a CRC-32 that Brad Fitzpatrick's first client took.
func crc15(key string) uint32 { return crc(key) >> 16 & 0x7fff }

// crc15Positive is crc15 with 1 in place of 0.
func crc15Positive(key string) uint32 { return max(crc15(key), 1) }

// Jenkins' one-at-a-time. libmemcached adds each byte as a signed char, so that
// keys beyond ASCII differ from the textbook.

func oneAtATime(key string) (h uint32) {
	for i := range len(key) {
		h = oneAtATimeStep(h, signed32(key[i]))
	}
	return oneAtATimeEnd(h)
}

// oneAtATimeUnsigned is the textbook's.
func oneAtATimeUnsigned(key string) (h uint32) {
	for i := range len(key) {
		h = oneAtATimeStep(h, uint32(key[i]))
	}
	return oneAtATimeEnd(h)
}

func oneAtATimeStep(h, c uint32) uint32 {
	h += c
	h += h << 10
	return h ^ h>>6
}

func oneAtATimeEnd(h uint32) uint32 {
	h += h << 3
	h ^= h >> 11
	return h + h<<15
}

// signed32 extends the sign of a byte, as C does where char is signed.
func signed32(c byte) uint32 { return uint32(int32(int8(c))) }

// units yields the UTF-16 code units of a key: the characters that Java's and
// JavaScript's strings are made of.
func units(key string) func(yield func(unit uint32) bool) {
	return func(yield func(uint32) bool) {
		for _, r := range key {
			if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
				if !yield(uint32(high)) || !yield(uint32(low)) {
					return
				}
			} else if !yield(uint32(r)) {
				return
			}
		}
	}
}

// javaHash is Java's String.hashCode.
func javaHash(key string) (h uint32) {
	for unit := range units(key) {
		h = 31*h + unit
	}
	return h
}

// javaScriptHash is the absolute value of javaHash as a signed number; that of
// -2^31 is 2^31.
func javaScriptHash(key string) uint32 {
	h := int32(javaHash(key))
	if h < 0 {
		return uint32(-int64(h))
	}
	return uint32(h)
}

// The constants of MurmurHash2 (Austin Appleby).
const (
	mixMurmur2   = 0x5bd1e995
	shiftMurmur2 = 24
)

// murmur2 is MurmurHash2 as libmemcached seeds it.
func murmur2(key string) uint32 {
	data := bytesOf(key)
	length := uint32(len(data))
	h := 0xdeadbeef*length ^ length
	for ; len(data) >= 4; data = data[4:] {
		k := binary.LittleEndian.Uint32(data) * mixMurmur2
		k ^= k >> shiftMurmur2
		h = h*mixMurmur2 ^ k*mixMurmur2
	}
	if len(data) > 0 {
		for i, b := range data {
			h ^= uint32(b) << (8 * i)
		}
		h *= mixMurmur2
	}
	h = (h ^ h>>13) * mixMurmur2
	return h ^ h>>15
}

// murmur3 is MurmurHash3 to 32 bits with seed 0 (Austin Appleby), fed byte by
// byte.
type murmur3 struct {
	h, block uint32
	n        uint32 // bytes
}

func (m *murmur3) add(b byte) {
	m.block |= uint32(b) << (8 * (m.n & 3))
	if m.n++; m.n&3 == 0 {
		m.h = bits.RotateLeft32(m.h^m.mixed(), 13)*5 + 0xe6546b64
		m.block = 0
	}
}

// addText adds the low eight bits of each code point, as pymemcache does. Bytes
// that are no UTF-8 are added as they are.
func (m *murmur3) addText(s string) {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			r = rune(s[i])
		}
		m.add(byte(r))
		i += size
	}
}

func (m *murmur3) mixed() uint32 { return bits.RotateLeft32(m.block*0xcc9e2d51, 15) * 0x1b873593 }

func (m *murmur3) sum() uint32 {
	h := m.h
	if m.n&3 != 0 {
		h ^= m.mixed()
	}
	h ^= m.n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
