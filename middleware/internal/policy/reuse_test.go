package policy

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	const s = time.Second
	minute := Terms{Freshness: Freshness{Lifetime: 60 * s}}
	revalidating := minute
	revalidating.StaleWhileRevalidate = 30 * s
	strict := minute
	strict.NoStale = true
	noCache := minute
	noCache.NoCache, noCache.NoStale = true, true
	tests := map[string]struct {
		terms   Terms
		age     time.Duration
		request string
		want    Use
	}{
		"fresh":                        {minute, 59 * s, "", Fresh},
		"stale":                        {minute, 60 * s, "", Validate},
		"in the window":                {revalidating, 89 * s, "", Revalidate},
		"after the window":             {revalidating, 90 * s, "", Validate},
		"no-cache of the response":     {noCache, s, "", Validate},
		"no-cache of the request":      {minute, s, "no-cache", Validate},
		"no-cache beats the window":    {revalidating, 70 * s, "no-cache", Validate},
		"max-age, young enough":        {minute, 10 * s, "max-age=10", Fresh},
		"max-age, too old":             {minute, 11 * s, "max-age=10", Validate},
		"max-age=0":                    {minute, 0, "max-age=0", Validate},
		"max-age beats the window":     {revalidating, 70 * s, "max-age=60", Validate},
		"max-age wants nothing stale":  {revalidating, 70 * s, "max-age=100", Validate},
		"max-age and max-stale":        {revalidating, 70 * s, "max-age=100, max-stale=10", Revalidate},
		"max-stale in the window":      {revalidating, 80 * s, "max-stale=10", Revalidate},
		"max-age, max-stale, no leave": {minute, 70 * s, "max-age=100, max-stale=10", Fresh},
		"min-fresh, enough":            {minute, 10 * s, "min-fresh=50", Fresh},
		"min-fresh, not enough":        {minute, 11 * s, "min-fresh=50", Validate},
		"min-fresh beats the window":   {revalidating, 70 * s, "min-fresh=1", Validate},
		"max-stale, within":            {minute, 70 * s, "max-stale=10", Fresh},
		"max-stale, beyond":            {minute, 71 * s, "max-stale=10", Validate},
		"max-stale without limit":      {minute, 7000 * s, "max-stale", Fresh},
		"max-stale, but it may not be": {strict, 70 * s, "max-stale", Validate},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Judge(test.terms, test.age, ParseCacheControl([]string{test.request})); got != test.want {
				t.Errorf("Judge(%+v, %v, %q) = %v, want %v", test.terms, test.age, test.request, got, test.want)
			}
		})
	}
}

func TestServeOnFailure(t *testing.T) {
	const s = time.Second
	plain := Terms{Freshness: Freshness{Lifetime: 60 * s}}
	tolerant := plain
	tolerant.StaleIfError = 30 * s
	strict := plain
	strict.NoStale = true
	tests := map[string]struct {
		terms       Terms
		age         time.Duration
		request     string
		status      int
		unreachable bool
		want        bool
	}{
		"500 in the window":                 {tolerant, 89 * s, "", 500, false, true},
		"503 in the window":                 {tolerant, 89 * s, "", 503, false, true},
		"502 in the window":                 {tolerant, 89 * s, "", 502, false, true},
		"504 in the window":                 {tolerant, 89 * s, "", 504, false, true},
		"after the window":                  {tolerant, 90 * s, "", 500, false, false},
		"404 is an answer":                  {tolerant, 61 * s, "", 404, false, false},
		"200 is an answer":                  {tolerant, 61 * s, "", 200, true, false},
		"the request wants it new":          {tolerant, 61 * s, "no-cache", 500, true, false},
		"the request wants it young":        {tolerant, 61 * s, "max-age=10", 500, true, false},
		"old enough for the request":        {tolerant, 61 * s, "max-age=100", 500, true, true},
		"unreachable, allowed":              {plain, 6000 * s, "", 502, true, true},
		"unreachable, not allowed":          {plain, 6000 * s, "", 502, false, false},
		"unreachable means 502 and 504":     {plain, 6000 * s, "", 503, true, false},
		"unreachable, but it may not be so": {strict, 61 * s, "", 502, true, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := ServeOnFailure(test.terms, test.age, ParseCacheControl([]string{test.request}), FailureOf(test.status), test.unreachable)
			if got != test.want {
				t.Errorf("ServeOnFailure(%+v, %v, %q, %d) = %v, want %v", test.terms, test.age, test.request, test.status, got, test.want)
			}
		})
	}
}
