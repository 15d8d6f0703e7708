package ring

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
	"strconv"
)

// Gomemcached is the default of aliexpressru/gomemcached (Go): 256 points per
// server, the 64-bit xxHash of "host:port_virtuali", and a key belongs to the
// first point at or after its own.
func Gomemcached(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	type mark struct {
		place uint64
		index int
	}
	const perServer = 256
	marks := make([]mark, 0, perServer*len(servers))
	for i, s := range servers {
		buf := append([]byte(s.Addr), "_virtual"...)
		for n := range perServer {
			marks = append(marks, mark{xxhash(strconv.AppendInt(buf, int64(n), 10)), i})
		}
	}
	slices.SortFunc(marks, func(a, b mark) int {
		return cmp.Or(cmp.Compare(a.place, b.place), a.index-b.index)
	})
	return func(key string) int {
		place := xxhash(bytesOf(key))
		i := sort.Search(len(marks), func(i int) bool { return marks[i].place >= place })
		return marks[i%len(marks)].index
	}
}

// The primes of xxHash (Yann Collet).
const (
	xxPrime1 uint64 = 11400714785074694791
	xxPrime2 uint64 = 14029467366897019727
	xxPrime3 uint64 = 1609587929392839161
	xxPrime4 uint64 = 9650029242287828579
	xxPrime5 uint64 = 2870177450012600261
)

// xxhash is XXH64 with seed 0.
func xxhash(data []byte) uint64 {
	length := uint64(len(data))
	h := xxPrime5
	if len(data) >= 32 {
		h, data = xxStripes(data)
	}
	h += length
	for ; len(data) >= 8; data = data[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(data)), 27)*xxPrime1 + xxPrime4
	}
	if len(data) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(data))*xxPrime1, 23)*xxPrime2 + xxPrime3
		data = data[4:]
	}
	for _, b := range data {
		h = bits.RotateLeft64(h^uint64(b)*xxPrime5, 11) * xxPrime1
	}
	h = (h ^ h>>33) * xxPrime2
	h = (h ^ h>>29) * xxPrime3
	return h ^ h>>32
}

// xxStripes takes in all whole blocks of 32 bytes and returns the rest.
func xxStripes(data []byte) (h uint64, rest []byte) {
	one, two := xxPrime1, xxPrime2 // added in variables: constants may not overflow
	lanes := [4]uint64{one + two, two, 0, -one}
	for ; len(data) >= 32; data = data[32:] {
		for i := range lanes {
			lanes[i] = xxRound(lanes[i], binary.LittleEndian.Uint64(data[8*i:]))
		}
	}
	for i, rotation := range [4]int{1, 7, 12, 18} {
		h += bits.RotateLeft64(lanes[i], rotation)
	}
	for _, lane := range lanes {
		h = (h^xxRound(0, lane))*xxPrime1 + xxPrime4
	}
	return h, data
}

func xxRound(lane, input uint64) uint64 {
	return bits.RotateLeft64(lane+input*xxPrime2, 31) * xxPrime1
}
