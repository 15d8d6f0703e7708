package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func curveOf(t *testing.T, args ...string) (*options, *curveOptions) {
	t.Helper()
	o, err := parse(append([]string{"-curve"}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c, err := o.curve()
	if err != nil {
		t.Fatal(err)
	}
	return o, c
}

func TestCurve_HasEveryCombination(t *testing.T) {
	_, c := curveOf(t, "-ops", "get,page", "-callers", "2,8", "-procs", "1,2", "-threads", "4", "-delays", "0,1ms", "-variants", "a=1; b=2,c=3", "-peers", "ours,rueidis")
	rows := c.curveRows(nil)
	if len(rows) != 2*2*2*2*2 { // with both regimes
		t.Errorf("%d rows, want 32", len(rows))
	}
	names := map[string]bool{}
	for _, r := range rows {
		names[r.Name] = true
	}
	if len(names) != len(rows) || !names["get8 procs2 threads4 delay1ms awake"] || !names["page2 procs1 threads4"] {
		t.Errorf("rows %v", names)
	}
	want := []string{ours, "a=1", "b=2,c=3", rueidisClient, gomemcache}
	if !slices.Equal(rows[0].Peers, want) {
		t.Errorf("contestants %v, want %v", rows[0].Peers, want)
	}
	if last := rows[len(rows)-1]; last.Baseline != ginContribCache || !slices.Contains(last.Peers, ginCacheRedis) {
		t.Errorf("contestants of pages %v relative to %s", last.Peers, last.Baseline)
	}
}

func TestCurve_EachOnce(t *testing.T) {
	_, c := curveOf(t, "-each", "-ops", "get,set,mixed", "-procs", "2,1", "-threads", "4,1", "-delays", "0,1ms", "-regimes", "quiet,awake")
	base := curveGroup{Op: "get", Procs: 2, Threads: 4}
	set, mixed, one, thread, far, awake := base, base, base, base, base, base
	set.Op, mixed.Op, one.Procs, thread.Threads, far.Delay, awake.Awake = "set", "mixed", 1, 1, time.Millisecond, true
	want := []curveGroup{base, awake, far, thread, one, set, mixed}
	if got := c.groups(); !slices.Equal(got, want) {
		t.Errorf("groups\n%+v, want\n%+v", got, want)
	}
}

func TestCurve_RefusesWhatItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{
		{"-ops", "walk"},
		{"-variants", "a"},
		{"-callers", "0"},
		{"-procs", "x"},
		{"-threads", "-1"},
		{"-delays", "1"},
		{"-regimes", "asleep"},
		{"-peers", "nobody"},
	} {
		o, err := parse(append([]string{"-curve"}, args...), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := o.curve(); err == nil {
			t.Errorf("%v is %+v, want an error", args, c)
		}
	}
}

func TestCurve_Report(t *testing.T) {
	_, c := curveOf(t, "-callers", "2,8", "-procs", "2", "-variants", "a=1", "-regimes", "quiet")
	rates := map[string]float64{ours: 200, "a=1": 300, rueidisClient: 150, gomemcache: 100}
	r := canned("get2 procs2 threads4", rates, 1)
	r.Samples = append(r.Samples, canned("get8 procs2 threads4", rates, 2).Samples...)
	var text bytes.Buffer
	if err := writeCurve(&text, c, r, "curve.svg"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| × gomemcache, callers | ours | ours, a=1 | rueidis | gomemcache |",
		"| 2 | 2.00 | 3.00 | 1.50 | 1.00 |",
		"![Throughput and p99 by callers](curve.svg)",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, text.String())
		}
	}
	picture, err := drawCurve(c, r)
	if err != nil || !strings.Contains(string(picture), ">ours, a=1</text>") {
		t.Errorf("drawCurve: %v, without the variant's name", err)
	}
}

func TestCurve_Runs(t *testing.T) {
	o, c := curveOf(t, "-ops", "get,page", "-callers", "2", "-procs", "1", "-threads", "1,4", "-delays", "200us", "-regimes", "quiet", "-variants", "")
	e := startTest(t)
	for _, r := range c.curveRows(nil) {
		for _, peer := range r.Peers {
			m, err := r.measure(e, peer, quickly)
			if err != nil || m[metricRate] <= 0 || m[metricCPU] <= 0 {
				t.Errorf("%s, %s: %v, %v", r.Name, peer, m, err)
			}
		}
	}
	o.timing, o.rounds = timing{duration: time.Second - 150*time.Millisecond}, 6
	if got := o.estimate(c.curveRows(nil)[:2]); got != "36 measurements, about 1m0s" {
		t.Errorf("estimate = %q", got)
	}
}

func TestInRegimes(t *testing.T) {
	rows := []row{{Name: "get8"}, {Name: "get8awake", Awake: true}, {Name: "set1"}}
	for text, want := range map[string][]string{
		"":            {"get8", "get8awake", "set1"},
		"quiet":       {"get8", "set1"},
		"awake":       {"get8awake", "set1awake"},
		"quiet,awake": {"get8", "get8awake", "set1", "set1awake"},
	} {
		awake, err := regimes(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range inRegimes(rows, awake) {
			names = append(names, r.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("-regimes %q gives %v, want %v", text, names, want)
		}
	}
}
