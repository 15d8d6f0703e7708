package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFigures_ShowWhatWasMeasured(t *testing.T) {
	r := canned("get64", map[string]float64{ours: 420, gomemcache: 100, rueidisClient: 140}, 1, 2)
	r.Samples = append(r.Samples, canned("set64", map[string]float64{ours: 300, gomemcache: 100}, 1, 2).Samples...)
	r.Samples = append(r.Samples, canned("page64", map[string]float64{ours: 300, ginContribCache: 100}, 1, 2).Samples...)
	want := figuresBegin + `| times the throughput of | gomemcache | rueidis on Redis |
| --- | --- | --- |
| 64 callers | 4.20 | 3.00 |
| Set of 100 bytes, 64 callers | 3.00 | — |

| work | beside | times |
| --- | --- | --- |
| cached page of 2 KB, 64 connections | gin-contrib/cache over memcached | 3.00 |
` + figuresEnd
	if got := figures(r); got != want {
		t.Errorf("figures =\n%s\nwant\n%s", got, want)
	}
	if got := figures(canned("set1", map[string]float64{ours: 1}, 1)); got != "" {
		t.Errorf("figures of other rows = %q, want nothing", got)
	}
}

func TestPutFigures(t *testing.T) {
	const table = figuresBegin + "| new |\n" + figuresEnd
	tests := map[string]struct{ before, after string }{
		"replaces": {"# A\n\n" + figuresBegin + "| old |\n" + figuresEnd + "\nrest\n", "# A\n\n" + table + "\nrest\n"},
		"no place": {"# A\n", "# A\n"},
		"no end":   {figuresBegin + "rest\n", figuresBegin + "rest\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "README.md")
			if err := os.WriteFile(path, []byte(test.before), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := putFigures(path, table); err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(path); string(got) != test.after {
				t.Errorf("the file is %q, want %q", got, test.after)
			}
		})
	}
}

func TestPutFigures_WithoutAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	if err := putFigures(path, figuresBegin+figuresEnd); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("there is a file now: %v", err)
	}
}

func TestReport_ShowsBothRegimes(t *testing.T) {
	r := canned("get8", map[string]float64{ours: 100, gomemcache: 100, rueidisClient: 125}, 1, 2)
	r.Samples = append(r.Samples, canned("get8awake", map[string]float64{ours: 200, gomemcache: 100, rueidisClient: 100}, 1, 2).Samples...)
	text := render(t, r, "")
	for _, want := range []string{
		"| 8 | 1.00 [1.00 – 1.00] | 2.00 [2.00 – 2.00] | 1.00 [1.00 – 1.00] | 0.50 [0.50 – 0.50] | 0.80 [0.80 – 0.80] | 2.00 [2.00 – 2.00] |",
		"## The whole curve",
		"| Get 100 B, 8 callers, processors kept awake | gomemcache | ≥ 2.00 | 2.00 | [2.00 – 2.00] | 0.50 | met (+0 %) |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

func TestRatioToBest_TakesTheBestOfEachRound(t *testing.T) {
	r := canned("large64", map[string]float64{ours: 100, gomemcache: 50, mcClient: 80}, 1)
	second := canned("large64", map[string]float64{ours: 100, gomemcache: 200, mcClient: 80}, 1)
	for _, s := range second.Samples {
		s.Round = 1
		r.Samples = append(r.Samples, s)
	}
	r.Rounds = 2
	s := r.ratioToBest("large64", ours, metricRate, memcachedClients)
	if s.low != 0.5 || s.high != 1.25 || s.rounds != 2 {
		t.Errorf("ratioToBest = %+v, want 0.5 and 1.25", s)
	}
}
