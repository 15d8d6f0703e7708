package memcachedtest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// startReal starts memcached on a Unix socket.
func (p *player) startReal(options []string) {
	dir, err := os.MkdirTemp("", "memcached")
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	args := append([]string{"-u", "root", "-s", socket}, options...)
	cmd := exec.Command(*realServer, args...)
	cmd.Stderr = os.Stderr
	if slices.Contains(options, "-S") {
		cmd.Env = append(os.Environ(), "SASL_CONF_PATH="+dir)
		p.makeSASL(dir)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	p.dial = func() net.Conn {
		for range 200 {
			if nc, err := net.Dial("unix", socket); err == nil {
				return nc
			}
			time.Sleep(10 * time.Millisecond)
		}
		p.t.Fatal("memcached does not answer")
		return nil
	}
	p.sleep, p.now = time.Sleep, time.Now
}

// makeSASL writes Cyrus SASL's configuration and its user database.
func (p *player) makeSASL(dir string) {
	db := filepath.Join(dir, "sasldb")
	conf := "mech_list: SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN\nsasldb_path: " + db +
		"\npwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
	if err := os.WriteFile(filepath.Join(dir, "memcached.conf"), []byte(conf), 0o600); err != nil {
		p.t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command("saslpasswd2", "-p", "-c", "-a", "memcached", "-f", db, "-u", host, "user")
	cmd.Stdin = strings.NewReader("pass")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("saslpasswd2: %v: %s", err, out)
	}
}
