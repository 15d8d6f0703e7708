package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// appProcess is an application's process as its parent sees it.
type appProcess struct {
	*child
	page appPage
}

// startApp starts a program of this package as an application on those
// processors.
func startApp(ctx context.Context, on cpus, program []string, order appOrder, env ...string) (*appProcess, error) {
	c, err := startChild(ctx, on, program, appEnv, order, env...)
	if err != nil {
		return nil, err
	}
	p := &appProcess{child: c}
	return p, c.announced(&p.page)
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
