// Command bmc uses and examines memcached servers from the command line, those
// that demand SASL and TLS included, which telnet cannot reach:
//
//	go install github.com/bmemcached/bmemcached-go/binary/cmd/bmc@latest
//	export MEMCACHED_SERVERS=cache-1:11211 MEMCACHED_USERNAME=app
//	bmc get user:42
//	bmc doctor
//
// README.md has the commands and the exit codes.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// system is what a run has of the machine.
type system struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	// isTerminal reports whether one of these three is a terminal.
	isTerminal func(stream any) bool
	// ask asks a person for a password, or returns errNoTerminal.
	ask func(ctx context.Context, prompt string) (string, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, &system{
		getenv: os.Getenv,
		stdin:  os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		isTerminal: isTerminal,
		ask:        askTerminal,
	}, os.Args[1:]))
}

// tool is one run of the program.
type tool struct {
	sys *system
	settings
	login record // what the connections met
}

// run carries out what args say and returns the exit code.
func run(ctx context.Context, sys *system, args []string) int {
	t := &tool{sys: sys}
	result, err := t.execute(ctx, args)
	return t.report(result, err)
}
