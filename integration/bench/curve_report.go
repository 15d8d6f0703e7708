package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// runCurve measures the curve and writes what came out.
func (o *options) runCurve(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	c, err := o.curve()
	if err != nil {
		return err
	}
	raw := filepath.Join(o.folder, "results", "curve.json")
	if o.list || o.render {
		return o.withoutMeasuring(c, raw, stdout)
	}
	programs, remove, err := c.buildVariants(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	rows := c.curveRows(programs)
	fmt.Fprintln(stderr, o.estimate(rows))
	r, err := o.measure(ctx, args, rows, stderr)
	if err != nil {
		return err
	}
	if err := r.save(raw); err != nil {
		return err
	}
	if o.write {
		return o.publishCurve(c, r)
	}
	return writeCurve(stdout, c, r, "")
}

// withoutMeasuring lists what would be measured, or writes the last run's
// report.
func (o *options) withoutMeasuring(c *curveOptions, raw string, stdout io.Writer) error {
	rows := c.curveRows(nil)
	if o.list {
		for _, r := range rows {
			fmt.Fprintf(stdout, "%-36s (%s)\n", r.Name, strings.Join(r.Peers, ", "))
		}
		fmt.Fprintln(stdout, o.estimate(rows))
		return nil
	}
	r, err := loadResults(raw)
	if err != nil {
		return err
	}
	return o.publishCurve(c, r)
}

// estimate says how long rows take.
func (o *options) estimate(rows []row) string {
	const starting = 150 * time.Millisecond // a process, its connections, and their end
	n := 0
	for _, r := range rows {
		n += len(r.Peers) * o.rounds
	}
	took := time.Duration(n) * (o.timing.warmup + o.timing.duration + starting)
	return fmt.Sprintf("%d measurements, about %v", n, took.Round(time.Minute))
}

// publishCurve writes CURVE.md and its picture.
func (o *options) publishCurve(c *curveOptions, r *results) error {
	const picture = "curve.svg"
	svg, err := drawCurve(c, r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.folder, picture), svg, 0o644); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(o.folder, "CURVE.md"))
	if err != nil {
		return err
	}
	return errors.Join(writeCurve(file, c, r, picture), file.Close())
}

// writeCurve writes the curve's report.
func writeCurve(w io.Writer, c *curveOptions, r *results, picture string) error {
	var b strings.Builder
	b.WriteString("# Curve\n\nWritten by `make curve`. Each contestant is a process of its own. \"ours\" with constants is this client built with other values of its thresholds. " +
		"Awake means: " + awakeLoad + ". A delay comes from a proxy on the same processors: half of it each way.\n\n")
	if picture != "" {
		fmt.Fprintf(&b, "![Throughput and p99 by callers](%s)\n\n", picture)
	}
	writeConditions(&b, r)
	for _, g := range c.groups() {
		who := c.contestants(g)
		baseline := who[len(who)-1]
		fmt.Fprintf(&b, "## %s\n\n", g.title())
		tables := []struct {
			title string
			text  func(row, peer string) string
		}{
			{"× " + baseline, func(row, peer string) string {
				return orDash(r.ratio(row, peer, metricRate, row, baseline).median, ratioText)
			}},
			{"CPU/op", func(row, peer string) string { return orDash(r.absolute(row, peer, metricCPU).median, microsText) }},
			{"p99", func(row, peer string) string { return orDash(r.absolute(row, peer, metricP99).median, microsText) }},
		}
		for _, t := range tables {
			fmt.Fprintf(&b, "| %s, callers | %s |\n%s|\n", t.title, strings.Join(named(who), " | "), strings.Repeat("| --- ", 1+len(who)))
			for _, callers := range c.callers {
				fmt.Fprintf(&b, "| %d ", callers)
				for _, peer := range who {
					fmt.Fprintf(&b, "| %s ", t.text(g.row(callers), peer))
				}
				b.WriteString("|\n")
			}
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// named says of variants whose they are.
func named(who []string) []string {
	names := make([]string, len(who))
	for i, name := range who {
		names[i] = name
		if strings.Contains(name, "=") {
			names[i] = ours + ", " + name
		}
	}
	return names
}
