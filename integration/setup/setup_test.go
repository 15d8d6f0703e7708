package main

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
)

func lockOrFail(t *testing.T, name string, how int) *lease {
	t.Helper()
	l, err := lock(name, how)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.unlock)
	return l
}

func TestLease_OnlyTheLastUserIsLast(t *testing.T) {
	stateDir = t.TempDir()
	first := lockOrFail(t, "users.lock", syscall.LOCK_SH)
	second := lockOrFail(t, "users.lock", syscall.LOCK_SH)
	if first.last() {
		t.Error("last() = true while another lease is held")
	}
	if !second.last() {
		t.Error("last() = false for the only lease")
	}
}

func TestExecute_ReturnsTheCommandsExitAndSetsItsEnvironment(t *testing.T) {
	err := execute(t.Context(), []string{"sh", "-c", "exit $CODE"}, []string{"CODE=7"})
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.ExitCode() != 7 {
		t.Errorf("execute(exit 7) = %v, want exit code 7", err)
	}
	if err := execute(t.Context(), []string{"true"}, nil); err != nil {
		t.Errorf("execute(true) = %v, want nil", err)
	}
}

func TestJoin_KeepsTheCommandsErrorBare(t *testing.T) {
	failed := errors.New("failed")
	if err := join(failed, nil); err != failed {
		t.Errorf("join(failed, nil) = %#v, want failed itself", err)
	}
	if err := join(nil, failed); !errors.Is(err, failed) {
		t.Errorf("join(nil, failed) = %v, want failed", err)
	}
}
