package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// step runs .ci/step, of which make test consists.
func step(t *testing.T, environment []string, args ...string) (output string, err error) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	cmd := exec.Command(bash, append([]string{"../../.ci/step"}, args...)...)
	cmd.Env = append(append(os.Environ(), "STEP_LOG="), environment...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func want(t *testing.T, output string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(output, text) {
			t.Errorf("output lacks %q:\n%s", text, output)
		}
	}
}

func TestStep_SaysWhatItRunsAndHowLong(t *testing.T) {
	log := filepath.Join(t.TempDir(), "steps")
	out, err := step(t, []string{"STEP_LOG=" + log}, "look", "integration", "cat", "go.mod")
	if err != nil {
		t.Fatalf("step = %v\n%s", err, out)
	}
	want(t, out, "==> look, module integration: cat go.mod", "bmemcached-go/integration\n", "<== look, module integration: ")
	if out, err = step(t, nil, "-summary", log); err != nil {
		t.Fatalf("step -summary = %v\n%s", err, out)
	}
	want(t, out, "look", "integration", "all", "\nsteps: 1 passed, 0 failed\n")
}

func TestStep_FailsWithItsCommandAndSaysHowToRepeatIt(t *testing.T) {
	log := filepath.Join(t.TempDir(), "steps")
	out, err := step(t, []string{"STEP_LOG=" + log}, "look", ".", "cat", "no such file")
	if err == nil {
		t.Error("step of a command that fails = nil, want an error")
	}
	want(t, out, "!!! look, module .: failed", "Again: (cd . && 'cat' 'no such file')")
	if logged, err := os.ReadFile(log); err == nil && len(logged) > 0 {
		t.Errorf("a failed step is in the log: %s", logged)
	}
}

// The command waits for a line that only the heartbeat can have written; the
// brackets keep the step's own first line from being it.
func TestStep_IsNotSilentWhileItRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "output")
	file, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.CommandContext(t.Context(), "bash", "../../.ci/step", "wait", ".", "bash", "-c", `for _ in {1..2000}; do grep -q "still r[u]nning" "$0" && exit; sleep 0.01; done; exit 1`, out)
	cmd.Env = append(os.Environ(), "STEP_LOG=", "STEP_EVERY=0.05")
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Run(); err != nil {
		t.Errorf("step = %v", err)
	}
}
