package main

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strconv"
)

// cpus is the list of processors that a process is to run on, as taskset
// writes it.
type cpus string

const (
	anywhere cpus = ""
	firstCPU cpus = "0"
)

// otherCPUs are all but the first.
func otherCPUs() cpus { return cpus("1-" + strconv.Itoa(runtime.NumCPU()-1)) }

// errNoCPU is what rows with a processor for the application end with where
// there is none to give.
var errNoCPU = errors.New("bench: rows with a processor of its own need two processors, taskset and a memcached on PATH")

// canPin tells whether processes can be kept to processors.
func canPin() bool {
	_, err := exec.LookPath("taskset")
	return err == nil && runtime.NumCPU() > 1
}

func (c cpus) command(args ...string) *exec.Cmd {
	return c.commandContext(context.Background(), args...)
}

// commandContext returns the command, kept to the processors.
func (c cpus) commandContext(ctx context.Context, args ...string) *exec.Cmd {
	if c != anywhere {
		args = append([]string{"taskset", "-c", string(c)}, args...)
	}
	return exec.CommandContext(ctx, args[0], args[1:]...)
}
