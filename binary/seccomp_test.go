//go:build linux && (amd64 || arm64)

package memcached_test

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// inSeccomp is set in the environment of a process that this test starts, to when
// that process forbids itself system calls.
const inSeccomp = "MEMCACHED_TEST_SECCOMP"

// TestSeccomp_WithoutSystemCallsOfSockets carries out operations in a process that may
// not use recvfrom and sendto, which package net does not need for TCP: from the start
// on, and from the middle of a connection on. All go over one connection, also when it
// was idle.
func TestSeccomp_WithoutSystemCallsOfSockets(t *testing.T) {
	if when := os.Getenv(inSeccomp); when != "" {
		useWithout(t, when == "from the start")
		return
	}
	for _, when := range []string{"from the start", "later"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestSeccomp_WithoutSystemCallsOfSockets$", "-test.count=1", "-test.timeout=1m")
			cmd.Env = append(os.Environ(), inSeccomp+"="+when)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func useWithout(t *testing.T, fromTheStart bool) {
	server := memcachedtest.Start(t, nil)
	client, err := memcached.New([]string{server.Addr()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if fromTheStart {
		forbid(t, syscall.SYS_RECVFROM, syscall.SYS_SENDTO)
	}
	set(t, client, "a", "1")
	if !fromTheStart {
		forbid(t, syscall.SYS_RECVFROM, syscall.SYS_SENDTO)
	}
	for range 3 {
		wantValue(t, client, "a", "1")
		time.Sleep(20 * time.Millisecond) // longer than a connection may be idle without being looked at
	}
	if n := client.Stats().Servers[server.Addr()].Dials; n != 1 {
		t.Errorf("%d connections were opened, want 1", n)
	}
}

// forbid makes system calls of this process fail with EPERM.
func forbid(t *testing.T, calls ...uintptr) {
	t.Helper()
	const (
		load, jumpEqual, ret  = 0x20, 0x15, 0x06 // of linux/bpf_common.h
		allow, fail           = 0x7fff0000, 0x00050000
		setFilter, allThreads = 1, 1
		noNewPrivileges       = 38
	)
	seccomp := map[string]uintptr{"amd64": 317, "arm64": 277}[runtime.GOARCH]
	program := []syscall.SockFilter{{Code: load}} // the number of the call
	for _, call := range calls {
		program = append(program,
			syscall.SockFilter{Code: jumpEqual, Jf: 1, K: uint32(call)},
			syscall.SockFilter{Code: ret, K: fail | uint32(syscall.EPERM)})
	}
	program = append(program, syscall.SockFilter{Code: ret, K: allow})
	filter := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivileges, 1, 0, 0, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	if _, _, errno := syscall.RawSyscall(seccomp, setFilter, allThreads, uintptr(unsafe.Pointer(&filter))); errno != 0 {
		t.Fatal(errno)
	}
	if _, _, err := syscall.Recvfrom(0, make([]byte, 1), 0); err != syscall.EPERM {
		t.Fatalf("recvfrom is not forbidden: %v", err)
	}
}
