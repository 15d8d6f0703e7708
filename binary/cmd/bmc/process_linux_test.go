package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// asProgram is set where the test binary is to be the program itself.
const asProgram = "BMC_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the program as a process of its own, with the environment of s and
// with no terminal unless one is given.
func (s shell) program(terminal *os.File, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	s.t.Helper()
	cmd = exec.CommandContext(s.t.Context(), os.Args[0], args...)
	cmd.Env = []string{asProgram + "=1"}
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.stdin, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if terminal != nil {
		cmd.ExtraFiles = []*os.File{terminal}
		cmd.SysProcAttr.Setctty, cmd.SysProcAttr.Ctty = true, 3
	}
	return cmd, stdout, stderr
}

// codeOfProcess is the exit code of a process that has ended.
func codeOfProcess(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

func TestProgram_AsksAtItsTerminal(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	delete(s.env, "MEMCACHED_PASSWORD")
	s.stdin = strings.NewReader("value") // the password does not come from here
	person, program := terminal(t)
	cmd, stdout, stderr := s.program(program, "set", "key")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if prompt, err := bufio.NewReader(person).ReadString(':'); err != nil || prompt != "password of app:" {
		t.Errorf("asked %q, %v", prompt, err)
	}
	silenced(t, program)
	person.WriteString(password + "\n")
	if code := codeOfProcess(t, cmd.Wait()); code != 0 || stdout.String() != "stored key\n" || stderr.Len() > 0 {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	if item, _ := server.Item("key"); item == nil || string(item.Value) != "value" {
		t.Errorf("stored %+v", item)
	}
}

func TestProgram_InterruptedWhileItAsks(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	delete(s.env, "MEMCACHED_PASSWORD")
	person, program := terminal(t)
	cmd, _, stderr := s.program(program, "get", "key")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	silenced(t, program)
	person.WriteString("\x03") // Ctrl-C
	if code := codeOfProcess(t, cmd.Wait()); code != exitInterrupted || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit %d, %q, want %d", code, stderr, exitInterrupted)
	}
	if !echoes(t, program) {
		t.Error("the terminal does not show any more what is typed")
	}
}

func TestProgram_WithoutTerminalDoesNotWait(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	delete(s.env, "MEMCACHED_PASSWORD")
	cmd, _, stderr := s.program(nil, "get", "key")
	if code := codeOfProcess(t, cmd.Run()); code != exitUsage || !strings.Contains(stderr.String(), "MEMCACHED_PASSWORD") {
		t.Errorf("exit %d, %q, want %d", code, stderr, exitUsage)
	}
}

func TestProgram_SignalsWhileTheServerIsSilent(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		server, s := secured(t, nil)
		arrived := make(chan struct{}, 100)
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			arrived <- struct{}{}
			return memcachedtest.Action{Skip: true}
		})
		cmd, _, stderr := s.program(nil, "get", "key", "--timeout", "10m")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-arrived
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if code := codeOfProcess(t, cmd.Wait()); code != exitInterrupted || !strings.Contains(stderr.String(), "interrupted") {
			t.Errorf("%v: exit %d, %q, want %d", signal, code, stderr, exitInterrupted)
		}
	}
}

func TestProgram_OnATerminalEscapes(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	s.run("set", "key", "a\x1b[31mb").want(0, "stored key\n")
	person, program := terminal(t)
	cmd, _, _ := s.program(program, "get", "key")
	cmd.Stdout = program
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if shown, err := bufio.NewReader(person).ReadString('\n'); err != nil || strings.TrimSpace(shown) != `a\x1b[31mb` {
		t.Errorf("the terminal showed %q, %v", shown, err)
	}
}
