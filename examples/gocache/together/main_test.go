package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Setenv("MEMCACHED_SERVERS", "")
	const want = `loading emma
got {Title:Emma Pages:474}
got {Title:Emma Pages:474}
in memcached for 10m0s, <nil>
after the invalidation: value not found in store
`
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil || out.String() != want {
		t.Errorf("run printed\n%s%v, want\n%s", out.String(), err, want)
	}
}
