package main

import (
	"fmt"
	"strings"
)

// report is what one invocation found.
type report struct {
	suite         *suite
	tests         []test
	with, without score
}

func (s score) line() string {
	return fmt.Sprintf("required %d of %d, optimal %d of %d, checks %d of %d",
		s.passed[required], s.total[required], s.passed[optimal], s.total[optimal], s.passed[check], s.total[check])
}

func (r report) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "with StoreSetCookie:    %s\n", r.with.line())
	fmt.Fprintf(&b, "without StoreSetCookie: %s\n", r.without.line())
	for _, t := range r.with.failed {
		if t.Kind != check {
			fmt.Fprintf(&b, "  %-8s %s: %s\n", t.Kind, t.ID, r.with.why[t.ID])
		}
	}
	return b.String()
}

func (r report) markdown() string { return r.summary() }
