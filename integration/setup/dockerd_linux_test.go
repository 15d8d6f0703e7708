package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestIdentity_ChangesWithTheProcess(t *testing.T) {
	own := identity(os.Getpid())
	if own == "" || own != identity(os.Getpid()) {
		t.Errorf("identity(%d) = %q, want the same text twice", os.Getpid(), own)
	}
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if other := identity(pid); other == "" || other == own {
		t.Errorf("identity(%d) = %q beside %q, want its own", pid, other, own)
	}
	if err := stopProcess(pid); err != nil { // its zombie counts as ended
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("stopProcess left the process running")
	}
	if gone := identity(pid); gone != "" {
		t.Errorf("identity of an ended process = %q, want nothing", gone)
	}
}

func TestOurs_IgnoresAnotherProcessWithTheSameID(t *testing.T) {
	stateDir = t.TempDir()
	for _, test := range []struct {
		name, recorded string
		want           bool
	}{
		{"itself", identity(os.Getpid()), true},
		{"started at another time", strings.Fields(identity(os.Getpid()))[0] + " 1", false},
		{"no number", "x", false},
		{"empty", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(pidPath(), []byte(test.recorded), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, ok := ours(); ok != test.want {
				t.Errorf("ours() = %v with %q recorded, want %v", ok, test.recorded, test.want)
			}
		})
	}
}
