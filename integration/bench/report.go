package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// column is one metric in the tables of the report.
type column struct {
	metric string
	head   string
	text   func(v float64) string
}

// columns lists what tables show, where a row has it.
var columns = []column{
	{metricRate, "rate", rateText},
	{metricP50, "p50", microsText},
	{metricP99, "p99", microsText},
	{metricCPU, "CPU/op", microsText},
	{metricAllocs, "allocs/op", func(v float64) string { return fmt.Sprintf("%.1f", v) }},
	{metricBytes, "B/op", func(v float64) string { return fmt.Sprintf("%.0f", v) }},
	{metricHeap, "heap/caller", bytesText},
	{metricStack, "stack/caller", bytesText},
	{metricGrowth, "growth", bytesText},
	{metricResult, "result", bytesText},
	{metricPeak, "peak", bytesText},
	{metricBeyond, "peak beyond result", bytesText},
	{metricTook, "took", func(v float64) string { return fmt.Sprintf("%.0f ms", v) }},
	{metricBuild, "build", func(v float64) string { return fmt.Sprintf("%.2f ms", v) }},
	{metricSeal, "sealing", func(v float64) string { return fmt.Sprintf("%.2f µs", v) }},
	{metricOpen, "opening", func(v float64) string { return fmt.Sprintf("%.2f µs", v) }},
}

