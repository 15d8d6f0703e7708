package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Setenv("MEMCACHED_SERVERS", "")
	const want = `10000 reads of 20 books made 21 queries
a book that is not there was asked for: true
process 1 sees "Emma"
process 2 sees "Emma"
22 queries in all
`
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil || out.String() != want {
		t.Errorf("run printed\n%s%v, want\n%s", out.String(), err, want)
	}
}
