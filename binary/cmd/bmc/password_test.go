package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestPassword_IsRefusedOnTheCommandLine(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	for _, args := range [][]string{
		{"--password", password, "get", "key"},
		{"--password=" + password, "get", "key"},
		{"get", "-password", password, "key"},
		{"get", "key", "--password=" + password},
		{"get", "--password=" + password, "--nonsense", "key"},
		{"get", "-p" + password, "key"},
		{"-p" + password, "get", "key"},
		{"--json", "get", "key", "--password", password},
		{"get", "key", "--servers", username + ":" + password + "@" + server.Addr()},
		{"doctor", "--servers", "tcp://" + username + ":" + password + "@" + server.Addr()},
	} {
		o := s.run(args...) // which checks that the password is not repeated
		if o.code != exitUsage || !strings.Contains(o.stdout+o.stderr, "password") {
			t.Errorf("bmc with a password on the command line = %d, %s%s", o.code, o.stdout, o.stderr)
		}
	}
	if n := len(server.Requests()); n > 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestPassword_FromFile(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	s.env["MEMCACHED_PASSWORD"] = wrong // the file goes first
	for _, end := range []string{"", "\n", "\r\n"} {
		o := s.run("ping", "--password-file", write(t, []byte(password+end), 0o600)).wantError(0)
		if o.stderr != "" {
			t.Errorf("a file that only its owner reads: %q", o.stderr)
		}
	}
	s.run("ping", "--password-file", write(t, []byte(password+"\n\n"), 0o600)).wantError(exitAuth, "control character")
	path := write(t, []byte(password), 0o644)
	s.run("ping", "--password-file", path).wantError(0, "warning", path, "chmod")
}

func TestPassword_FromPipe(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.WriteString(password + "\n")
	w.Close()
	path := filepath.Join("/dev/fd", decimal(uint64(r.Fd())))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("this system has no %s", path) // Windows
	}
	delete(s.env, "MEMCACHED_PASSWORD")
	s.run("ping", "--password-file", path).wantError(0)
}

func TestPassword_IsAskedForWhenNoneIsSet(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	delete(s.env, "MEMCACHED_PASSWORD")
	s.run("ping").wantError(exitUsage, "MEMCACHED_PASSWORD", "--password-file")
	asked := 0
	s.ask = func(_ context.Context, prompt string) (string, error) {
		if asked++; !strings.Contains(prompt, username) {
			t.Errorf("asked %q, want the user in it", prompt)
		}
		return password, nil
	}
	for _, args := range [][]string{{"ping"}, {"doctor"}, {"get", "--raw", "nothing"}} {
		asked = 0
		if o := s.run(args...); o.code > exitMiss || asked != 1 {
			t.Errorf("bmc %q = %d, asked %d times, want once; %s", args, o.code, asked, o.stderr)
		}
	}
	asked = 0
	s.run("place", "key").wantError(0)
	s.run("get", "nothing", "--username", "").wantError(exitMiss) // from the environment
	if asked != 1 {
		t.Errorf("asked %d times, want only for get", asked)
	}
}

func TestPassword_WithoutUsername(t *testing.T) {
	t.Parallel()
	_, s := open(t, nil)
	s.run("ping", "--password-file", write(t, []byte(password), 0o600)).wantError(exitUsage, "--username")
	s.env["MEMCACHED_PASSWORD"] = password
	s.run("ping").wantError(0) // a server that demands none is not sent one
}

func TestUsername_WithControlCharacters(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	o := s.run("ping", "--username", "a\x1b[31m").wantError(exitAuth, "control character")
	if strings.ContainsRune(o.stderr, '\x1b') {
		t.Errorf("standard error got an escape sequence: %q", o.stderr)
	}
}

func TestServerText_DoesNotReachTheTerminal(t *testing.T) {
	t.Parallel()
	server, s := open(t, nil)
	server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
		return memcachedtest.Action{Edit: func(answer []byte) []byte {
			return []byte(strings.ReplaceAll(string(answer), "1.6.18", "\x1b[31m8"[:6]))
		}}
	})
	for _, args := range [][]string{{"versions"}, {"stats"}, {"doctor"}, {"versions", "--json"}, {"doctor", "--json"}} {
		o := s.run(args...)
		if strings.ContainsAny(o.stdout+o.stderr, "\x1b\x07") || !strings.Contains(o.stdout, "[31m8") {
			t.Errorf("bmc %q printed %q, %q, want the escape sequence made visible", args, o.stdout, o.stderr)
		}
	}
}
