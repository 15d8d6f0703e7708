package main

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"runtime"
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
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		fields := strings.Fields(string(load))
		m["load before the run"] = fields[0] + " (1 minute)"
	}
	return m
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
