package faults_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	sasl string // the folder of its users; "": none has to authenticate
}

func startServer(t *testing.T, secured bool) *server {
	t.Helper()
	s := &server{t: t, addr: freeAddress(t)}
	if secured {
		s.sasl = usersFolder(t)
		s.setPassword(password)
	}
	s.start()
	return s
}

// usersFolder returns a folder for the users of a server, which another user runs.
func usersFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "faults") // not TempDir, which only its owner may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	config := "sasldb_path: " + filepath.Join(folder, "sasldb2") + "\n"
	if err := errors.Join(os.Chmod(folder, 0o755), os.WriteFile(filepath.Join(folder, "memcached.conf"), []byte(config), 0o644)); err != nil {
		t.Fatal(err)
	}
	return folder
}

// setPassword changes the user's.
func (s *server) setPassword(password string) {
	users := filepath.Join(s.sasl, "sasldb2")
	cmd := exec.Command("saslpasswd2", "-p", "-c", "-a", "memcached", "-f", users, user)
	cmd.Stdin = strings.NewReader(password)
	if output, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("saslpasswd2: %v\n%s", err, output)
	}
	if err := os.Chmod(users, 0o644); err != nil {
		s.t.Fatal(err)
	}
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
	if s.sasl != "" {
		args = append(args, "-S")
	}
	s.cmd = exec.Command("memcached", args...)
	s.cmd.Env = append(os.Environ(), "SASL_CONF_PATH="+s.sasl)
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
