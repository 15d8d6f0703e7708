package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/bmemcached/bmemcached-go/binary/sasl"
)

var errPasswordOnCommandLine = usagef("no password is taken from the command line, where every user of the machine and the shell's history see it: set MEMCACHED_PASSWORD, or give --password-file, or wait to be asked")

// errNoTerminal says that there is nobody to ask.
var errNoTerminal = errors.New("no terminal")

// maxPassword bounds what is read from a password file.
const maxPassword = 4 << 10

// credentials returns whom to authenticate as; without a user name nobody.
func (t *tool) credentials(ctx context.Context) (sasl.Credentials, error) {
	t.readUsername()
	if t.username == "" {
		if t.passwordFile != "" {
			return sasl.Credentials{}, usagef("--password-file needs --username or MEMCACHED_USERNAME")
		}
		return sasl.Credentials{}, nil
	}
	password, err := t.password()
	if err == nil && password == "" {
		password, err = t.sys.ask(ctx, fmt.Sprintf("password of %s: ", printable(t.username, "")))
		if errors.Is(err, errNoTerminal) {
			return sasl.Credentials{}, usagef("no password for %s: set MEMCACHED_PASSWORD or give --password-file", t.username)
		}
	}
	return sasl.Credentials{Username: t.username, Password: password}, err
}

// readUsername completes the user name from the environment.
func (t *tool) readUsername() {
	if t.username == "" {
		t.username = t.sys.getenv("MEMCACHED_USERNAME")
	}
}

// password returns what is set, or nothing.
func (t *tool) password() (string, error) {
	if t.passwordFile == "" {
		return t.sys.getenv("MEMCACHED_PASSWORD"), nil
	}
	f, err := os.Open(t.passwordFile)
	if err != nil {
		return "", localf("password file: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
		t.warn("every user of the machine can read " + t.passwordFile + ": chmod 600 it")
	}
	content, err := io.ReadAll(io.LimitReader(f, maxPassword+1))
	if err != nil {
		return "", localf("password file: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case len(content) > maxPassword:
		return "", localf("password file: %s has more than %d bytes", t.passwordFile, maxPassword)
	case password == "":
		return "", localf("password file: %s is empty", t.passwordFile)
	}
	return password, nil
}

// isTerminal reports whether stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// askTerminal asks at the terminal that the program runs on, even when standard
// input and output are elsewhere.
func askTerminal(ctx context.Context, prompt string) (string, error) {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		if !term.IsTerminal(int(os.Stdin.Fd())) { // where there is no /dev/tty
			return "", errNoTerminal
		}
		return askAt(ctx, os.Stdin, os.Stderr, prompt)
	}
	defer terminal.Close()
	return askAt(ctx, terminal, terminal, prompt)
}

// askAt asks for a password without showing what is typed. When ctx ends it
// gives the terminal back as it was; what waits for the input then ends with
// the program.
func askAt(ctx context.Context, terminal *os.File, out io.Writer, prompt string) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", errNoTerminal
	}
	fmt.Fprint(out, prompt)
	defer fmt.Fprintln(out)
	type answer struct {
		password []byte
		err      error
	}
	answered := make(chan answer, 1)
	go func() {
		password, err := term.ReadPassword(fd)
		answered <- answer{password, err}
	}()
	select {
	case a := <-answered:
		if a.err != nil {
			return "", localf("reading the password: %w", a.err)
		}
		if len(a.password) == 0 {
			return "", usagef("no password given")
		}
		return string(a.password), nil
	case <-ctx.Done():
		_ = term.Restore(fd, before)
		return "", ctx.Err()
	}
}
