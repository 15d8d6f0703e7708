package main

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// render returns the report of r with the given notes.
func render(t *testing.T, r *results, notes string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notes.md")
	if notes != "" {
		if err := os.WriteFile(path, []byte(notes), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	if err := writeReport(&b, r, defaultRows(), path, []string{"plot.svg"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReport_SaysWhetherBarsWereMet(t *testing.T) {
	text := render(t, canned("get64", map[string]float64{ours: 420, gomemcache: 100, mcClient: 140}, 1, 2, 3), "")
	for _, want := range []string{
		"2 of 3 met",
		"| Get 100 B, 64 callers | gomemcache | ≥ 3.50 | 4.20 | [4.20 – 4.20] | 0.24 | met (+20 %) |",
		"| Get 100 B, 64 callers | mc | ≥ 4.00 | 3.00 | [3.00 – 3.00] | 0.33 | **missed by 25 %** |",
		"| ours | 840 | 4.20 | [4.20 – 4.20] |",
		"![Throughput and p99 by number of callers](plot.svg)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

func TestReport_KeepsNotes(t *testing.T) {
	r := canned("get64", map[string]float64{ours: 420, gomemcache: 100}, 1)
	text := render(t, r, "# Notes\n\nThe bar of 4 is missed because of reasons.\n")
	if !strings.Contains(text, "## Notes\n\nThe bar of 4 is missed because of reasons.\n") {
		t.Errorf("the report lacks the notes:\n%s", text)
	}
	if text := render(t, r, ""); strings.Contains(text, "## Notes") {
		t.Errorf("the report has a section for notes that do not exist:\n%s", text)
	}
}

func TestReport_ShowsFailures(t *testing.T) {
	r := canned("get64", map[string]float64{ours: 420, gomemcache: 100}, 1)
	r.Samples = append(r.Samples, sample{Row: "get64", Peer: mcClient, Error: "no connection"})
	if text := render(t, r, ""); !strings.Contains(text, "| mc | failed: no connection | |") {
		t.Errorf("the report hides a failure:\n%s", text)
	}
}

// Every line of a table has as many cells as its head.
func TestReport_TablesAreRegular(t *testing.T) {
	r := canned("get64", map[string]float64{ours: 420, gomemcache: 100, mcClient: 90}, 1, 2)
	r.Samples = append(r.Samples, sample{Row: "get64", Peer: gomemcached, Error: "no connection"})
	cells := 0
	for line := range strings.SplitSeq(render(t, r, ""), "\n") {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := strings.Count(line, "|")
		if cells == 0 {
			cells = n
		}
		if n != cells {
			t.Errorf("%d bars in %q, want %d", n, line, cells)
		}
	}
}

func TestReport_NamesNoMachine(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip("this machine has no name:", err)
	}
	for name, value := range describeMachine() {
		if strings.Contains(value, host) || strings.Contains(value, string(filepath.Separator)+"home") {
			t.Errorf("%s: %q tells which machine this is", name, value)
		}
	}
}

func TestPlot_IsWellFormedAndNamesContestants(t *testing.T) {
	rates := map[string]float64{ours: 420e3, gomemcache: 100e3, mcClient: 90e3, rawLimit: 1e6}
	r := canned("get1", rates, 1, 1.2)
	r.Samples = append(r.Samples, canned("get64", rates, 2, 3).Samples...)
	picture, err := drawPlot(r, defaultRows())
	if err != nil {
		t.Fatal(err)
	}
	svg := string(picture)
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plot is no XML: %v\n%s", err, svg)
		}
	}
	for _, peer := range slices.Sorted(maps.Keys(rates)) {
		if !strings.Contains(svg, ">"+peer+"</text>") {
			t.Errorf("the plot does not name %s", peer)
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("the plot has places that are no numbers:\n%s", svg)
	}
}

func TestPlot_NeedsTwoNumbersOfCallers(t *testing.T) {
	if svg, err := drawPlot(canned("get64", map[string]float64{ours: 1}, 1), defaultRows()); svg != nil || err != nil {
		t.Errorf("drawPlot of one row = %q, %v, want nothing", svg, err)
	}
}

func TestTicksAround(t *testing.T) {
	tests := map[string]struct {
		low, high float64
		want      []float64
	}{
		"within decades": {30, 900, []float64{20, 50, 100, 200, 500, 1000}},
		"on the ticks":   {0.1, 0.5, []float64{0.1, 0.2, 0.5}},
		"one value":      {2, 2, []float64{2, 5}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ticksAround(test.low, test.high); !slices.Equal(got, test.want) {
				t.Errorf("ticksAround(%v, %v) = %v, want %v", test.low, test.high, got, test.want)
			}
		})
	}
}
