// Package site builds and runs the demonstration site of examples/demo, as make
// demo runs it, for tests that look at it from the outside.
package site

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/integration"
)

// Build builds the demo into folder, and returns the path of the program. The
// working directory is that of the tests of a package right below integration.
func Build(folder string) (string, error) {
	path := filepath.Join(folder, "demo")
	cmd := exec.Command("go", "build", "-o", path, "./demo")
	cmd.Dir = filepath.Join("..", "..", "examples")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the demo: %w\n%s", err, output)
	}
	return path, nil
}

// Options says how to run the demo. The zero value is one with servers inside
// its process, on a free port.
type Options struct {
	Servers            []*integration.Server
	Username, Password string   // of Servers
	Env                []string // further variables, "NAME=value"; they win
	Args               []string // nil: -addr 127.0.0.1:0
}

// A Program is the demo, running. The test that started it owns it: it ends
// with the test.
type Program struct {
	Base string    // the site's address, without a slash at the end; empty after Start
	Cmd  *exec.Cmd // to send signals, and to see how it ended
	Out  Text      // what it prints
	Log  Text      // what it logs

	tb   testing.TB
	over chan struct{}
	err  error // how it ended; readable when over is closed
}

var address = regexp.MustCompile(`http://[0-9.:]+`)

// Run runs the program that Build made, and waits until it has said where it
// is, for 30 seconds at most.
func Run(tb testing.TB, path string, opts *Options) *Program {
	tb.Helper()
	p := Start(tb, path, opts)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out := p.Out.String()
		if p.Base = address.FindString(out); p.Base != "" && strings.Contains(out, "memcached:") {
			return p
		}
		if time.Now().After(deadline) {
			tb.Fatalf("the demo does not print its address: %s%s", out, p.Log.String())
		}
	}
}

// Start starts the program that Build made.
func Start(tb testing.TB, path string, opts *Options) *Program {
	tb.Helper()
	args := opts.Args
	if args == nil {
		args = []string{"-addr", "127.0.0.1:0"}
	}
	var addrs []string
	for _, server := range opts.Servers {
		addrs = append(addrs, server.Addr())
	}
	p := &Program{tb: tb, Cmd: exec.Command(path, args...), over: make(chan struct{})}
	p.Cmd.Env = append(os.Environ(), "MEMCACHED_SERVERS="+strings.Join(addrs, ","), "MEMCACHED_USERNAME="+opts.Username, "MEMCACHED_PASSWORD="+opts.Password)
	p.Cmd.Env = append(p.Cmd.Env, opts.Env...)
	p.Cmd.Stdout, p.Cmd.Stderr = &p.Out, &p.Log
	if err := p.Cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() { // until the program ends; end waits for it
		p.err = p.Cmd.Wait()
		close(p.over)
	}()
	tb.Cleanup(p.end)
	return p
}

// Over returns a channel that is closed when the program has ended.
func (p *Program) Over() <-chan struct{} { return p.over }

// Err returns how the program ended, as exec.Cmd.Wait does. It waits for the
// end.
func (p *Program) Err() error {
	<-p.over
	return p.err
}

// end ends the program as a service manager does, unless it has ended.
func (p *Program) end() {
	select {
	case <-p.over:
		return
	default:
	}
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.tb.Error(err)
	}
	if err := p.Err(); err != nil {
		p.tb.Errorf("the demo ended with %v, want nil:\n%s", err, p.Log.String())
	}
}

// A Text is what a program writes, readable while it does.
type Text struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

// Write appends to the text.
func (t *Text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(b)
}

// String returns the text so far.
func (t *Text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
