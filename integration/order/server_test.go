// Package order_test holds the client to the order of writes: no write undoes a
// later one, whatever callers, networks and servers do.
package order_test

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/integration"
)

// start returns the address of a memcached of the test's own.
func start(t *testing.T) (addr string) {
	t.Helper()
	addr, _, _ = startFreezable(t)
	return addr
}

// startFreezable starts a memcached, the machine's or else one in a container,
// and returns its address and how to freeze it with SIGSTOP and let it go on.
func startFreezable(t *testing.T) (addr string, freeze, thaw func()) {
	t.Helper()
	path, err := exec.LookPath("memcached")
	if err != nil {
		server := integration.Start(t, nil)
		return server.Addr(), server.Pause, server.Resume
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(addr)
	args := []string{"-l", "127.0.0.1", "-p", port, "-U", "0"}
	if os.Getuid() == 0 {
		args = append(args, "-u", "nobody")
	}
	cmd := exec.Command(path, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for range 500 {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return addr, func() { cmd.Process.Signal(syscall.SIGSTOP) }, func() { cmd.Process.Signal(syscall.SIGCONT) }
		}
		time.Sleep(10 * time.Millisecond) // between attempts
	}
	t.Fatal("memcached does not listen")
	return "", nil, nil
}

// onEveryServer runs test on the machine's memcached and, in containers, on the
// newest one and yrmcds.
func onEveryServer(t *testing.T, test func(t *testing.T, addr string)) {
	t.Run("memcached", func(t *testing.T) { test(t, start(t)) })
	for _, program := range []integration.Program{integration.NewestMemcached, integration.Yrmcds} {
		t.Run(string(program), func(t *testing.T) {
			test(t, integration.Start(t, &integration.Options{Program: program}).Addr())
		})
	}
}

// open returns a client of the server at addr.
func open(t *testing.T, addr string, opts memcached.Options) *memcached.Client {
	t.Helper()
	client, err := memcached.New([]string{addr}, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// seeded returns the seed of a test, and prints it. MEMCACHED_SEED sets it.
func seeded(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("MEMCACHED_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("MEMCACHED_SEED: %v", err)
		}
	}
	t.Logf("MEMCACHED_SEED=%d", seed)
	return seed
}

// lasting returns how long a test of random histories goes on.
// MEMCACHED_ORDER=5m sets it.
func lasting(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("MEMCACHED_ORDER")
	if text == "" {
		return 2 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("MEMCACHED_ORDER: %v", err)
	}
	return d
}
