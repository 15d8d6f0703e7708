package main

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"runtime"
	"strconv"
)

// A processor that has nothing to do halts, and waking it costs more than a Get,
// most of all on a virtual machine. Processors of services that do other work
// besides halt less. So some rows are measured in both regimes: as they come, and
// while a process that computes nothing keeps each processor from halting. Those
// processes have the kernel's idle policy: they run only where nobody else wants
// to, and the kernel takes a processor that runs nothing else for a free one.

// spinEnv makes this program such a process.
const spinEnv = "BENCH_SPIN"

// awakeLoad names the load in the report.
const awakeLoad = "a process for each processor that only computes, with the policy SCHED_IDLE"

// errNoAwake is what rows with processors that are kept awake end with where
// that cannot be.
var errNoAwake = errors.New("bench: keeping processors awake needs Linux with taskset and chrt on PATH (Debian: apt-get install util-linux)")

// keepAwake starts one spinning process for each processor. stop ends them.
func keepAwake(ctx context.Context) (stop func() error, err error) {
	chrt, err := exec.LookPath("chrt")
	if _, missing := exec.LookPath("taskset"); err != nil || missing != nil {
		return nil, errNoAwake
	}
	program, err := thisProgram()
	if err != nil {
		return nil, err
	}
	var spinners []*child
	stop = func() error {
		var errs []error
		for _, s := range spinners {
			errs = append(errs, s.stop())
		}
		return errors.Join(errs...)
	}
	command := append([]string{chrt, "--idle", "0"}, program...)
	for i := range runtime.NumCPU() {
		s, err := startChild(ctx, cpus(strconv.Itoa(i)), command, spinEnv, i)
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		spinners = append(spinners, s)
	}
	return stop, nil
}

// serveSpin computes nothing until stdin ends.
func serveSpin(_ string, stdin io.Reader, _ io.Writer) error {
	done := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, stdin)
		done <- err
	}()
	for {
		for range 1 << 20 { // some hundred microseconds
		}
		select {
		case err := <-done:
			return err
		default:
		}
	}
}
