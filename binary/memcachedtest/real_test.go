package memcachedtest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// startReal starts memcached and plays against it.
func (p *player) startReal(options []string) {
	socket := startMemcached(p.t, options)
	p.dial = func() net.Conn {
		nc, err := net.Dial("unix", socket)
		if err != nil {
			p.t.Fatal(err)
		}
		return nc
	}
	p.sleep, p.now = time.Sleep, time.Now
}

// startMemcached starts memcached on a Unix socket, whose path it returns.
func startMemcached(t testing.TB, options []string) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "memcached") // paths of sockets have to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	cmd := exec.Command(*realServer, append([]string{"-u", "root", "-s", socket}, options...)...)
	cmd.Stderr = os.Stderr
	if slices.Contains(options, "-S") {
		cmd.Env = append(os.Environ(), "SASL_CONF_PATH="+dir)
		makeSASL(t, dir)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for range 500 {
		if nc, err := net.Dial("unix", socket); err == nil {
			nc.Close()
			return socket
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("memcached does not answer")
	return ""
}

// makeSASL writes Cyrus SASL's configuration and its user database.
func makeSASL(t testing.TB, dir string) {
	t.Helper()
	db := filepath.Join(dir, "sasldb")
	conf := "mech_list: SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN\nsasldb_path: " + db +
		"\npwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
	if err := os.WriteFile(filepath.Join(dir, "memcached.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("saslpasswd2", "-p", "-c", "-a", "memcached", "-f", db, "-u", host, "user")
	cmd.Stdin = strings.NewReader("pass")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("saslpasswd2: %v: %s", err, out)
	}
}
