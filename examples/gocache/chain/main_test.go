package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Setenv("MEMCACHED_SERVERS", "")
	const want = `found "hello"
in memcached for 10m0s more, <nil>
in memory for 5s more, <nil>
`
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil || out.String() != want {
		t.Errorf("run printed\n%s%v, want\n%s", out.String(), err, want)
	}
}
