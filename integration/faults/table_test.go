package faults_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestFaults measures, and writes the table when MEMCACHED_FAULTS is the number
// of rounds to do.
func TestFaults(t *testing.T) {
	rounds := os.Getenv("MEMCACHED_FAULTS")
	if rounds == "" {
		t.Run("once", testOnce)
		return
	}
	n, err := strconv.Atoi(rounds)
	if err != nil || n < 1 {
		t.Fatalf("MEMCACHED_FAULTS=%q, want a number of rounds", rounds)
	}
	results := map[string][]seen{} // by fault and peer
	for round := range n {
		for _, f := range faults {
			for _, p := range peers { // one after the other, so that all meet the same machine
				if f.secured && !p.sasl {
					continue
				}
				got := measure(t, p, f, f.lasts)
				results[f.name+p.name] = append(results[f.name+p.name], got)
				t.Logf("round %d, %s, %s: %+v", round, f.name, p.name, got)
			}
		}
	}
	if err := writeTable("../../binary/OPERATIONS.md", table(results)); err != nil {
		t.Error(err)
	}
}

// testOnce shows that the program measures: this client is back after each fault.
func testOnce(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			if got := measure(t, peers[0], f, min(f.lasts, 100*time.Millisecond)); got.back == limit {
				t.Errorf("not used again within %v: %+v", limit, got)
			}
		})
	}
}

// table writes down the middle of the rounds.
func table(results map[string][]seen) string {
	var b strings.Builder
	b.WriteString("| fault | what callers of this client see | how it heals |")
	for _, p := range peers {
		fmt.Fprintf(&b, " %s |", p.name)
	}
	b.WriteString("\n| --- | --- | --- |" + strings.Repeat(" --- |", len(peers)) + "\n")
	for _, f := range faults {
		fmt.Fprintf(&b, "| %s | %s | %s |", f.name, f.sees, f.heals)
		for _, p := range peers {
			all := results[f.name+p.name]
			if len(all) == 0 {
				b.WriteString(" no SASL |")
				continue
			}
			back := middle(all, func(s seen) time.Duration { return s.back })
			failed := middle(all, func(s seen) time.Duration { return s.failed })
			waited := middle(all, func(s seen) time.Duration { return time.Duration(s.waited) })
			hung := middle(all, func(s seen) time.Duration { return time.Duration(s.hung) })
			fmt.Fprintf(&b, " %s / %s / %d", short(back), short(failed), waited)
			if hung > 0 {
				fmt.Fprintf(&b, ", %d hang", hung)
			}
			if middle(all, func(s seen) time.Duration { return time.Duration(s.panics) }) > 0 {
				b.WriteString(", panics")
			}
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func middle(all []seen, of func(seen) time.Duration) time.Duration {
	var values []time.Duration
	for _, s := range all {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// short writes a duration down with two digits.
func short(d time.Duration) string {
	switch {
	case d >= limit:
		return fmt.Sprintf("> %.0f s", limit.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= 10*time.Millisecond || d == 0:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
}

const begin, end = "<!-- measured: faults -->\n", "<!-- /measured -->\n"

// writeTable replaces what is between the marks of a file.
func writeTable(path, table string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for the table", path)
	}
	return os.WriteFile(path, []byte(before+begin+table+end+after), 0o644)
}

// TestFaults_TableIsOfThisProgram: the table in OPERATIONS.md has a row for each
// fault, with what stands here of it, and says how it was measured. What this client
// needs is within the bounds that the page names.
func TestFaults_TableIsOfThisProgram(t *testing.T) {
	text, err := os.ReadFile("../../binary/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), begin)
	measured, _, ok := strings.Cut(rest, end)
	rows := strings.Split(strings.TrimSpace(measured), "\n")
	if want := strings.Split(table(nil), "\n")[0]; !ok || rows[0] != want || len(rows) != len(faults)+2 {
		t.Fatalf("the table has %d rows below %q, want %d below %q", len(rows)-2, rows[0], len(faults), want)
	}
	for i, f := range faults {
		cells := strings.Split(strings.Trim(rows[i+2], "| "), " | ")
		if len(cells) != 3+len(peers) || cells[0] != f.name || cells[1] != f.sees || cells[2] != f.heals {
			t.Errorf("row %d is %q, want the fault %q", i+1, rows[i+2], f.name)
			continue
		}
		back, _, _ := strings.Cut(cells[3], " / ")
		took, err := time.ParseDuration(strings.ReplaceAll(back, " ", ""))
		if err != nil || took > f.bound {
			t.Errorf("%s: this client is back after %s, the page promises %v", f.name, back, f.bound)
		}
	}
	for _, said := range []string{
		fmt.Sprintf("%s callers read once in a millisecond from one server, but where the row has 20, with a timeout of one second", map[int]string{8: "Eight"}[callers]),
		"the time until an operation succeeds / until the last one has failed / how many operations waited for the timeout",
	} {
		if timeout != time.Second || !strings.Contains(string(text), said) {
			t.Errorf("OPERATIONS.md does not say %q", said)
		}
	}
}
