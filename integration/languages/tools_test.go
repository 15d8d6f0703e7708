package languages_test

import (
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

// TestTools is what libmemcached's tools do beside storing and reading. memcping is
// none of them: it does not know the binary protocol.
func TestTools(t *testing.T) {
	each(t, []language{tools}, func(t *testing.T, p pair) {
		if p.theirs.done(t, "exist", args{"key": "k"}) {
			t.Error("memcexist found what nobody stored")
		}
		p.write(t, "k", "v")
		if !p.theirs.done(t, "exist", args{"key": "k"}) {
			t.Error("memcexist did not find ours")
		}
		if !p.theirs.done(t, "set", args{"key": "flagged", "value": bytesOf([]byte("v")), "flags": 77}) {
			t.Error("memccp was refused")
		}
		item, err := p.ours.Get(t.Context(), "flagged")
		if err != nil || item.Flags != 77 || string(item.Value) != "v" {
			t.Errorf("Get = %+v, %v, want v with the flags 77", item, err)
		}
		p.wantStats(t)
		if !p.theirs.done(t, "flush", nil) {
			t.Error("memcflush failed")
		}
		p.wantMiss(t, "k")
		if err := p.ours.Set(t.Context(), &memcached.Item{Key: "k"}); err != nil {
			t.Fatal(err)
		}
		if err := p.ours.FlushAll(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if p.theirs.done(t, "exist", args{"key": "k"}) {
			t.Error("memcexist found what FlushAll removed")
		}
	})
}

// wantStats fails the test unless both read the same statistics.
func (p pair) wantStats(t *testing.T) {
	t.Helper()
	groups, err := p.ours.ServerStats(t.Context(), "")
	if err != nil || len(groups) != 1 {
		t.Fatalf("ServerStats = %v, %v", groups, err)
	}
	var stat struct {
		Code int
		Text string
	}
	p.theirs.must(t, "stat", nil, &stat)
	for server, stats := range groups {
		for _, name := range []string{"pid", "version", "limit_maxbytes", "curr_items"} {
			if stats[name] == "" || !strings.Contains(stat.Text, name+": "+stats[name]) {
				t.Errorf("memcstat has not %s=%q of %s:\n%s", name, stats[name], server, stat.Text)
			}
		}
	}
}
