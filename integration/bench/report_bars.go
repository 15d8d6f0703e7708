package main

import (
	"fmt"
	"strings"
)

// writeTargets writes a table of bars. head gets how many were met, and of how
// many.
func writeTargets(b *strings.Builder, r *results, rows []row, head string, targets []target) {
	var verdicts []verdict
	met := 0
	for _, t := range targets {
		if v, ok := t.judge(r); ok {
			verdicts = append(verdicts, v)
			if v.met {
				met++
			}
		}
	}
	if len(verdicts) == 0 {
		return
	}
	fmt.Fprintf(b, head, met, len(verdicts))
	b.WriteString("| work | against | bar | measured | spread | CPU/op | |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, v := range verdicts {
		cpu := "—"
		if v.Metric == metricRate && v.Against != "" {
			cpu = orDash(r.ratio(v.Row, v.who(), metricCPU, v.againstRow(), v.Against).median, ratioText)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", v.title(rows), v.baseline(), v.bar(),
			v.quantity(v.median), spreadText(v.spread, v.quantity), cpu, v.outcome())
	}
	b.WriteString("\n")
}

// writeRegimes puts the rows that were measured in both regimes beside each
// other.
func writeRegimes(b *strings.Builder, r *results) {
	head := false
	for _, callers := range regimeCallers {
		quiet := fmt.Sprintf("get%d", callers)
		awake := quiet + awakeSuffix
		if r.absolute(awake, ours, metricRate).rounds == 0 || r.absolute(quiet, ours, metricRate).rounds == 0 {
			continue
		}
		if !head {
			head = true
			b.WriteString("### As it comes, and with processors that are kept awake\n\n" +
				"A processor that has nothing to do halts, and waking it costs more than a Get. Services that do other work besides halt less. " +
				"So rows of Get were measured as it comes, and while processors were kept awake, by " + awakeLoad + ".\n\n" +
				"| Get 100 B, callers | × gomemcache | awake | CPU/op of it | awake | × rueidis | awake | × go-redis | awake |\n" + strings.Repeat("| --- ", 9) + "|\n")
		}
		fmt.Fprintf(b, "| %d ", callers)
		for _, c := range []struct{ metric, against string }{
			{metricRate, gomemcache}, {metricCPU, gomemcache}, {metricRate, rueidisClient}, {metricRate, goredisClient},
		} {
			for _, row := range []string{quiet, awake} {
				s := r.ratio(row, ours, c.metric, row, c.against)
				fmt.Fprintf(b, "| %s %s ", orDash(s.median, ratioText), spreadText(s, ratioText))
			}
		}
		b.WriteString("|\n")
	}
	if head {
		b.WriteString("\n")
	}
}
