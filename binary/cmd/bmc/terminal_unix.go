//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"os"
	"syscall"
	"unsafe"
)

// mode is how a terminal treats what is typed.
type mode syscall.Termios

// terminalMode returns the mode of f, or an error if f is no terminal.
func terminalMode(f *os.File) (m mode, err error) {
	return m, m.control(f, getMode)
}

// apply makes m the mode of a terminal.
func (m mode) apply(f *os.File) error { return m.control(f, setMode) }

// silent is m without echo; lines and Ctrl-C work.
func (m mode) silent() mode {
	m.Lflag &^= syscall.ECHO
	m.Lflag |= syscall.ICANON | syscall.ISIG
	m.Iflag |= syscall.ICRNL
	return m
}

func (m *mode) control(f *os.File, request uintptr) error {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(m)))
	if errno != 0 {
		return errno
	}
	return nil
}
