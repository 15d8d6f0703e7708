package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// children are what this program is when the variable is set in its environment:
// each gets the variable's value, reads orders from stdin until that ends, and
// answers on stdout.
var children = map[string]func(order string, stdin io.Reader, stdout io.Writer) error{
	appEnv:   serveApp,
	delayEnv: serveDelay,
	loadEnv:  serveLoad,
	spinEnv:  serveSpin,
}

// serveChild does what the environment wants of this process; ok is false where
// that is nothing.
func serveChild(stdin io.Reader, stdout io.Writer) (ok bool, err error) {
	for name, serve := range children {
		if order := os.Getenv(name); order != "" {
			return true, serve(order, stdin, stdout)
		}
	}
	return false, nil
}

// child is such a process as its parent sees it.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *json.Decoder
}

// startChild starts program, one of this package's, as the child that role
// names, with an order. It ends with ctx, if it does not end by itself.
func startChild(ctx context.Context, on cpus, program []string, role string, order any, env ...string) (*child, error) {
	text, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	cmd := on.commandContext(ctx, program...)
	cmd.Env = append(append(os.Environ(), env...), role+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &child{cmd: cmd, stdin: stdin, stdout: json.NewDecoder(stdout)}, nil
}

// announced reads what the child says first. A child that says nothing is
// ended.
func (c *child) announced(v any) error {
	if err := c.stdout.Decode(v); err != nil {
		return errors.Join(fmt.Errorf("bench: a process of this program did not start: %w", err), c.stop())
	}
	return nil
}

func (c *child) stop() error { return errors.Join(c.stdin.Close(), c.cmd.Wait()) }

// thisProgram is the command of this program.
func thisProgram() ([]string, error) {
	program, err := os.Executable()
	return []string{program}, err
}
