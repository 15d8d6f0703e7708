package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Setenv("MEMCACHED_SERVERS", "")
	const want = `32 requests of 4 processes asked the database 1 time(s)
`
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil || out.String() != want {
		t.Errorf("run printed\n%s%v, want\n%s", out.String(), err, want)
	}
}
