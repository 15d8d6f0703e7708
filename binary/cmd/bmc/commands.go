package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
)

// command is one thing that the program does.
type command struct {
	name      string
	arguments string // as help shows them
	min, max  int    // how many; max < 0: any number
	summary   string
	details   string
	// setup adds the command's flags to flags and returns what carries it out
	// once they are parsed.
	setup func(flags *flag.FlagSet) action
}

// action carries out a command. A result next to an error is what succeeded.
type action func(ctx context.Context, t *tool, args []string) (result, error)

// result is what a command found. It is printed as text by itself and as JSON
// by its exported fields.
type result interface {
	text(p *printer)
}

// commands are all of them, in the order in which help lists them.
func commands() []command {
	return []command{
		getCommand(), setCommand(), appendCommand(), prependCommand(), deleteCommand(),
		incrementCommand(), decrementCommand(), touchCommand(),
		pingCommand(), versionsCommand(), statsCommand(), flushCommand(),
		placeCommand(), doctorCommand(),
	}
}

func findCommand(name string) (command, error) {
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		if similar := similarCommand(name); similar != "" {
			return command{}, usagef("unknown command %q: did you mean %s? bmc --help lists them", name, similar)
		}
		return command{}, usagef("unknown command %q: bmc --help lists them", name)
	}
	return all[i], nil
}

// similarCommand returns the command that was probably meant, or "": one that
// the name is short for or continues, or that differs from it by a letter.
func similarCommand(name string) string {
	for _, c := range commands() {
		short := min(len(name), len(c.name))
		if short >= 2 && name[:short] == c.name[:short] || oneEdit(name, c.name) || oneEdit(c.name, name) {
			return c.name
		}
	}
	return ""
}

// oneEdit reports whether long becomes short when a letter is left out, or when
// two of the same length differ in a letter or in the order of two.
func oneEdit(long, short string) bool {
	i := 0
	for i < min(len(long), len(short)) && long[i] == short[i] {
		i++
	}
	switch a, b := long[i:], short[i:]; {
	case len(a) == len(b)+1:
		return len(short) > 1 && a[1:] == b
	case len(a) == len(b) && len(a) > 0:
		return a[1:] == b[1:] || len(a) > 1 && a[0] == b[1] && a[1] == b[0] && a[2:] == b[2:]
	}
	return false
}

// execute finds the command in args and carries it out.
func (t *tool) execute(ctx context.Context, args []string) (result, error) {
	flags := newFlagSet()
	t.register(flags)
	switch err := flags.Parse(args); {
	case t.passwordGiven:
		return nil, errPasswordOnCommandLine
	case errors.Is(err, flag.ErrHelp):
		return generalHelp(), nil
	case err != nil:
		return nil, flagError(err)
	case flags.NArg() == 0:
		return nil, usagef("no command given: bmc --help lists them")
	}
	name, rest := flags.Arg(0), flags.Args()[1:]
	if name == "help" {
		return help(rest)
	}
	c, err := findCommand(name)
	if err != nil {
		return nil, err
	}
	return t.executeCommand(ctx, c, rest)
}

func (t *tool) executeCommand(ctx context.Context, c command, args []string) (result, error) {
	flags := newFlagSet()
	t.register(flags) // they may also stand behind the command
	act := c.setup(flags)
	args, err := parse(flags, args)
	switch {
	case t.passwordGiven:
		return nil, errPasswordOnCommandLine
	case errors.Is(err, flag.ErrHelp):
		return c.help(), nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", c.name, flagError(err))
	case len(args) < c.min, c.max >= 0 && len(args) > c.max:
		return nil, usagef("usage: bmc %s", c.synopsis())
	}
	return act(ctx, t, args)
}

func help(args []string) (result, error) {
	if len(args) == 0 {
		return generalHelp(), nil
	}
	c, err := findCommand(args[0])
	if err != nil {
		return nil, err
	}
	return c.help(), nil
}
