package faults_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

var silent = slog.New(slog.DiscardHandler)

// server is a memcached on this machine, a process of its own.
type server struct {
	t    *testing.T
	addr string
	cmd  *exec.Cmd
}

func startServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, addr: freeAddress(t)}
	s.start()
	return s
}

// freeAddress returns one that nothing listens on, below the range that systems
// give to outgoing connections: those could take the port of a dead server.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 24000+rand.IntN(6000)))
		if err == nil {
			defer listener.Close()
			return listener.Addr().String()
		}
	}
	t.Fatal("no free port between 24000 and 29999")
	return ""
}

// start runs memcached, and returns when it listens.
func (s *server) start() {
	_, port, _ := net.SplitHostPort(s.addr)
	args := []string{"-l", "127.0.0.1", "-p", port, "-U", "0"}
	if os.Getuid() == 0 {
		args = append(args, "-u", "nobody")
	}
	s.cmd = exec.Command("memcached", args...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("memcached of this machine: %v", err)
	}
	for range 5000 {
		if conn, err := net.Dial("tcp", s.addr); err == nil {
			conn.Close()
			return
		}
		time.Sleep(time.Millisecond) // between attempts
	}
	s.t.Fatal("memcached does not listen")
}

func (s *server) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

func (s *server) freeze() { s.cmd.Process.Signal(syscall.SIGSTOP) }
func (s *server) thaw()   { s.cmd.Process.Signal(syscall.SIGCONT) }
