package main

import "syscall"

// The requests of ioctl that read and set a terminal's mode.
const (
	getMode = syscall.TCGETS
	setMode = syscall.TCSETS
)
