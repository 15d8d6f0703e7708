package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

func TestUsageErrors_SendNothing(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	for _, test := range []struct {
		args []string
		word string
	}{
		{[]string{}, "no command"},
		{[]string{"gte"}, "gte"},
		{[]string{"help", "gte"}, "gte"},
		{[]string{"get"}, "KEY"},
		{[]string{"set", "a", "b", "c"}, "VALUE"},
		{[]string{"get", "--nonsense", "a"}, "--nonsense"},
		{[]string{"--nonsense", "get", "a"}, "--nonsense"},
		{[]string{"set", "key", "-5"}, "write --"},
		{[]string{"set", "--ttl", "soon", "a", "b"}, "ttl"},
		{[]string{"set", "--ttl", "-5s", "a", "b"}, "ttl"},
		{[]string{"set", "--flags", "4294967296", "a", "b"}, "flags"},
		{[]string{"set", "--add", "--replace", "a", "b"}, "exclude"},
		{[]string{"set", "--add", "--cas", "1", "a", "b"}, "exclude"},
		{[]string{"set", "--cas", "0", "a", "b"}, "above 0"},
		{[]string{"set", "--file", "x", "a", "b"}, "not both"},
		{[]string{"append", "--file", "x", "a", "b"}, "not both"},
		{[]string{"delete", "--cas", "1", "a", "b"}, "one key"},
		{[]string{"touch", "a"}, "--ttl"},
		{[]string{"incr", "a", "-1"}, "-1"},
		{[]string{"incr", "a", "one"}, "one"},
		{[]string{"incr", "a", "--ttl", "5"}, "--initial"},
		{[]string{"get", "a b"}, "key"},
		{[]string{"get", strings.Repeat("a", 251)}, "key"},
		{[]string{"ping", "--timeout", "0s"}, "--timeout"},
		{[]string{"ping", "--mechanism", "rot13"}, "rot13"},
		{[]string{"ping", "--distribution", "dice"}, "dice"},
		{[]string{"place", "--distribution", "dice", "a"}, "dice"},
		{[]string{"ping", "--weight", "cache-1"}, "SERVER=N"},
		{[]string{"ping", "--weight", "cache-1=2"}, "cache-1"},
		{[]string{"ping", "--max-item-size", "2g"}, "1024m"},
		{[]string{"ping", "--key", "file"}, "--cert"},
		{[]string{"ping", "--servers", "host:port"}, "port"},
		{[]string{"ping", "--servers", " , "}, "MEMCACHED_SERVERS"},
		{[]string{"doctor", "--servers", "host:port"}, "port"},
		{[]string{"doctor", "--pings", "0"}, "--pings"},
	} {
		o := s.run(test.args...).want(exitUsage, "").wantError(exitUsage, test.word)
		if !strings.HasPrefix(o.stderr, "bmc: ") {
			t.Errorf("bmc %q wrote %q", test.args, o.stderr)
		}
	}
	if n := len(server.Requests()); n > 0 {
		t.Errorf("usage errors sent %d requests, want none", n)
	}
	(shell{t: t}).run("ping").wantError(exitUsage, "MEMCACHED_SERVERS")
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	s.env["MEMCACHED_PASSWORD"] = wrong
	for _, args := range [][]string{
		{"get", "a", "b"},
		{"set", "a", "b"},
		{"delete", "a"},
		{"incr", "a"},
		{"touch", "a", "--ttl", "1"},
		{"append", "a", "b"},
		{"ping"},
		{"versions"},
		{"stats"},
		{"flush", "--yes"},
		{"doctor"},
	} {
		s.run(args...).wantError(exitAuth, "refused the credentials")
	}
	s.run("get", "a").wantError(exitAuth, "hint: check the user name")
}

func TestAuthentication_WhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	(shell{t: t}).run("get", "a", "--servers", server.Addr()).wantError(exitAuth, "hint: set --username")
	free, _ := open(t, nil)
	s.run("get", "a", "--servers", free.Addr()).wantError(exitAuth, "hint: the server takes no credentials")
}

func TestDeadServer(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.Stop()
	for _, args := range [][]string{
		{"get", "a"},
		{"get", "a", "b"},
		{"set", "a", "b"},
		{"delete", "a"},
		{"incr", "a"},
		{"touch", "a", "--ttl", "1"},
		{"ping"},
		{"versions"},
		{"stats"},
		{"flush", "--yes"},
		{"doctor"},
	} {
		s.run(args...).wantError(exitUnavailable, server.Addr(), "refused")
	}
}

func TestSilentServer_IsGivenUp(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.Intercept(func(memcachedtest.Request) memcachedtest.Action { return memcachedtest.Action{Skip: true} })
	s.run("get", "a", "--timeout", "50ms").wantError(exitUnavailable, server.Addr())
}

func TestRefused(t *testing.T) {
	t.Parallel()
	server, s := secured(t, &memcachedtest.Options{DisableFlush: true})
	server.SetItem(&memcached.Item{Key: "text", Value: []byte("hello")})
	s.run("incr", "text").wantError(exitRefused, "number")
	s.run("flush", "--yes").wantError(exitRefused, "refuses to flush")
	server.Intercept(func(r memcachedtest.Request) memcachedtest.Action {
		if r.Key == "text" {
			return memcachedtest.Action{Status: memcached.StatusOutOfMemory}
		}
		return memcachedtest.Action{}
	})
	s.run("set", "text", "x").wantError(exitRefused, "memory")
	s.run("get", "text", "nothing").wantError(exitRefused, "nothing", "memory")
}

