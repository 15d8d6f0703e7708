package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// isTerminal reports whether stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := terminalMode(f)
	return err == nil
}

// askTerminal asks at the terminal that the program runs on, even when standard
// input and output are elsewhere.
func askTerminal(ctx context.Context, prompt string) (string, error) {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return askAt(ctx, os.Stdin, os.Stderr, prompt) // where there is no /dev/tty
	}
	defer terminal.Close()
	return askAt(ctx, terminal, terminal, prompt)
}

// askAt asks for a password without showing what is typed. When ctx ends it
// gives the terminal back as it was; what waits for the input then ends with
// the program.
func askAt(ctx context.Context, terminal *os.File, out io.Writer, prompt string) (string, error) {
	before, err := terminalMode(terminal)
	if err != nil {
		return "", errNoTerminal
	}
	if err := before.silent().apply(terminal); err != nil {
		return "", localf("hiding what is typed: %w", err)
	}
	defer fmt.Fprintln(out)
	defer before.apply(terminal)
	fmt.Fprint(out, prompt)
	return waitForLine(ctx, terminal)
}

// waitForLine returns the line that is typed, or ctx's error.
func waitForLine(ctx context.Context, terminal io.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		line, err := readLine(terminal)
		answered <- answer{line, err}
	}()
	select {
	case a := <-answered:
		switch {
		case a.err != nil:
			return "", localf("reading the password: %w", a.err)
		case a.line == "":
			return "", usagef("no password given")
		}
		return a.line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readLine reads up to the end of the line and nothing behind it, which belongs
// to whoever reads next.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) <= maxPassword; {
		n, err := r.Read(b)
		switch {
		case n > 0 && b[0] == '\n', errors.Is(err, io.EOF):
			return strings.TrimSuffix(string(line), "\r"), nil
		case n > 0:
			line = append(line, b[0])
		case err != nil:
			return "", err
		}
	}
	return "", fmt.Errorf("more than %d bytes", maxPassword)
}
