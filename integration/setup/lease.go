package main

import (
	"os"
	"path/filepath"
	"syscall"
)

// Several runs may share the dockerd that one of them started. Whoever uses it
// holds a shared lock on a file, which the system drops with the process; the
// one that can have the lock for itself at the end was the last.

// stateDir holds what concerns the dockerd that setup starts: one per machine,
// so one folder per machine.
var stateDir = "/run/bmemcached-go"

func pidPath() string { return filepath.Join(stateDir, "dockerd.pid") }
func logPath() string { return filepath.Join(stateDir, "dockerd.log") }

// lease is a lock on a file. A nil lease locks nothing.
type lease struct{ file *os.File }

// lockStart makes starting and stopping dockerd one run's business at a time.
// Only root starts dockerd, so for others there is nothing to lock.
func lockStart() (*lease, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if err := os.MkdirAll(stateDir, 0o755); err != nil {
		return nil, err
	}
	return lock("start.lock", syscall.LOCK_EX)
}

// holdOurs returns a lease on the dockerd that a setup started, or nil when it
// is not one of those that runs.
func holdOurs() (*lease, error) {
	if _, ok := ours(); !ok {
		return nil, nil
	}
	return lock("users.lock", syscall.LOCK_SH)
}

func lock(name string, how int) (*lease, error) {
	file, err := os.OpenFile(filepath.Join(stateDir, name), os.O_RDONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), how); err != nil {
		file.Close()
		return nil, err
	}
	return &lease{file}, nil
}

// last turns the lease into one that excludes all others, and reports whether
// there are none. When there are, the lease is given up.
func (l *lease) last() bool {
	if syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return true
	}
	l.unlock()
	return false
}

// unlock gives the lease up.
func (l *lease) unlock() {
	if l != nil {
		l.file.Close()
	}
}
