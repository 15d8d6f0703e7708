package memcachedtest

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// askStats returns the statistics of a group, and their names in order.
func askStats(t *testing.T, nc net.Conn, group string) (map[string]string, []string) {
	t.Helper()
	if _, err := nc.Write(wire.AppendKey(nil, wire.OpStat, 7, group)); err != nil {
		t.Fatal(err)
	}
	stats := map[string]string{}
	var names []string
	for {
		f := receive(t, nc)
		if f.Status != wire.StatusOK || f.Opaque != 7 || f.Opcode != wire.OpStat {
			t.Fatalf("STAT %s answered %v %v with opaque %d", group, f.Opcode, f.Status, f.Opaque)
		}
		if len(f.Key) == 0 {
			return stats, names
		}
		names = append(names, string(f.Key))
		stats[string(f.Key)] = string(f.Value)
	}
}

// testdata/stats.txt has the names that memcached 1.6.18 answered, by group.
func TestStats_HaveTheNamesAndOrderOfMemcached(t *testing.T) {
	text, err := os.ReadFile("testdata/stats.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := Start(t, nil)
	nc := dialMemory(t, s)
	ask(t, nc, setRequest("k", "v"))
	for line := range strings.Lines(string(text)) {
		group, list, _ := strings.Cut(strings.TrimSpace(line), ":")
		real := strings.Fields(list)
		_, names := askStats(t, nc, strings.TrimPrefix(group, "general"))
		if len(names) == 0 {
			t.Errorf("STAT %s has no statistics", group)
		}
		last := -1
		for _, name := range names {
			i := slices.Index(real, name)
			if i < 0 {
				t.Errorf("STAT %s has %q, which memcached has not", group, name)
			} else if i < last {
				t.Errorf("STAT %s has %q later than memcached", group, name)
			}
			last = i
		}
	}
}

// The numbers are those of memcached 1.6.18 after the same requests.
func TestStats_Count(t *testing.T) {
	s := Start(t, nil)
	nc := dialMemory(t, s)
	ask(t, nc, setRequest("k", "1"))
	ask(t, nc, setRequest("large", strings.Repeat("x", 1<<20)))
	f := ask(t, nc, getRequest("k"))
	ask(t, nc, getRequest("none"))
	ask(t, nc, append(wire.AppendStore(nil, wire.OpSet, 0, "k", 1, 0, 0, f.CAS), '2'))
	ask(t, nc, append(wire.AppendStore(nil, wire.OpSet, 0, "k", 1, 0, 0, f.CAS), '3'))
	ask(t, nc, append(wire.AppendStore(nil, wire.OpSet, 0, "none", 1, 0, 0, f.CAS), '3'))
	ask(t, nc, wire.AppendCounter(nil, wire.OpIncrement, 0, "k", 1, 0, 0))
	ask(t, nc, wire.AppendCounter(nil, wire.OpDecrement, 0, "none", 1, 0, wire.ExpiryNoCreate))
	ask(t, nc, wire.AppendTouch(nil, wire.OpTouch, 0, "k", 100))
	ask(t, nc, wire.AppendTouch(nil, wire.OpGAT, 0, "none", 100))
	ask(t, nc, wire.AppendDelete(nil, wire.OpDelete, 0, "none", 0))
	got, _ := askStats(t, nc, "")
	for name, want := range map[string]int{
		"cmd_get": 2, "get_hits": 1, "get_misses": 1, "cmd_set": 4, "store_too_large": 0,
		"cas_hits": 1, "cas_badval": 1, "cas_misses": 1, "incr_hits": 1, "decr_misses": 1,
		"cmd_touch": 2, "touch_hits": 1, "touch_misses": 1, "delete_misses": 1, "delete_hits": 0,
		"curr_items": 1, "total_items": 2, "bytes": 61, "curr_connections": 1, "limit_maxbytes": 64 << 20,
	} {
		if got[name] != strconv.Itoa(want) {
			t.Errorf("%s = %s, want %d", name, got[name], want)
		}
	}
	askStats(t, nc, "reset")
	if got, _ := askStats(t, nc, ""); got["cmd_set"] != "0" || got["curr_items"] != "1" {
		t.Errorf("after a reset cmd_set is %s and curr_items %s, want 0 and 1", got["cmd_set"], got["curr_items"])
	}
}

func TestStats_SettingsAreThoseOfTheOptions(t *testing.T) {
	s := Start(t, &Options{MaxItemSize: 2 << 20, MaxMemory: 100 << 20, DisableCAS: true, DisableFlush: true})
	got, _ := askStats(t, dialMemory(t, s), "settings")
	for name, want := range map[string]string{
		"item_size_max": "2097152", "maxbytes": "104857600", "cas_enabled": "no", "flush_enabled": "no",
		"auth_enabled_sasl": "no", "inter": "127.0.0.1", "tcpport": strings.TrimPrefix(s.Addr(), "127.0.0.1:"),
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

func TestStats_OfTheProcessAndItsConnections(t *testing.T) {
	s := Start(t, nil)
	nc := dialMemory(t, s)
	set := setRequest("k", "a value")
	ask(t, nc, set)
	before, _ := askStats(t, nc, "")
	for name, want := range map[string]string{
		"pid": strconv.Itoa(os.Getpid()), "max_connections": "1024", "rejected_connections": "0", "threads": "4",
	} {
		if before[name] != want {
			t.Errorf("STAT %s = %q, want %q", name, before[name], want)
		}
	}
	if settings, _ := askStats(t, nc, "settings"); settings["maxconns"] != "1024" {
		t.Errorf("maxconns = %q, want 1024", settings["maxconns"])
	}
	between, _ := askStats(t, nc, "")
	ask(t, nc, set)
	after, _ := askStats(t, nc, "")
	number := func(stats map[string]string, name string) int {
		n, err := strconv.Atoi(stats[name])
		if err != nil {
			t.Errorf("%s = %q, want a number", name, stats[name])
		}
		return n
	}
	const stat = wire.HeaderLen
	if n := number(after, "bytes_read") - number(between, "bytes_read"); n != len(set)+stat {
		t.Errorf("bytes_read grew by %d, want %d", n, len(set)+stat)
	}
	if n := number(after, "bytes_written") - number(between, "bytes_written"); n <= wire.HeaderLen {
		t.Errorf("bytes_written grew by %d, want an answer and statistics", n)
	}
}
