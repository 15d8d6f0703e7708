package demo_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration"
)

// A program is the demo, running as make demo runs it.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  screen // what it prints
	log  screen // what it logs
	base string // the site's address
	over chan struct{}
	err  error // how it ended; readable when over is closed
}

// A screen is what a program prints, readable while it does.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

var siteAddress = regexp.MustCompile(`http://[0-9.:]+`)

// run runs the demo until the test ends, and waits until it has said where.
// Without servers it has those inside its process.
func run(t *testing.T, env []string, servers ...*integration.Server) *program {
	t.Helper()
	p := launchProgram(t, env, servers, "-addr", "127.0.0.1:0")
	eventually(t, func() error {
		if p.base = siteAddress.FindString(p.out.String()); p.base == "" || !strings.Contains(p.out.String(), "memcached:") {
			return errors.New("the demo does not print its address: " + p.out.String() + p.log.String())
		}
		return nil
	})
	return p
}

// launchProgram starts the demo.
func launchProgram(t *testing.T, env []string, servers []*integration.Server, args ...string) *program {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for _, server := range servers {
		addrs = append(addrs, server.Addr())
	}
	p := &program{t: t, cmd: exec.Command(path, args...), over: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "MEMCACHED_SERVERS="+strings.Join(addrs, ","), "MEMCACHED_USERNAME="+username, "MEMCACHED_PASSWORD="+password)
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.over)
	}()
	t.Cleanup(p.end)
	return p
}

// end ends the program as a service manager does, unless it has ended.
func (p *program) end() {
	select {
	case <-p.over:
		return
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Error(err)
	}
	if <-p.over; p.err != nil {
		p.t.Errorf("the demo ended with %v, want nil:\n%s", p.err, p.log.String())
	}
}
