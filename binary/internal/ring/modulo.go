package ring

import "hash/crc32"

// Modulo is gomemcache's placement: the CRC-32 (IEEE) of the key modulo the
// number of servers. Weights are ignored, and when the number of servers
// changes nearly every key moves.
func Modulo(servers []Server) func(key string) int {
	if pick, ok := few(len(servers)); ok {
		return pick
	}
	n := uint32(len(servers))
	return func(key string) int {
		return int(crc32.ChecksumIEEE(bytesOf(key)) % n)
	}
}
