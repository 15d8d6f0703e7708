package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	dockerHost = "unix:///var/run/docker.sock"

	startLimit = time.Minute
	stopLimit  = 30 * time.Second
)

// attempts are the ways to run dockerd, from the plainest to those for machines
// whose kernel or rights lack what the plain one needs.
var attempts = [][]string{
	nil,
	{"--storage-driver=vfs"},
	{"--iptables=false", "--ip6tables=false"},
	{"--iptables=false", "--ip6tables=false", "--storage-driver=vfs"},
}

// startDocker starts dockerd in the background and returns when it answers. It
// outlives this process: stopDocker, of this or a later setup, ends it.
func startDocker(ctx context.Context) error {
	var errs []error
	for _, flags := range attempts {
		say("starting %s", strings.Join(append([]string{"dockerd"}, flags...), " "))
		err := tryDocker(ctx, flags)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return fmt.Errorf("dockerd does not start here: %w", errors.Join(errs...))
}

func tryDocker(ctx context.Context, flags []string) error {
	log, err := os.Create(logPath())
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("dockerd", flags...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // not ended by the terminal's ^C
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }() // ends with dockerd, at the latest with this process
	if err := os.WriteFile(pidPath(), []byte(identity(cmd.Process.Pid)), 0o644); err != nil {
		return errors.Join(err, stopProcess(cmd.Process.Pid))
	}
	if err := awaitDocker(ctx, exited); err != nil {
		return errors.Join(fmt.Errorf("dockerd %v: %w\n%s", flags, err, tail(logPath())), stopDocker())
	}
	return nil
}

// awaitDocker returns when dockerd answers, or with the reason why it will not.
func awaitDocker(ctx context.Context, exited <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		c, err := connect(ctx)
		if err == nil {
			return c.Close()
		}
		select {
		case <-exited:
			return errors.New("exited")
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stopDocker ends the dockerd that a setup started, if it still runs.
func stopDocker() error {
	pid, ok := ours()
	if ok {
		if err := stopProcess(pid); err != nil {
			return err
		}
	}
	return errors.Join(removeIfThere(pidPath()), removeIfThere(logPath()))
}

// ours returns the process ID of the dockerd that a setup started, if that very
// process still runs.
func ours() (pid int, ok bool) {
	recorded, err := os.ReadFile(pidPath())
	if err != nil {
		return 0, false
	}
	if _, err := fmt.Sscanf(string(recorded), "%d", &pid); err != nil {
		return 0, false
	}
	return pid, identity(pid) == string(recorded)
}

// identity names a process beyond its ID, which is given to another one after
// its end: with the time of its start. It is empty for a process that has ended.
func identity(pid int) string {
	stat, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "stat"))
	if err != nil {
		return ""
	}
	// The name in parentheses may hold anything; the fields count from behind it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fmt.Sprintf("%d %s", pid, fields[19]) // starttime, proc(5)
}

// stopProcess ends a process with SIGTERM, or SIGKILL when that does not help,
// and returns when it has ended.
func stopProcess(pid int) error {
	was := identity(pid)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(pid, signal); err != nil && err != syscall.ESRCH {
			return err
		}
		for deadline := time.Now().Add(stopLimit); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			if now := identity(pid); now == "" || now != was {
				return nil
			}
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

// tail returns the last lines of a file, for an error message.
func tail(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}
