package main

import (
	"os"
	"syscall"
)

// mode is how a console treats what is typed.
type mode uint32

// What the bits of a mode say (consoleapi.h).
const (
	processedInput mode = 1 << iota // Ctrl-C works
	lineInput                       // a read waits for the end of the line
	echoInput                       // what is typed shows
)

var setConsoleMode = syscall.NewLazyDLL("kernel32.dll").NewProc("SetConsoleMode")

// terminalMode returns the mode of f, or an error if f is no console.
func terminalMode(f *os.File) (mode, error) {
	var bits uint32
	err := syscall.GetConsoleMode(syscall.Handle(f.Fd()), &bits)
	return mode(bits), err
}

// apply makes m the mode of a console.
func (m mode) apply(f *os.File) error {
	if ok, _, err := setConsoleMode.Call(f.Fd(), uintptr(m)); ok == 0 {
		return err
	}
	return nil
}

// silent is m without echo; lines and Ctrl-C work.
func (m mode) silent() mode { return m&^echoInput | processedInput | lineInput }
