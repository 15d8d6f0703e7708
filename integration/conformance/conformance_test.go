package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// floors are what the middleware must not fall below, with StoreSetCookie and without:
// with the version of the suite that npm has, and with its newest.
var floors = []struct {
	name     string
	variable string // names a copy of the suite
	newest   bool
	least    map[bool]map[string]int
}{
	{"0.4.5", "HTTP_CACHE_TESTS", false, map[bool]map[string]int{
		true:  {required: 145, optimal: 78},
		false: {required: 141, optimal: 77},
	}},
	{"newest", "HTTP_CACHE_TESTS_NEWEST", true, map[bool]map[string]int{
		true:  {required: 160, optimal: 97},
		false: {required: 158, optimal: 96},
	}},
}

// measurement is one run of the suite.
type measurement struct {
	name           string
	suite          *suite
	tests          []test
	with           framework
	storeSetCookie bool
	least          map[string]int
	results        results
	err            error
}

// TestConformance runs the public suite. It is skipped, and says so, only where
// neither a copy of the suite nor npm is at hand.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("the suite takes minutes")
	}
	runs, err := allRuns(t)
	if errors.Is(err, errNoNPM) {
		t.Skip("HTTP CACHE CONFORMANCE NOT MEASURED:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	// Most of the suite's time is waiting, and each run has servers of its own.
	var wg sync.WaitGroup
	turns := make(chan struct{}, 4)
	for _, r := range runs {
		wg.Go(func() {
			turns <- struct{}{}
			r.measure(t)
			<-turns
		})
	}
	wg.Wait()
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) {
			if r.err != nil || r.fallsShort() { // many tests wait for seconds: a busy machine is not a broken cache
				r.measure(t)
			}
			if r.err != nil {
				t.Fatal(r.err)
			}
			wantScore(t, grade(r.tests, r.results), r.least)
		})
	}
}

// allRuns are those of each version, framework and option.
func allRuns(t *testing.T) (runs []*measurement, err error) {
	for _, floor := range floors {
		s, err := findSuite(t.Context(), ".", os.Getenv(floor.variable), floor.newest)
		if err != nil {
			return nil, err
		}
		tests, err := s.tests(t.Context())
		if err != nil {
			return nil, err
		}
		for _, with := range []framework{ginFramework, netHTTPFramework} {
			for storeSetCookie, least := range floor.least {
				name := fmt.Sprintf("%s, %s, StoreSetCookie %v", floor.name, with, storeSetCookie)
				runs = append(runs, &measurement{name: name, suite: s, tests: tests, with: with, storeSetCookie: storeSetCookie, least: least})
			}
		}
	}
	return runs, nil
}

func (r *measurement) measure(t *testing.T) {
	r.results, r.err = measure(t.Context(), r.suite, r.with, r.storeSetCookie)
}

// fallsShort reports whether fewer tests passed than must.
func (r *measurement) fallsShort() bool {
	got := grade(r.tests, r.results)
	for kind, want := range r.least {
		if got.passed[kind] < want {
			return true
		}
	}
	return false
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
