package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/faultproxy"
)

// bmc is the command-line tool with an environment.
type bmc struct {
	t    *testing.T
	path string
	env  []string
}

// newBMC builds the tool for the servers, with the credentials of users.
func newBMC(t *testing.T, servers ...*integration.Server) *bmc {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bmc")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./binary/cmd/bmc")
	build.Dir = ".."
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building bmc: %v\n%s", err, output)
	}
	var addrs []string
	for _, server := range servers {
		addrs = append(addrs, server.Addr())
	}
	b := &bmc{t: t, path: path}
	b.set("MEMCACHED_SERVERS", strings.Join(addrs, ","))
	b.set("MEMCACHED_USERNAME", username)
	b.set("MEMCACHED_PASSWORD", password)
	return b
}

// set sets a variable of the environment.
func (b *bmc) set(name, value string) { b.env = append(b.env, name+"="+value) }

// run runs the tool and checks its exit code, and that it keeps the password.
func (b *bmc) run(code int, stdin string, args ...string) (stdout, stderr string) {
	b.t.Helper()
	cmd, out, errs := b.command(b.t.Context(), stdin, args...)
	b.wantCode(code, cmd.Run(), out, errs, args)
	return out.String(), errs.String()
}

func (b *bmc) command(ctx context.Context, stdin string, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	cmd = exec.CommandContext(ctx, b.path, append([]string{"--timeout", "20s"}, args...)...)
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = b.env, strings.NewReader(stdin), stdout, stderr
	return cmd, stdout, stderr
}

func (b *bmc) wantCode(code int, err error, stdout, stderr *bytes.Buffer, args []string) {
	b.t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	got := 0
	if exit != nil {
		got = exit.ExitCode()
	}
	if got != code {
		b.t.Errorf("bmc %q = %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	if strings.Contains(stdout.String()+stderr.String(), password) {
		b.t.Errorf("bmc %q printed the password\n%s%s", args, stdout, stderr)
	}
}

// want runs the tool and checks its exit code and its output.
func (b *bmc) want(code int, output string, args ...string) {
	b.t.Helper()
	if stdout, stderr := b.run(code, "", args...); stdout != output {
		b.t.Errorf("bmc %q printed %q, want %q; standard error: %s", args, stdout, output, stderr)
	}
}

// useBMC runs every command that reads and writes.
func useBMC(b *bmc) {
	b.t.Helper()
	b.want(0, "stored key\n", "set", "key", "value", "--ttl", "1h", "--flags", "7")
	b.want(0, "value", "get", "key")
	b.want(1, "", "set", "--add", "key", "other")
	b.want(0, "stored key\n", "append", "key", "!")
	b.want(0, "touched key\n", "touch", "key", "--ttl", "7d")
	b.want(0, "5\n", "incr", "n", "--initial", "5")
	b.want(0, "3\n", "decr", "n", "2")
	b.want(5, "", "incr", "key")

	const bytes = "\x00\xff\x1b[31m"
	b.run(0, bytes, "set", "bytes")
	b.want(0, bytes, "get", "bytes")
	large := strings.Repeat("x", 1_000_000)
	b.run(0, large, "set", "large")
	b.want(0, large, "get", "large")
	_, stderr := b.run(5, large+large, "set", "large")
	if !strings.Contains(stderr, "--max-item-size") {
		b.t.Errorf("a huge value: %s", stderr)
	}
	b.want(0, large, "get", "large")

	stdout, _ := b.run(1, "", "--json", "get", "key", "nothing")
	var found struct {
		Result struct {
			Items []struct {
				Value string
				Flags int
			}
			Missing []string
		}
	}
	if err := json.Unmarshal([]byte(stdout), &found); err != nil || len(found.Result.Items) != 1 ||
		found.Result.Items[0].Value != "value!" || found.Result.Items[0].Flags != 7 || len(found.Result.Missing) != 1 {
		b.t.Errorf("bmc --json get printed %s, %v", stdout, err)
	}
	b.want(0, "deleted key\n", "delete", "key")
	b.want(1, "", "delete", "key")
	b.run(2, "", "flush")
	b.run(0, "", "flush", "--yes")
	b.want(1, "", "get", "bytes")
}

// wantReport runs doctor and checks that its report has the lines, which are
// compared without their spaces.
func (b *bmc) wantReport(code int, lines []string, args ...string) {
	b.t.Helper()
	stdout, _ := b.run(code, "", append([]string{"doctor"}, args...)...)
	report := strings.Join(strings.Fields(stdout), " ")
	for _, line := range lines {
		if !strings.Contains(report, line) {
			b.t.Errorf("bmc doctor printed\n%s\nwant %q in it", stdout, line)
		}
	}
}

func TestBMC_OnServersWithSASL(t *testing.T) {
	t.Parallel()
	servers := []*integration.Server{
		integration.Start(t, &integration.Options{Users: users}),
		integration.Start(t, &integration.Options{Users: users, Args: []string{"-C", "-F", "-I", "2m", "-t", "2", "-c", "100"}}),
	}
	b := newBMC(t, servers[0])
	useBMC(b)
	for _, mechanism := range []string{"auto", "plain", "cram-md5", "scram-sha-1", "scram-sha-256"} {
		b.run(0, "", "ping", "--mechanism", mechanism)
	}
	b.wantReport(0, []string{
		"OK mechanisms ", "SCRAM-SHA-256", "OK authentication as " + username + " with SCRAM-SHA-256",
		"WARN version memcached 1.", "WARN uptime", "OK item size", "OK cas on", "OK out of memory never", "OK rejected no connection",
		"OK threads 4 threads", "OK clock agrees", "of 50 round trips", "OK flush allowed", "OK udp off",
	})

	b.set("MEMCACHED_SERVERS", servers[0].Addr()+","+servers[1].Addr())
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		b.want(0, "stored "+key+"\n", "set", key, key)
		holder, _ := b.run(0, "", "place", key, "--distribution", "ketama")
		b.want(0, key, "get", key, "--servers", strings.TrimSpace(strings.TrimPrefix(holder, key)))
	}
	b.wantReport(0, []string{
		"WARN cas off", "OK flush forbidden", "WARN item size the server takes 2 MiB", "OK threads 2 threads", " of 100 OK rejected",
	})
	_, stderr := b.run(5, "", "flush", "--yes")
	if !strings.Contains(stderr, servers[1].Addr()) || strings.Contains(stderr, servers[0].Addr()) {
		t.Errorf("flushing servers of which one was started with -F: %s", stderr)
	}
	servers[0].Kill()
	b.wantReport(4, []string{"FAIL connection", "OK authentication as " + username})
	b.run(4, "", "--servers", servers[0].Addr(), "get", "a")
}

