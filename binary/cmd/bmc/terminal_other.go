//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd || windows)

package main

import (
	"errors"
	"os"
)

// mode stands for that of a terminal, where this program knows none.
type mode struct{}

func terminalMode(*os.File) (mode, error) { return mode{}, errors.ErrUnsupported }

func (mode) apply(*os.File) error { return errors.ErrUnsupported }

func (m mode) silent() mode { return m }
