package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// fakeRow is a row that notes who was measured and answers with what is asked.
func fakeRow(name string, order *[]string, answer func(peer string) error) row {
	return row{
		Name: name, Peers: []string{"a", "b", "c"},
		measure: func(_ *env, peer string, _ timing) (map[string]float64, error) {
			*order = append(*order, name+peer)
			return map[string]float64{metricRate: 1}, answer(peer)
		},
	}
}

func runFakes(t *testing.T, rounds int, rows ...row) (*results, error) {
	t.Helper()
	r := &results{}
	n := &runner{env: &env{ctx: t.Context()}, rows: rows, rounds: rounds, progress: io.Discard}
	return r, n.run(t.Context(), r)
}

func TestRun_RotatesTheOrder(t *testing.T) {
	var order []string
	fine := func(string) error { return nil }
	r, err := runFakes(t, 3, fakeRow("x", &order, fine), fakeRow("y", &order, fine))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"xa", "xb", "xc", "yb", "yc", "ya",
		"xb", "xc", "xa", "yc", "ya", "yb",
		"xc", "xa", "xb", "ya", "yb", "yc",
	}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if len(r.Samples) != len(want) {
		t.Errorf("%d samples, want %d", len(r.Samples), len(want))
	}
}

func TestRun_MeasuresSomeRowsOnce(t *testing.T) {
	var order []string
	once := fakeRow("x", &order, func(string) error { return nil })
	once.Once = true
	if _, err := runFakes(t, 3, once); err != nil || len(order) != 3 {
		t.Errorf("measured %v (%v), want each once", order, err)
	}
}

func TestRun_AlternatesBetweenSlices(t *testing.T) {
	var order []string
	sliced := fakeRow("x", &order, func(string) error { return nil })
	sliced.Slices = 2
	r, err := runFakes(t, 1, sliced)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"xa", "xb", "xc", "xb", "xc", "xa"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if len(r.Samples) != 3 {
		t.Errorf("%d samples, want one for each contestant", len(r.Samples))
	}
}

func TestSumUp_WeighsByOperations(t *testing.T) {
	got := sumUp([]map[string]float64{{metricRate: 100, metricCPU: 4}, {metricRate: 300, metricCPU: 2}})
	if got[metricRate] != 200 || got[metricCPU] != 2.5 {
		t.Errorf("sumUp = %v, want rate 200 and CPU 2.5", got)
	}
	got = sumUp([]map[string]float64{{metricHeap: 10}, {metricHeap: 20}})
	if got[metricHeap] != 15 {
		t.Errorf("sumUp = %v, want heap 15", got)
	}
}

func TestRun_LeavesOutWhoFailed(t *testing.T) {
	var order []string
	r, err := runFakes(t, 2, fakeRow("x", &order, func(peer string) error {
		if peer == "b" {
			return io.ErrUnexpectedEOF
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"xa", "xb", "xc", "xc", "xa"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if got := r.errorOf("x", "b"); got != io.ErrUnexpectedEOF.Error() {
		t.Errorf("errorOf = %q, want the failure", got)
	}
}

func TestRun_EndsAtAWrongValue(t *testing.T) {
	var order []string
	_, err := runFakes(t, 2, fakeRow("x", &order, func(peer string) error {
		if peer == "b" {
			return fmt.Errorf("%w: of another key", errWrongValue)
		}
		return nil
	}))
	if !errors.Is(err, errWrongValue) || len(order) != 2 {
		t.Errorf("run = %v after %v, want errWrongValue after two", err, order)
	}
}

func TestRun_GivesUpOnAClientThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		hanging := row{Name: "x", Peers: []string{"a"}, measure: func(*env, string, timing) (map[string]float64, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		r := &results{}
		n := &runner{env: &env{ctx: ctx}, rows: []row{hanging}, rounds: 1, progress: io.Discard}
		start := time.Now()
		if err := n.run(ctx, r); err != nil {
			t.Fatal(err)
		}
		if got := r.errorOf("x", "a"); got != errStuck.Error() || time.Since(start) != grace {
			t.Errorf("errorOf = %q after %v, want %q after %v", got, time.Since(start), errStuck, grace)
		}
	})
}

func TestSelectRows(t *testing.T) {
	tests := map[string]struct {
		patterns string
		callers  []int
		want     []string
	}{
		"name":              {"get64", nil, []string{"get64"}},
		"two names":         {"set64,get1", nil, []string{"set64", "get1"}},
		"glob":              {"getmulti*", nil, []string{"getmulti1", "getmulti16"}},
		"numbers of caller": {"get,set", []int{3, 24}, []string{"get3", "get24", "set3", "set24"}},
		"only callers":      {"", []int{5}, []string{"get5"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rows, err := selectRows(defaultRows(), test.patterns, test.callers, []time.Duration{0})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, r := range rows {
				names = append(names, r.Name)
			}
			if !slices.Equal(names, test.want) {
				t.Errorf("selectRows(%q, %v) = %v, want %v", test.patterns, test.callers, names, test.want)
			}
		})
	}
	for _, bad := range []struct {
		patterns string
		callers  []int
	}{{"nonsense", nil}, {"[", nil}, {"ring1000", []int{2}}} {
		if rows, err := selectRows(defaultRows(), bad.patterns, bad.callers, []time.Duration{0}); err == nil {
			t.Errorf("selectRows(%q, %v) = %d rows, want an error", bad.patterns, bad.callers, len(rows))
		}
	}
}

func TestRows_HaveDistinctNamesAndPeersThatExist(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range defaultRows() {
		if seen[r.Name] {
			t.Errorf("two rows are named %s", r.Name)
		}
		seen[r.Name] = true
		for _, p := range r.Peers {
			if r.Group == groupClient && peerByName(p) == nil {
				t.Errorf("row %s names %s, which is no peer", r.Name, p)
			}
		}
	}
}
