package main

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// describeMachine says what the run stood on, without names or addresses.
func describeMachine() map[string]string {
	m := map[string]string{
		"processor": fmt.Sprintf("%s, %d cores for everything", processorName(), runtime.NumCPU()),
		"system":    runtime.GOOS + "/" + runtime.GOARCH,
		"Go":        fmt.Sprintf("%s, GOMAXPROCS %d", runtime.Version(), runtime.GOMAXPROCS(0)),
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		version, _, _ := strings.Cut(strings.TrimSpace(string(kernel)), "-")
		m["system"] += ", kernel " + version
	}
	if control, err := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control"); err == nil {
		m["congestion control"] = strings.TrimSpace(string(control)) // BBR paces large values, over loopback too
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		fields := strings.Fields(string(load))
		m["load before the run"] = fields[0] + " (1 minute)"
	}
	if version := wrkVersion(); version != "" {
		m["load of HTTP"] = fmt.Sprintf("wrk %s, 2 threads, %d connections, whole seconds", version, webConns)
	}
	return m
}

// wrkVersion returns what wrk says of itself, "" if there is none.
func wrkVersion() string {
	out, _ := exec.Command("wrk", "-v").CombinedOutput() // it fails, but says it
	fields := strings.Fields(string(out))
	if len(fields) < 2 || fields[0] != "wrk" {
		return ""
	}
	return fields[1]
}

// processorTime is what the processors have done since the machine started.
type processorTime struct{ stolen, all float64 }

// readProcessorTime returns zeros where the system does not tell.
func readProcessorTime() (p processorTime) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return p
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line)[1:] { // user nice system idle iowait irq softirq steal
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil || i > 7 {
			break
		}
		p.all += ticks
		if i == 7 {
			p.stolen = ticks
		}
	}
	return p
}

// stolenSince says what share of the processors other machines took from this
// one, where it is one of several on the same hardware.
func (p processorTime) stolenSince(before processorTime) string {
	if p.all <= before.all {
		return "unknown"
	}
	return fmt.Sprintf("%.1f %%", 100*(p.stolen-before.stolen)/(p.all-before.all))
}

// processorName returns the processor's model where the system tells it.
func processorName() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.SplitSeq(string(info), "\n") {
		name, value, found := strings.Cut(line, ":")
		if found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func mapKeys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
