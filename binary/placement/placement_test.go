package placement_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// distributions are what README.md names.
var distributions = map[string]memcached.Distribution{
	"memcached.Ketama":                        memcached.Ketama,
	"placement.BMemcached(\"\", \"\")":        placement.BMemcached("", ""),
	"placement.CacheMemcached":                placement.CacheMemcached,
	"placement.CacheMemcachedFastKetama(150)": placement.CacheMemcachedFastKetama(150),
	"placement.Dalli":                         placement.Dalli,
	"placement.Gomemcache":                    placement.Gomemcache,
	"placement.Gomemcached":                   placement.Gomemcached,
	"placement.LibmemcachedCRC":               placement.LibmemcachedCRC,
	"placement.LibmemcachedConsistent":        placement.LibmemcachedConsistent,
	"placement.LibmemcachedConsistentMD5":     placement.LibmemcachedConsistentMD5,
	"placement.LibmemcachedFNV1":              placement.LibmemcachedFNV1,
	"placement.LibmemcachedFNV1a":             placement.LibmemcachedFNV1a,
	"placement.LibmemcachedFNV1ax64":          placement.LibmemcachedFNV1ax64,
	"placement.LibmemcachedFNV1x64":           placement.LibmemcachedFNV1x64,
	"placement.LibmemcachedMD5":               placement.LibmemcachedMD5,
	"placement.LibmemcachedMurmur":            placement.LibmemcachedMurmur,
	"placement.MC":                            placement.MC,
	"placement.MemcachePlus":                  placement.MemcachePlus,
	"placement.Memjs":                         placement.Memjs,
	"placement.NPMMemcache":                   placement.NPMMemcache,
	"placement.NPMMemcacheModulo":             placement.NPMMemcacheModulo,
	"placement.Nginx":                         placement.Nginx,
	"placement.NginxConsistent":               placement.NginxConsistent,
	"placement.PHPMemcache":                   placement.PHPMemcache,
	"placement.PHPMemcacheFNV":                placement.PHPMemcacheFNV,
	"placement.PHPMemcacheStandard":           placement.PHPMemcacheStandard,
	"placement.PHPMemcached":                  placement.PHPMemcached,
	"placement.Pylibmc":                       placement.Pylibmc,
	"placement.Pymemcache":                    placement.Pymemcache,
	"placement.PythonMemcached":               placement.PythonMemcached,
	"placement.PythonMemcachedOldHash":        placement.PythonMemcachedOldHash,
	"placement.Spymemcached":                  placement.Spymemcached,
	"placement.SpymemcachedConsistent":        placement.SpymemcachedConsistent,
	"placement.SpymemcachedFNV1":              placement.SpymemcachedFNV1,
	"placement.SpymemcachedFNV1a":             placement.SpymemcachedFNV1a,
	"placement.SpymemcachedFNV1ax64":          placement.SpymemcachedFNV1ax64,
	"placement.SpymemcachedFNV1x64":           placement.SpymemcachedFNV1x64,
	"placement.SpymemcachedKetama":            placement.SpymemcachedKetama,
	"placement.Twemproxy":                     placement.Twemproxy,
	"placement.TwemproxyModulo":               placement.TwemproxyModulo,
	"placement.Xmemcached":                    placement.Xmemcached,
	"placement.XmemcachedElection":            placement.XmemcachedElection,
	"placement.XmemcachedKetama":              placement.XmemcachedKetama,
	"placement.XmemcachedKetamaNginx":         placement.XmemcachedKetamaNginx,
	"placement.XmemcachedLibmemcached":        placement.XmemcachedLibmemcached,
}

// configuration is a client with its settings, as recorded from it.
type configuration struct {
	Client, Version, Configuration string
	Default                        bool
	Prefix                         string
	Picks                          map[string][]*int
}

type recording struct {
	Keys           []string
	Lists          map[string][]memcached.Server
	Configurations []configuration
}

func recorded(t *testing.T) (r recording) {
	t.Helper()
	data, err := os.ReadFile("../internal/ring/testdata/placement-defaults.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// row is a line of the table: client, configuration, default, Distribution.
var row = regexp.MustCompile("(?m)^\\| (.+?) \\| (.+?) \\| (yes)? *\\| `(.+?)` \\|$")

// withoutPrefix is how the table writes WithoutPrefix.
var withoutPrefix = regexp.MustCompile(`^placement\.WithoutPrefix\("(.+?)", (.+)\)$`)

func parse(t *testing.T, text string) memcached.Distribution {
	t.Helper()
	if m := withoutPrefix.FindStringSubmatch(text); m != nil {
		return placement.WithoutPrefix(m[1], parse(t, m[2]))
	}
	d := distributions[text]
	if d == nil {
		t.Fatalf("README.md names %s, which is none of the placements", text)
	}
	return d
}

// TestReadme_EachRowMeetsItsClient compares every row of the table with where
// its client put keys.
func TestReadme_EachRowMeetsItsClient(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, m := range row.FindAllStringSubmatch(string(readme), -1) {
		rows[m[1]+" | "+m[2]] = m
	}
	golden := recorded(t)
	for _, c := range golden.Configurations {
		name := c.Client + " " + c.Version + " | " + c.Configuration
		t.Run(name, func(t *testing.T) {
			m := rows[name]
			if m == nil {
				t.Fatal("README.md has no row")
			}
			if isDefault := m[3] == "yes"; isDefault != c.Default {
				t.Errorf("README.md says default: %v, want %v", isDefault, c.Default)
			}
			c.compare(t, &golden, parse(t, m[4]))
		})
	}
	if len(rows) != len(golden.Configurations) {
		t.Errorf("README.md has %d rows, want %d", len(rows), len(golden.Configurations))
	}
}

func (c *configuration) compare(t *testing.T, golden *recording, d memcached.Distribution) {
	t.Helper()
	compared := 0
	for list, picks := range c.Picks {
		pick := d(golden.Lists[list])
		for i, want := range picks {
			if want == nil { // the client refuses the key
				continue
			}
			compared++
			if key := c.Prefix + golden.Keys[i]; pick(key) != *want {
				t.Errorf("%s: pick(%q) = %d, want %d", list, key, pick(key), *want)
			}
		}
	}
	if compared < 100 {
		t.Errorf("%d keys compared, want at least 100", compared)
	}
}

func TestWithoutPrefix_PassesOnWhatTheDistributionSays(t *testing.T) {
	nothing := func([]memcached.Server) func(string) int { return nil }
	if pick := placement.WithoutPrefix("app:", nothing)(nil); pick != nil {
		t.Error("WithoutPrefix of a Distribution that returns nil returns a function, want nil")
	}
	servers := []memcached.Server{{Addr: "a:11211", Weight: 1}, {Addr: "b:11211", Weight: 1}, {Addr: "c:11211", Weight: 1}}
	ketama, stripped := memcached.Ketama(servers), placement.WithoutPrefix("app:", nil)(servers)
	for _, key := range strings.Fields("user:1 user:2 user:3 user:4 user:5 user:6") {
		if got, want := stripped("app:"+key), ketama(key); got != want {
			t.Errorf("pick(app:%s) = %d, want %d, as without the prefix", key, got, want)
		}
	}
}
