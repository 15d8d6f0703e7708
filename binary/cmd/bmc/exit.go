package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary"
)

// The exit codes.
const (
	exitOK          = 0
	exitMiss        = 1   // a key is not there, or a condition of storing did not hold
	exitUsage       = 2   // wrong flags, arguments or settings; nothing was sent
	exitAuth        = 3   // a server refused the credentials, or wants some
	exitUnavailable = 4   // a server could not be reached or did not answer
	exitRefused     = 5   // a server, or the client in its place, refused: too large, no number, no memory
	exitUnhealthy   = 6   // doctor found something that fails
	exitLocal       = 7   // a local file could not be read, or the output not written
	exitInterrupted = 130 // Ctrl-C
)

// severity orders the codes of several failures: the first that occurred is
// the exit code.
var severity = []int{exitInterrupted, exitUsage, exitLocal, exitAuth, exitUnavailable, exitRefused, exitUnhealthy, exitMiss}

// kinds names the codes in JSON.
var kinds = map[int]string{
	exitMiss: "miss", exitUsage: "usage", exitAuth: "authentication", exitUnavailable: "unavailable",
	exitRefused: "refused", exitUnhealthy: "unhealthy", exitLocal: "local", exitInterrupted: "interrupted",
}

// codedError is an error of the program itself.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &codedError{exitUsage, fmt.Errorf(format, args...)}
}

func localf(format string, args ...any) error {
	return &codedError{exitLocal, fmt.Errorf(format, args...)}
}

// failures are several errors of one command.
type failures []error

func (f failures) Error() string { return errors.Join(f...).Error() }

// orNil returns f as an error, or nil when it is empty.
func (f failures) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// parts returns the errors that err is made of.
func parts(err error) []error {
	var several failures
	var byName *memcached.MultiError
	switch {
	case errors.As(err, &several):
		var all []error
		for _, one := range several {
			all = append(all, parts(one)...)
		}
		return all
	case errors.As(err, &byName):
		return byName.Unwrap()
	}
	return []error{err}
}

// errorsByName returns what failed of an operation on several keys or servers.
func errorsByName(err error) map[string]error {
	if multi, ok := err.(*memcached.MultiError); ok {
		return multi.Errors
	}
	return nil
}

// exitCode returns what the program ends with after err.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	met := map[int]bool{}
	for _, one := range parts(err) {
		met[codeOf(one)] = true
	}
	for _, code := range severity {
		if met[code] {
			return code
		}
	}
	return exitRefused
}

// codeOf returns the exit code of one error. (Misses and the like are codedError
// already, see explain.)
func codeOf(err error) int {
	var coded *codedError
	var op *memcached.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, memcached.ErrMalformedKey):
		return exitUsage
	case errors.Is(err, memcached.ErrAuth):
		return exitAuth
	case errors.Is(err, memcached.ErrUnavailable), errors.As(err, &op) && op.Timeout():
		return exitUnavailable
	default:
		return exitRefused
	}
}