// writeReport writes RESULTS.md. notes is the path of the hand-written part and
// plots are the pictures beside the report.
func writeReport(w io.Writer, r *results, rows []row, notes string, plots []string) error {
	var b strings.Builder
	b.WriteString("# Results\n\n")
	b.WriteString("Written by `make bench`. Explanations are kept in [notes.md](notes.md) and repeated below.\n\n")
	if table := figures(r); table != "" {
		b.WriteString("## In short\n\n" + table + "\n")
	}
	const said = "%d of %d met. Ratios are medians over the rounds of one run, each taken within its round; in brackets the least and the most. CPU/op is the ratio of processor time for the same work.\n\n"
	writeTargets(&b, r, rows, "## Bars\n\n"+said, targets)
	writeTargets(&b, r, rows, "## The whole curve\n\n%d of %d reached: what the client is to be beyond the bars, from one caller to 2,048, whether processors halt when they have nothing to do or not, and over a network.\n\n", goals)
	writeRegimes(&b, r)
	for _, plot := range plots {
		fmt.Fprintf(&b, "![Throughput and p99 by number of callers](%s)\n\n", plot)
	}
	if err := copyNotes(&b, notes); err != nil {
		return err
	}
	writeConditions(&b, r)
	writeMethod(&b)
	for _, group := range []string{groupClient, groupScale, groupMemory, groupStore, groupHTTP} {
		writeGroup(&b, r, rows, group)
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// copyNotes puts the hand-written notes in, without their title.
func copyNotes(b *strings.Builder, path string) error {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, body, found := strings.Cut(string(text), "\n")
	if !found || !strings.HasPrefix(string(text), "# ") {
		body = string(text)
	}
	if body = strings.TrimSpace(body); body != "" {
		fmt.Fprintf(b, "## Notes\n\n%s\n\n", body)
	}
	return nil
}

// writeConditions says what was measured on what.
func writeConditions(b *strings.Builder, r *results) {
	b.WriteString("## Conditions\n\n")
	for _, name := range slices.Sorted(mapKeys(r.Machine)) {
		fmt.Fprintf(b, "- %s: %s\n", name, r.Machine[name])
	}
	fmt.Fprintf(b, "- memcached: %s, on the same cores, over loopback\n", r.Server)
	fmt.Fprintf(b, "- run: `%s` on %s; %d rounds, %v for each measurement after a warm-up\n",
		r.Command, r.Started.UTC().Format("2006-01-02"), r.Rounds, r.Duration)
	var versions []string
	for _, name := range slices.Sorted(mapKeys(r.Versions)) {
		versions = append(versions, name+" "+r.Versions[name])
	}
	fmt.Fprintf(b, "- versions: %s\n\n", strings.Join(versions, ", "))
}

// writeMethod says how.
func writeMethod(b *strings.Builder) {
	b.WriteString("Within a round every row is measured for each contestant in turn, in an order that rotates from round to round. " +
		"A measurement of load is made in slices, between which the contestants alternate; those of pages and sessions have two of a whole second each, and no warm-up. " +
		"Elsewhere the warm-up lasts until every caller has had an answer. " +
		"CPU is the user and system time of the client process; the server is a process of its own. " +
		"Latencies come from every eighth call (every call of batches). " +
		"Each delivered value is checked against its key; of pages the first and the last one, and the mean size of all.\n\n")
}

// writeGroup writes the tables of one section.
func writeGroup(b *strings.Builder, r *results, rows []row, group string) {
	title := false
	for _, row := range rows {
		if row.Group != group || !r.has(row) {
			continue
		}
		if !title {
			fmt.Fprintf(b, "## %s\n\n", group)
			title = true
		}
		fmt.Fprintf(b, "### %s\n\n`-rows %s`\n\n", row.Title, row.Name)
		writeTable(b, r, row)
		b.WriteString("\n")
	}
}

// has tells whether r holds anything of row.
func (r *results) has(row row) bool {
	return slices.ContainsFunc(r.Samples, func(s sample) bool { return s.Row == row.Name })
}

// writeTable writes one row of work as a table of its contestants.
func writeTable(b *strings.Builder, r *results, row row) {
	shown := slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return !slices.ContainsFunc(row.Peers, func(p string) bool {
			return r.absolute(row.Name, p, c.metric).rounds > 0
		})
	})
	b.WriteString("| ")
	cells := 1 + len(shown)
	relative := row.Baseline != "" && row.Unit != ""
	for _, c := range shown {
		head := c.head
		if c.metric == metricRate {
			head = row.Unit
		}
		b.WriteString("| " + head + " ")
		if c.metric == metricRate && relative {
			fmt.Fprintf(b, "| × %s | spread ", row.Baseline)
			cells += 2
		}
	}
	b.WriteString("|\n" + strings.Repeat("| --- ", cells) + "|\n")
	for _, peer := range row.Peers {
		if e := r.errorOf(row.Name, peer); e != "" {
			fmt.Fprintf(b, "| %s | failed: %s %s|\n", peer, e, strings.Repeat("| ", max(0, cells-2)))
			continue
		}
		if !slices.ContainsFunc(shown, func(c column) bool { return r.absolute(row.Name, peer, c.metric).rounds > 0 }) {
			continue
		}
		fmt.Fprintf(b, "| %s ", peer)
		for _, c := range shown {
			fmt.Fprintf(b, "| %s ", orDash(r.absolute(row.Name, peer, c.metric).median, c.text))
			if c.metric == metricRate && relative {
				s := r.ratio(row.Name, peer, metricRate, row.Name, row.Baseline)
				fmt.Fprintf(b, "| %s | %s ", orDash(s.median, ratioText), spreadText(s, ratioText))
			}
		}
		b.WriteString("|\n")
	}
}

func orDash(v float64, text func(float64) string) string {
	if math.IsNaN(v) {
		return "—"
	}
	return text(v)
}

func spreadText(s spread, text func(float64) string) string {
	if s.rounds < 2 {
		return "—"
	}
	return "[" + text(s.low) + " – " + text(s.high) + "]"
}

func ratioText(v float64) string { return fmt.Sprintf("%.2f", v) }

// rateText writes 1234567 as 1,234,567.
func rateText(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func microsText(v float64) string {
	switch {
	case v == 0:
		return "—"
	case v >= 1000:
		return fmt.Sprintf("%.2f ms", v/1000)
	}
	return fmt.Sprintf("%.2f µs", v)
}

func bytesText(v float64) string {
	switch {
	case math.Abs(v) >= 10<<20:
		return fmt.Sprintf("%.1f MiB", v/(1<<20))
	case math.Abs(v) >= 10<<10:
		return fmt.Sprintf("%.1f KiB", v/(1<<10))
	}
	return fmt.Sprintf("%.0f B", v)
}
