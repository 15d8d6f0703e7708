//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package main

import "syscall"

// The requests of ioctl that read and set a terminal's mode.
const (
	getMode = syscall.TIOCGETA
	setMode = syscall.TIOCSETA
)
