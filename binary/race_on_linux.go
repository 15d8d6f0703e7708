//go:build race && !386

package memcached

import "syscall"

// Package syscall tells the race detector that who reads comes after all who wrote
// before. Without that a test and a server in its own process, who take turns over a
// connection, look like a race.

// raceRelease tells it of a write that follows. There is no descriptor -1.
func raceRelease() { _, _ = syscall.Write(-1, nil) }

// raceAcquire tells it of a read from the socket fd. A read of nothing returns at once.
func raceAcquire(fd uintptr) { _, _ = syscall.Read(int(fd), nil) }
