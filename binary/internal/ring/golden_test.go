package ring_test

import (
	"encoding/json"
	"maps"
	"os"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/ring"
)

// placements are all placements by the names that the golden files use.
var placements = map[string]func([]ring.Server) func(string) int{
	"libmemcached":    ring.Ketama,
	"spymemcached":    ring.SpymemcachedKetama,
	"dalli":           ring.Dalli,
	"gomemcache":      ring.Modulo,
	"bmemcached":      bmemcached("", ""),
	"bmemcached_auth": bmemcached("user", "secret"),
}

func init() { maps.Copy(placements, algorithms) }

func bmemcached(username, password string) func([]ring.Server) func(string) int {
	return func(servers []ring.Server) func(string) int {
		return ring.BMemcached(username, password, servers)
	}
}

// readGolden decodes a file of testdata.
func readGolden(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// TestPlacement_MatchesGoldenVectors compares every placement with the table
// that all parts of the project share.
func TestPlacement_MatchesGoldenVectors(t *testing.T) {
	var golden struct {
		Sets []struct {
			Servers []ring.Server
			Picks   []map[string]any
		}
	}
	readGolden(t, "placement.json", &golden)
	columns := map[string]string{
		"libmemcached_ketama": "libmemcached",
		"spymemcached_ketama": "spymemcached",
		"dalli":               "dalli",
		"bmemcached":          "bmemcached",
		"gomemcache_crc32":    "gomemcache",
	}
	compared := map[string]int{}
	for _, set := range golden.Sets {
		for column, name := range columns {
			pick := placements[name](set.Servers)
			for _, row := range set.Picks {
				want, ok := row[column].(float64)
				if !ok { // the weighted set leaves out those that have no weights
					continue
				}
				key := row["key"].(string)
				if got := pick(key); got != int(want) {
					t.Errorf("%s(%v): pick(%q) = %d, want %d", name, set.Servers, key, got, int(want))
				}
				compared[column]++
			}
		}
	}
	for column := range columns {
		if compared[column] < 63 {
			t.Errorf("column %q: %d picks compared, want at least 63", column, compared[column])
		}
	}
}

// TestPlacement_AgreesWithPeers compares with what the other clients themselves
// answered: IPv6, Unix sockets, large and lopsided groups.
func TestPlacement_AgreesWithPeers(t *testing.T) {
	var golden struct {
		Sets []map[string]json.RawMessage
	}
	readGolden(t, "peers.json", &golden)
	for _, set := range golden.Sets {
		var name string
		var servers []ring.Server
		var keys []string
		for field, v := range map[string]any{"name": &name, "servers": &servers, "keys": &keys} {
			if err := json.Unmarshal(set[field], v); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(name, func(t *testing.T) {
			for peer, place := range placements {
				raw, ok := set[peer]
				if !ok { // gomemcache; spymemcached where names would be resolved
					continue
				}
				var want []int
				if err := json.Unmarshal(raw, &want); err != nil {
					t.Fatal(err)
				}
				pick := place(servers)
				for i, key := range keys {
					if got := pick(key); got != want[i] {
						t.Errorf("%s: pick(%q) = %d, want %d", peer, key, got, want[i])
					}
				}
			}
		})
	}
}
