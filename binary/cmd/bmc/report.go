package main

import (
	"fmt"
	"slices"
	"strings"
)

// envelope is what --json prints, whatever happens.
type envelope struct {
	Exit   int     `json:"exit"`
	Errors []fault `json:"errors,omitempty"`
	Result result  `json:"result,omitempty"`
}

// fault is an error in JSON.
type fault struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// helpText is a result that is text in any case.
type helpText string

func (h helpText) text(p *printer) { p.WriteString(string(h)) }

// report prints what a command came to and returns the exit code.
func (t *tool) report(found result, err error) int {
	_, isHelp := found.(helpText)
	if t.json && !isHelp {
		return t.reportJSON(found, err)
	}
	if found != nil {
		p := &printer{terminal: t.sys.isTerminal(t.sys.stdout)}
		found.text(p)
		if failed := t.print(p.Bytes()); failed != nil {
			err = failed
		}
	}
	for _, f := range t.faults(err) {
		t.complain(f.Message)
		if f.Hint != "" {
			t.complain("hint: " + f.Hint)
		}
	}
	return exitCode(err)
}

func (t *tool) reportJSON(found result, err error) int {
	code := exitCode(err)
	text, jsonErr := encodeJSON(envelope{Exit: code, Errors: t.faults(err), Result: found})
	if jsonErr == nil {
		jsonErr = t.print(text)
	}
	if jsonErr != nil {
		t.complain(jsonErr.Error())
		return exitCode(jsonErr)
	}
	return code
}

// print writes to standard output.
func (t *tool) print(text []byte) error {
	if _, err := t.sys.stdout.Write(text); err != nil {
		return localf("writing the output: %w", err)
	}
	return nil
}

// faults describes the errors that err consists of, those that read the same
// once.
func (t *tool) faults(err error) []fault {
	if err == nil {
		return nil
	}
	var all []fault
	for _, one := range parts(err) {
		code := codeOf(one)
		f := fault{Kind: kinds[code], Message: inWords(strings.TrimPrefix(one.Error(), "memcached: ")), Hint: t.hint(one)}
		if code == exitInterrupted {
			f.Message = "interrupted"
		}
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}

// complain prints a line to standard error.
func (t *tool) complain(message string) {
	fmt.Fprintln(t.sys.stderr, "bmc: "+printable(message, ""))
}

// warn tells of something that does not stop the command.
func (t *tool) warn(message string) { t.complain("warning: " + message) }
