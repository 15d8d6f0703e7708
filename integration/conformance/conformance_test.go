package main

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// floor is what the middleware must not fall below, with StoreSetCookie and
// without.
var floor = map[bool]map[string]int{
	true:  {required: 145, optimal: 78},
	false: {required: 141, optimal: 77},
}

// TestConformance runs the public suite. It is skipped, and says so, only where
// neither a copy of the suite nor npm is at hand.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("the suite takes a minute")
	}
	s, err := findSuite(t.Context(), ".", os.Getenv("HTTP_CACHE_TESTS"))
	if errors.Is(err, errNoNPM) {
		t.Skip("HTTP CACHE CONFORMANCE NOT MEASURED:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	tests, err := s.tests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Most of the suite's time is waiting, and each run has servers of its own.
	for _, with := range []framework{ginFramework, netHTTPFramework} {
		for _, storeSetCookie := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, StoreSetCookie %v", with, storeSetCookie), func(t *testing.T) {
				t.Parallel()
				r, err := measure(t.Context(), s, with, storeSetCookie)
				if err != nil {
					t.Fatal(err)
				}
				wantScore(t, grade(tests, r), floor[storeSetCookie])
			})
		}
	}
}

// wantScore fails the test when fewer tests of the suite passed than least says,
// or when nothing explains one that did not.
func wantScore(t *testing.T, got score, least map[string]int) {
	t.Helper()
	t.Log(got.line())
	for kind, want := range least {
		if got.passed[kind] < want {
			t.Errorf("%d %s tests passed, want %d or more; failed: %v", got.passed[kind], kind, want, failedOf(got, kind))
		}
	}
	for _, failed := range got.failed {
		if failed.Kind != check && len(explain(failed.ID, "")) == len("not explained: ") {
			t.Errorf("%s %s is not passed, and nothing explains why: %s", failed.Kind, failed.ID, got.why[failed.ID])
		}
	}
}

func failedOf(s score, kind string) []string {
	var ids []string
	for _, t := range s.failed {
		if t.Kind == kind {
			ids = append(ids, t.ID+": "+s.why[t.ID])
		}
	}
	return ids
}

func TestGrade_FailedDependencyCountsAsNotPassed(t *testing.T) {
	tests := []test{{ID: "a", Kind: check}, {ID: "b", Kind: required, DependsOn: []string{"a"}}, {ID: "c", Kind: required, DependsOn: []string{"b"}}, {ID: "d", Kind: optimal}}
	s := grade(tests, results{"a": []any{"Assertion", "no"}, "b": true, "c": true, "d": true})
	if s.passed[required] != 0 || s.total[required] != 2 || s.passed[optimal] != 1 || s.passed[check] != 0 {
		t.Errorf("grade = %+v, want b and c not passed because a is not", s)
	}
}
