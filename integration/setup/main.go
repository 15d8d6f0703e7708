// Command setup prepares a machine for the tests, and runs a command with a
// container engine in reach, as the integration tests need it:
//
//	go run ./setup
//	go run ./setup go test ./...
//
// Without a command it names the packages that are missing, and as root on
// Debian or Ubuntu installs them: a C compiler, a container engine, Chromium, npm,
// memcached with SASL, Redis;
// with MEMCACHED_INTEGRATION=off the compiler alone. Elsewhere it fails and
// leaves that to you.
//
// With a command, an engine that answers is used as it is. Where none does, and the machine is
// Debian or Ubuntu and this runs as root, setup installs Docker, starts it, and
// stops it when the last run that uses it has ended. Elsewhere it says what to
// install and fails. The image that the tests build on is pulled, or, where no
// registry can be reached, made with debootstrap. Containers that the command
// leaves behind are removed.
//
// The exit code is the command's.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/testcontainers/testcontainers-go/log"

	"github.com/bmemcached/bmemcached-go/integration"
)

// silent drops testcontainers' progress messages.
type silent struct{}

func (silent) Printf(string, ...any) {}

func main() {
	log.SetDefault(silent{})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if command := os.Args[1:]; len(command) == 0 {
		err = prepare(ctx)
	} else {
		err = run(ctx, command)
	}
	exit, failed := err.(*exec.ExitError)
	switch {
	case failed: // the command has said why
		os.Exit(max(exit.ExitCode(), 1))
	case err != nil:
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

// run provides the engine and the image, runs command, and clears away what was
// started.
func run(ctx context.Context, command []string) (err error) {
	engine, err := acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { err = join(err, engine.release()) }()
	if err := ensureImage(ctx, engine.client, integration.BaseImage); err != nil {
		return err
	}
	id := rand.Text()
	defer func() { err = join(err, removeContainers(engine.client, id)) }()
	return execute(ctx, command, append(engine.environment(), integration.RunVariable+"="+id))
}

// execute runs command on this process's own terminal. When ctx ends, command
// gets SIGTERM and as long as it wants to finish.
func execute(ctx context.Context, command, environment []string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), environment...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd.Run()
}

// join adds what went wrong while clearing away, if anything did, to err.
func join(err, clearing error) error {
	if clearing == nil {
		return err
	}
	return errors.Join(err, clearing)
}

// say tells the user what takes the time.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "setup: "+format+"\n", args...)
}

// system runs a program of the machine; its output is shown only when it fails.
func system(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, output)
	}
	return nil
}
