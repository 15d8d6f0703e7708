package ring

// The parameters of FNV-1 and FNV-1a (Fowler, Noll, Vo).
const (
	basis32 = 2166136261
	prime32 = 16777619
	basis64 = 14695981039346656037
	prime64 = 1099511628211
)

// fnv1a is 32-bit FNV-1a over bytes.
func fnv1a(key string) uint32 {
	h := uint32(basis32)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * prime32
	}
	return h
}

// libmemcached and what descends from it take a byte as a signed char.

func fnv1Signed(key string) uint32 {
	h := uint32(basis32)
	for i := range len(key) {
		h = h*prime32 ^ signed32(key[i])
	}
	return h
}

func fnv1aSigned(key string) uint32 {
	h := uint32(basis32)
	for i := range len(key) {
		h = (h ^ signed32(key[i])) * prime32
	}
	return h
}

// fnv1Signed64 is the low half of 64-bit FNV-1.
func fnv1Signed64(key string) uint32 {
	h := uint64(basis64)
	for i := range len(key) {
		h = h*prime64 ^ uint64(int64(int8(key[i])))
	}
	return uint32(h)
}

// fnv1aSigned64 is what libmemcached calls 64-bit FNV-1a: it keeps 32 bits, of
// basis and prime as well.
func fnv1aSigned64(key string) uint32 {
	h := uint32(basis64 & 0xffffffff)
	for i := range len(key) {
		h = (h ^ signed32(key[i])) * (prime64 & 0xffffffff)
	}
	return h
}

// spymemcached takes the UTF-16 units of a string and keeps the low 32 bits.

func fnv1Units(key string) uint32 {
	h := uint32(basis32)
	for unit := range units(key) {
		h = h*prime32 ^ unit
	}
	return h
}

func fnv1aUnits(key string) uint32 {
	h := uint32(basis32)
	for unit := range units(key) {
		h = (h ^ unit) * prime32
	}
	return h
}

func fnv1Units64(key string) uint32 {
	h := uint64(basis64)
	for unit := range units(key) {
		h = h*prime64 ^ uint64(unit)
	}
	return uint32(h)
}

func fnv1aUnits64(key string) uint32 {
	h := uint64(basis64)
	for unit := range units(key) {
		h = (h ^ uint64(unit)) * prime64
	}
	return uint32(h)
}

// fnv1aFloat is the FNV-1a of the npm package memcache: JavaScript multiplies
// signed 32-bit numbers as float64, whose 53 bits round the product before it is
// cut to 32.
func fnv1aFloat(key string) uint32 {
	h := uint32(basis32)
	for unit := range units(key) {
		product := float64(int32(h^unit)) * prime32
		h = uint32(int64(product))
	}
	return h
}
