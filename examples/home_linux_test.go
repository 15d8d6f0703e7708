package examples

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// homeCommands are what the README types to have a server with SASL.
var homeCommands = regexp.MustCompile("(?s)\n## A server with SASL at home\n.*?```sh\n(.*?)```")

// TestReadme_ServerAtHome runs the commands of the README as a user who is not
// root, and the program of the README with the server that they start.
func TestReadme_ServerAtHome(t *testing.T) {
	t.Parallel()
	if os.Getenv("MEMCACHED_INTEGRATION") == "off" {
		t.Skip("MEMCACHED_INTEGRATION=off")
	}
	commands := homeCommands.FindStringSubmatch(read(t, "README.md"))
	if commands == nil {
		t.Fatal("the README has no commands for a server with SASL")
	}
	for _, program := range []string{"/usr/bin/memcached", "/usr/sbin/saslpasswd2"} {
		if _, err := os.Stat(program); err != nil {
			t.Fatalf("%v: make setup installs it on Debian; MEMCACHED_INTEGRATION=off leaves real servers out", err)
		}
	}
	addr := freeAddress(t)
	host, port, _ := net.SplitHostPort(addr)
	listens := strings.NewReplacer("-p 11311", "-p "+port, "-l 127.0.0.1", "-l "+host)
	startAtHome(t, listens.Replace(commands[1]), addr)

	program := build(t, programOfClient(t), homeServer, addr)
	if out, errs, err := run(t, program, "MEMCACHED_PASSWORD=secret"); err != nil || out != "Ada\n" || errs != "" {
		t.Errorf("the program printed %q and %q, %v, want Ada", out, errs, err)
	}
	if _, errs, err := run(t, program, "MEMCACHED_PASSWORD=wrong"); err == nil || !strings.Contains(errs, "refused the credentials") {
		t.Errorf("with a wrong password the program said %q, %v", errs, err)
	}
	if _, errs, err := run(t, program, "MEMCACHED_PASSWORD="); err == nil {
		t.Errorf("without a password the program said %q, and did not fail", errs)
	}
}

// freeAddress returns one that nothing listens on, below the range that systems
// give to outgoing connections.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(23000+rand.IntN(1000))); err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port between 23000 and 23999")
	return ""
}

// startAtHome runs commands in an empty folder with the environment of a user, of
// which the last one serves at addr until the test ends.
func startAtHome(t *testing.T, commands, addr string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "home") // not TempDir, which only its owner may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	cmd := exec.Command("/bin/sh", "-ec", commands)
	cmd.Dir, cmd.Env = folder, []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/games"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ended with the shell
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = nobody(t, folder)
	}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	})
	limit := time.After(30 * time.Second)
	for {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("the commands of the README ended:\n%s", log.String())
		case <-limit:
			t.Fatal("the server of the README does not listen")
		case <-time.After(10 * time.Millisecond): // between attempts
		}
	}
}

// nobody returns that user and gives it the folder.
func nobody(t *testing.T, folder string) *syscall.Credential {
	t.Helper()
	account, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	if err := os.Chown(folder, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