func TestHugeValue(t *testing.T) {
	t.Parallel()
	server, s := secured(t, &memcachedtest.Options{MaxItemSize: 8 << 20})
	server.SetItem(&memcached.Item{Key: "key", Value: []byte("old")})
	huge := strings.Repeat("x", 4<<20)
	with := func(args ...string) outcome {
		s.stdin = strings.NewReader(huge)
		return s.run(append([]string{"set", "key"}, args...)...)
	}
	with().wantError(exitRefused, "too large", "--max-item-size")
	s.run("get", "key").want(0, "old")
	with("--max-item-size", "5m").want(0, "stored key\n")
	if o := s.run("get", "key", "--max-item-size", "5m"); o.stdout != huge {
		t.Errorf("got %d bytes back, want the %d that were stored", len(o.stdout), len(huge))
	}
	huge = strings.Repeat("x", 9<<20)
	with("--max-item-size", "10m").wantError(exitRefused, "too large")
}

func TestEndlessInput_IsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	input := &endless{}
	s.stdin = input
	s.run("set", "key").wantError(exitRefused, "too large")
	if n := input.read.Load(); n > 4<<20 {
		t.Errorf("%d bytes were read", n)
	}
}

// endless is input that does not end.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read.Add(int64(len(p)))
	return len(p), nil
}

func TestLocalFiles(t *testing.T) {
	t.Parallel()
	c, s := encrypted(t, inYears(1))
	none := t.TempDir() + "/none"
	empty := write(t, nil, 0o600)
	for _, args := range [][]string{
		{"set", "key", "--file", none},
		{"append", "key", "--file", none},
		{"set", "key", "--file", t.TempDir()},
		{"ping", "--ca", none},
		{"ping", "--ca", empty},
		{"ping", "--cert", none},
		{"ping", "--ca", c.file, "--cert", c.file},
		{"ping", "--password-file", none},
		{"ping", "--password-file", empty},
		{"ping", "--password-file", t.TempDir()},
		{"ping", "--password-file", write(t, make([]byte, maxPassword+1), 0o600)},
	} {
		s.run(args...).wantError(exitLocal)
	}
	s.stdin = broken{}
	s.run("set", "key").wantError(exitLocal, "broken")
	s.env["MEMCACHED_TLS"] = none
	s.run("ping").wantError(exitUsage, "MEMCACHED_TLS")
}

// broken is a stream that fails.
type broken struct{}

var errBroken = errors.New("broken")

func (broken) Read([]byte) (int, error)  { return 0, errBroken }
func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestOutput_FailureIsNoSuccess(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	server.SetItem(&memcached.Item{Key: "key", Value: []byte("value")})
	for _, args := range [][]string{{"get", "key"}, {"--json", "get", "key"}, {"--help"}} {
		var stderr strings.Builder
		code := run(t.Context(), &system{
			getenv: func(name string) string { return s.env[name] },
			stdin:  broken{}, stdout: broken{}, stderr: &stderr,
			isTerminal: func(any) bool { return false },
		}, args)
		if code != exitLocal || !strings.Contains(stderr.String(), "broken") {
			t.Errorf("bmc %q = %d, %q, want %d", args, code, stderr.String(), exitLocal)
		}
	}
}

func TestInterrupted_WhileTheServerIsSilent(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	for _, args := range [][]string{{"get", "key"}, {"ping"}, {"doctor"}, {"--json", "get", "key"}} {
		ctx, cancel := context.WithCancel(t.Context())
		server.Intercept(func(memcachedtest.Request) memcachedtest.Action {
			cancel()
			return memcachedtest.Action{Skip: true}
		})
		o := s.runContext(ctx, append(args, "--timeout", "1m")...)
		if o.code != exitInterrupted || !strings.Contains(o.stderr+o.stdout, "interrupted") {
			t.Errorf("bmc %q = %d, %s%s, want %d", args, o.code, o.stdout, o.stderr, exitInterrupted)
		}
	}
}

func TestInterrupted_WhileWaitingForInput(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	t.Cleanup(func() { out.Close() })
	s.stdin = in
	go func() {
		out.Write([]byte("half of a val")) // returns when it was read
		cancel()
	}()
	s.runContext(ctx, "set", "key").wantError(exitInterrupted, "interrupted")
	if _, there := server.Item("key"); there {
		t.Error("half of a value was stored")
	}
}

func TestExitCode_OfSeveral(t *testing.T) {
	t.Parallel()
	miss := missing("key")
	auth := &memcached.OpError{Op: "get", Err: fmt.Errorf("%w: no", memcached.ErrAuth)}
	away := &memcached.OpError{Op: "get", Err: memcached.ErrUnavailable}
	late := &memcached.OpError{Op: "get", Err: context.DeadlineExceeded}
	large := &memcached.OpError{Op: "set", Err: memcached.ErrTooLarge}
	stopped := &memcached.OpError{Op: "get", Err: context.Canceled}
	byName := func(errs map[string]error) error { return &memcached.MultiError{Errors: errs} }
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{miss, exitMiss},
		{failures{miss, large}, exitRefused},
		{failures{large, away, miss}, exitUnavailable},
		{failures{away, byName(map[string]error{"a": auth})}, exitAuth},
		{failures{byName(map[string]error{"a": auth, "b": stopped})}, exitInterrupted},
		{byName(map[string]error{"a": late}), exitUnavailable},
		{localf("no file"), exitLocal},
		{usagef("no"), exitUsage},
		{errors.New("something else"), exitRefused},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("exitCode(%v) = %d, want %d", test.err, got, test.want)
		}
	}
	for _, code := range severity {
		if kinds[code] == "" {
			t.Errorf("code %d has no name", code)
		}
	}
}

func TestCancelled_BeforeItBegins(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	cancel()
	s.runContext(ctx, "get", "key").wantError(exitInterrupted, "interrupted")
}
