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

// appProcess is an application's process as its parent sees it.
type appProcess struct {
	page   appPage
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *json.Decoder
}

// startApp starts this program again as an application on those processors. It
// ends with ctx, if it does not end by itself.
func startApp(ctx context.Context, on cpus, order appOrder) (*appProcess, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	cmd := on.commandContext(ctx, program)
	cmd.Env = append(os.Environ(), appEnv+"="+string(text))
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
	p := &appProcess{cmd: cmd, stdin: stdin, stdout: json.NewDecoder(stdout)}
	if err := p.stdout.Decode(&p.page); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: the application did not start: %w", err), p.stop())
	}
	return p, nil
}

// ask asks the application what it has used. A page that is wrong by now is an
// error.
func (p *appProcess) ask(question string) (u appUsage, err error) {
	if _, err := io.WriteString(p.stdin, question+"\n"); err != nil {
		return u, err
	}
	if err := p.stdout.Decode(&u); err != nil {
		return u, err
	}
	switch {
	case u.Wrong:
		return u, fmt.Errorf("%w: %s", errWrongValue, u.Error)
	case u.Error != "":
		return u, errors.New(u.Error)
	}
	return u, nil
}

func (p *appProcess) stop() error { return errors.Join(p.stdin.Close(), p.cmd.Wait()) }
