package middleware

import (
	"math"
	"net/http"
	"strings"
	"testing"

	memcached "github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/middleware/internal/stored"
)

func TestKeys_NothingRunsTogether(t *testing.T) {
	plain := origin{}
	all := []page{
		{plain, "a", "", "/b", "", ""},
		{plain, "ab", "", "/", "", ""},
		{plain, "a", "", "/b?", "", ""},
		{plain, "a", "", "/", "b", ""},
		{plain, "a", "", "/b", "c", ""},
		{plain, "a", "", "/b", "", "c"},
		{plain, "a", "", "/bc", "", ""},
		{plain, "a", "/b", "", "", ""},
		{plain, "a", "/b", "/b", "", ""},
		{plain, "", "a", "/b", "", ""},
		{plain, "", "", "a/b", "", ""},
		{origin{proto: "https"}, "a", "", "/b", "", ""},
		{origin{tls: true}, "a", "", "/b", "", ""},
	}
	seen := map[string]page{}
	for _, p := range all {
		full := string(p.append(nil))
		if other, ok := seen[full]; ok {
			t.Errorf("%+v and %+v have the same key", p, other)
		}
		seen[full] = p
	}
}

func TestVariant_AbsentIsNotEmpty(t *testing.T) {
	ix := &stored.Index{ID: 1, Fields: []string{"A", "B"}}
	headers := []http.Header{
		{},
		{"A": {""}},
		{"B": {""}},
		{"A": {""}, "B": {""}},
		{"A": {"1"}},
		{"B": {"1"}},
		{"A": {"1"}, "B": {"2"}},
		{"A": {"12"}},
		{"A": {"1"}, "B": {""}},
		{"A": {"x"}, "B": {"y\x01B\x01z"}},
		{"A": {"x\x01B\x01y"}, "B": {"z"}},
	}
	seen := map[string]http.Header{}
	for _, h := range headers {
		full := string(appendVariant(nil, ix, h))
		if other, ok := seen[full]; ok {
			t.Errorf("%v and %v select the same variant", h, other)
		}
		seen[full] = h
	}
}

func TestKeyspace_PrefixesThatNewTakesMakeValidKeys(t *testing.T) {
	for _, prefix := range []string{"page:", "p", strings.Repeat("x", longestPrefix), "ünïcode"} {
		if err := checkPrefix(prefix); err != nil {
			t.Fatal(err)
		}
		k := keyspace{prefix: prefix}
		chunk := (&Cache{keys: k}).chunkKeys(&stored.Entry{ID: math.MaxUint64}, stored.MaxChunks-1, stored.MaxChunks)[0]
		for _, key := range []string{k.of(letterPage, []byte("x")), k.tag(stored.NameTag("t")), k.purges(), chunk} {
			if memcached.SafeKey("", key) != key {
				t.Errorf("prefix %q makes the key %q, which is not valid", prefix, key)
			}
		}
	}
}
