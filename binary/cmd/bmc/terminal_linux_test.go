package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// terminals keeps pseudo terminals open until the tests end: a read that askAt
// gave up holds the number of its descriptor, which no other file must get.
var terminals struct {
	mu   sync.Mutex // guards open
	open []*os.File
}

// terminal opens a pseudo terminal: the end of the person and that of the
// program.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var locked, n int32
	control(t, person, syscall.TIOCSPTLCK, &locked)
	control(t, person, syscall.TIOCGPTN, &n)
	program, err = os.OpenFile("/dev/pts/"+decimal(uint64(n)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	terminals.mu.Lock()
	defer terminals.mu.Unlock()
	terminals.open = append(terminals.open, person, program)
	return person, program
}

func control(t *testing.T, terminal *os.File, request uintptr, n *int32) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, terminal.Fd(), request, uintptr(unsafe.Pointer(n))); errno != 0 {
		t.Fatal(errno)
	}
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	m, err := terminalMode(terminal)
	if err != nil {
		t.Fatal(err)
	}
	return m.Lflag&syscall.ECHO != 0
}

// silenced returns when the terminal shows no more what is typed.
func silenced(t *testing.T, terminal *os.File) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); echoes(t, terminal); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the terminal still shows what is typed")
		}
	}
}

func TestAsk_DoesNotShowThePassword(t *testing.T) {
	t.Parallel()
	person, program := terminal(t)
	if !isTerminal(program) {
		t.Error("a terminal is not taken for one")
	}
	type answer struct {
		password string
		err      error
	}
	answered := make(chan answer, 1)
	go func() {
		got, err := askAt(t.Context(), program, program, "password of app: ")
		answered <- answer{got, err}
	}()
	seen := bufio.NewReader(person)
	if prompt, err := seen.ReadString(':'); err != nil || prompt != "password of app:" {
		t.Fatalf("asked %q, %v", prompt, err)
	}
	silenced(t, program)
	person.WriteString(password + "\n")
	if a := <-answered; a.password != password || a.err != nil {
		t.Fatalf("askAt() = %q, %v, want the password", a.password, a.err)
	}
	if !echoes(t, program) {
		t.Error("the terminal does not show any more what is typed")
	}
	program.WriteString("end\n")
	if shown, err := seen.ReadString('d'); err != nil || strings.Contains(shown, password) {
		t.Errorf("the terminal showed %q, %v", shown, err)
	}
}

func TestAsk_InterruptedGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	person, program := terminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() {
		_, err := askAt(ctx, program, program, "password: ")
		answered <- err
	}()
	silenced(t, program)
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("askAt() = %v, want %v", err, context.Canceled)
	}
	if !echoes(t, program) {
		t.Error("the terminal does not show any more what is typed")
	}
	person.WriteString("\n") // ends what still reads
}

func TestAsk_NothingTyped(t *testing.T) {
	t.Parallel()
	person, program := terminal(t)
	person.WriteString("\n")
	if _, err := askAt(t.Context(), program, program, "password: "); exitCode(err) != exitUsage {
		t.Errorf("askAt() = %v, want a usage error", err)
	}
}

func TestAsk_NoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isTerminal(file) || isTerminal(&strings.Builder{}) {
		t.Error("what is no terminal is taken for one")
	}
	if _, err := askAt(t.Context(), file, file, "password: "); !errors.Is(err, errNoTerminal) {
		t.Errorf("askAt() = %v, want %v", err, errNoTerminal)
	}
}
