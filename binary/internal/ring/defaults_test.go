package ring_test

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// algorithms are all placements by the names of testdata/placement-defaults.json.
var algorithms = map[string]func([]ring.Server) func(string) int{
	"bmemcached":                     bmemcached("", ""),
	"crc32-15-modulo":                ring.LibmemcachedCRC,
	"crc32-15-or-1-weighted-modulo":  ring.CRC15Positive,
	"crc32-15-weighted-modulo":       ring.CRC15,
	"crc32-chain-ring-150":           crcRing(150),
	"crc32-chain-ring-160":           crcRing(160),
	"crc32-modulo":                   ring.Modulo,
	"crc32-weighted-modulo":          ring.WeightedModulo,
	"dalli":                          ring.Dalli,
	"fnv1a-32-modulo":                ring.MC,
	"java-fnv1-32-modulo":            ring.SpymemcachedFNV1,
	"java-fnv1-64-modulo":            ring.SpymemcachedFNV164,
	"java-fnv1a-32-modulo":           ring.SpymemcachedFNV1a,
	"java-fnv1a-64-modulo":           ring.SpymemcachedFNV1a64,
	"java-hash-modulo":               ring.Spymemcached,
	"java-hash-ring-160":             ring.SpymemcachedConsistent,
	"java-hash-weighted-modulo":      ring.Xmemcached,
	"javascript-hash-modulo":         ring.Memjs,
	"ketama":                         ring.Ketama,
	"libmemcached-fnv1-32-modulo":    ring.LibmemcachedFNV1,
	"libmemcached-fnv1-64-modulo":    ring.LibmemcachedFNV164,
	"libmemcached-fnv1a-32-modulo":   ring.LibmemcachedFNV1a,
	"libmemcached-fnv1a-64-modulo":   ring.LibmemcachedFNV1a64,
	"libmemcached-murmur-modulo":     ring.LibmemcachedMurmur,
	"md5-ketama-100":                 ring.LibmemcachedConsistentMD5,
	"md5-modulo":                     ring.LibmemcachedMD5,
	"npm-memcache-modulo":            ring.NPMMemcacheModulo,
	"npm-memcache-ring":              ring.NPMMemcache,
	"one-at-a-time-ketama":           ring.LibmemcachedConsistent,
	"one-at-a-time-modulo":           ring.Libmemcached,
	"pecl-memcache-consistent-crc32": ring.Memcache,
	"pecl-memcache-consistent-fnv1a": ring.MemcacheFNV,
	"rendezvous-murmur3":             ring.Pymemcache,
	"spymemcached-ketama":            ring.SpymemcachedKetama,
	"twemproxy-ketama":               ring.Twemproxy,
	"twemproxy-modula":               ring.TwemproxyModulo,
	"xmemcached-election":            ring.XmemcachedElection,
	"xmemcached-ketama":              ring.XmemcachedKetama,
	"xmemcached-ketama-nginx":        ring.XmemcachedKetamaNginx,
	"xmemcached-libmemcached":        ring.XmemcachedLibmemcached,
	"xxhash-ring-256":                ring.Gomemcached,
}

func crcRing(points int) func([]ring.Server) func(string) int {
	return func(servers []ring.Server) func(string) int { return ring.CRCRing(points, servers) }
}

// TestPlacement_DefaultsOfOtherClients compares with where other clients put
// keys, as recorded from them: the defaults of thirty, and other settings.
func TestPlacement_DefaultsOfOtherClients(t *testing.T) {
	var golden struct {
		Keys           []string
		Lists          map[string][]ring.Server
		Configurations []struct {
			ID, Algorithm, Prefix string
			PrefixHashed          bool `json:"prefix_hashed"`
			Picks                 map[string][]*int
		}
	}
	readGolden(t, "placement-defaults.json", &golden)
	compared := 0
	for _, c := range golden.Configurations {
		t.Run(c.ID, func(t *testing.T) {
			place, ok := algorithms[c.Algorithm]
			if !ok {
				t.Fatalf("no placement for %q", c.Algorithm)
			}
			for list, picks := range c.Picks {
				servers := golden.Lists[list]
				if len(servers) == 0 {
					t.Fatalf("no servers %q", list)
				}
				pick := place(servers)
				for i, want := range picks {
					key := golden.Keys[i]
					if c.PrefixHashed {
						key = c.Prefix + key
					}
					if want == nil { // refused by the client
						continue
					}
					compared++
					if got := pick(key); got != *want {
						t.Errorf("%s: pick(%q) = %d, want %d", list, key, got, *want)
					}
				}
			}
		})
	}
	if compared < 15_000 {
		t.Errorf("%d picks compared, want at least 15,000", compared)
	}
}
