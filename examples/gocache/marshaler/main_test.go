package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Setenv("MEMCACHED_SERVERS", "")
	const want = `marshaler: {Title:Emma Pages:474}
marshaler cache: {Title:Emma Pages:474}
typed store: {Title:Emma Pages:474} for 1h0m0s
`
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil || out.String() != want {
		t.Errorf("run printed\n%s%v, want\n%s", out.String(), err, want)
	}
}
