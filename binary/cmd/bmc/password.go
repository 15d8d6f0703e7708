package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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
	return sasl.Credentials{Username: t.username, Password: sasl.NewSecret(password)}, err
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
