package ring

import (
	"crypto/md5"
	"encoding/binary"
	"slices"
	"strconv"
)

// Placements in which every server makes a bid for a key and the highest wins.
// Their cost grows with the number of servers.

// Pymemcache is the default of pymemcache's HashClient: the highest MurmurHash3
// of "host:port-key", of equals the greater name. Each character counts with the
// low eight bits of its code point.
func Pymemcache(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	servers = slices.Clone(servers)
	begun := make([]murmur3, len(servers)) // with what is hashed before the key
	for i, s := range servers {
		begun[i].addText(s.Addr + "-")
	}
	return func(key string) (winner int) {
		var highest uint32
		for i, m := range begun {
			m.addText(key)
			bid := m.sum()
			if i == 0 || bid > highest || bid == highest && servers[i].Addr > servers[winner].Addr {
				winner, highest = i, bid
			}
		}
		return winner
	}
}

// XmemcachedElection is xmemcached's ElectionMemcachedSessionLocator: the highest
// MD5 of "/host:port-i" and the key, with an i for each unit of weight.
func XmemcachedElection(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	servers = slices.Clone(servers)
	return func(key string) (winner int) {
		var highest uint32
		buf := make([]byte, 0, 512)
		for i, s := range servers {
			start := append(append(append(buf[:0], '/'), s.Addr...), '-')
			for n := range min(s.weight(), maxPointWeight) {
				sum := md5.Sum(append(strconv.AppendUint(start, n, 10), key...))
				if bid := binary.LittleEndian.Uint32(sum[:]); bid > highest {
					winner, highest = i, bid
				}
			}
		}
		return winner
	}
}