func TestBMC_Passwords(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users})
	b := newBMC(t, server)
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.run(2, "", "get", "key", "--password", password)
	b.set("MEMCACHED_PASSWORD", "")
	b.want(1, "", "get", "key", "--password-file", file)
	b.run(2, "", "get", "key") // there is no terminal to ask at
	b.set("MEMCACHED_PASSWORD", "wrong")
	for _, mechanism := range []string{"plain", "cram-md5", "scram-sha-1", "scram-sha-256"} {
		b.run(3, "", "get", "key", "--mechanism", mechanism)
	}
	b.wantReport(3, []string{"OK mechanisms", "FAIL authentication"})
	b.set("MEMCACHED_USERNAME", "")
	b.run(3, "", "get", "key")
	b.wantReport(3, []string{"SCRAM-SHA-256", "FAIL authentication", "set --username"})
}

func TestBMC_OverTLSWithSASL(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users, TLS: true})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, server.Certificate(), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBMC(t, server)
	b.run(4, "", "get", "key", "--tls") // nobody vouches for the certificate
	b.run(4, "", "get", "key", "--timeout", "2s")
	b.run(0, "", "ping", "--insecure")
	b.set("MEMCACHED_TLS", ca)
	useBMC(b)
	b.wantReport(0, []string{
		"OK tls TLS 1.3, TLS_", " certificate valid until", "OK mechanisms", "OK authentication as " + username + " with SCRAM-SHA-256",
	})
}

func TestBMC_InterruptedWhileTheServerHangs(t *testing.T) {
	t.Parallel()
	server := integration.Start(t, &integration.Options{Users: users})
	b := newBMC(t, server)
	b.want(0, "stored key\n", "set", "key", "value")
	server.Pause()
	defer server.Resume()
	proxy := faultproxy.Start(t, server.Addr())
	args := []string{"get", "key", "--timeout", "10m", "--servers", proxy.Addr()}
	cmd, stdout, stderr := b.command(t.Context(), "", args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if proxy.Accepted() == 0 {
			return errors.New("bmc does not connect")
		}
		return nil
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	b.wantCode(130, cmd.Wait(), stdout, stderr, args)
}
