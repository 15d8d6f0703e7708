package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Setenv("MEMCACHED_SERVERS", "")
	const want = `found "hello"
found "hello"
cache_collector{metric="hit_count",service="example",store="bmemcached"} 2
cache_collector{metric="miss_count",service="example",store="bmemcached"} 1
memcached_operations_total N
`
	var out strings.Builder
	err := run(t.Context(), &out)
	got := regexp.MustCompile(`(operations_total) \d+`).ReplaceAllString(out.String(), "$1 N")
	if err != nil || got != want {
		t.Errorf("run printed\n%s%v, want\n%s", got, err, want)
	}
}
