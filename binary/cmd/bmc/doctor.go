package main

import (
	"context"
	"flag"
	"fmt"
	"sync"

	"github.com/bmemcached/bmemcached-go/binary"
)

// verdict is what doctor thinks of something.
type verdict string

// The verdicts. A larger rank is worse.
const (
	ok   verdict = "OK"
	warn verdict = "WARN"
	fail verdict = "FAIL"
)

func (v verdict) rank() int { return map[verdict]int{ok: 0, warn: 1, fail: 2}[v] }

// worse returns the worse of two verdicts.
func worse(a, b verdict) verdict {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// finding is one line of doctor.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Found   string  `json:"found"`
	Advice  string  `json:"advice,omitempty"`
}

// diagnosis is what doctor thinks of a server.
type diagnosis struct {
	Server   string    `json:"server"`
	Verdict  verdict   `json:"verdict"`
	Findings []finding `json:"findings"`
	err      error     // why the server could not be asked
}

type doctorResult struct {
	Verdict verdict     `json:"verdict"`
	Servers []diagnosis `json:"servers"`
}

func doctorCommand() command {
	return command{
		name: "doctor", summary: "examine every server and say what to do",
		details: "Looks at the connection, TLS, the certificate, SASL, memory, limits, the clock " +
			"and the time that answers take. Each line is OK, WARN or FAIL. Nothing is stored. " +
			"Exits with 6 if a line is FAIL, or with 3 or 4 if that is because the server " +
			"refused the credentials or could not be reached.",
		setup: func(flags *flag.FlagSet) action {
			d := &doctor{}
			flags.BoolVar(&d.strict, "strict", false, "exit with 6 for a WARN, too")
			flags.IntVar(&d.pings, "pings", 50, "`NUMBER` of round trips to measure (default 50)")
			return d.examineAll
		},
	}
}

// doctor is one run of the command.
type doctor struct {
	strict bool
	pings  int
}

// maxPings bounds how long measuring takes.
const maxPings = 100_000

func (d *doctor) examineAll(ctx context.Context, t *tool, _ []string) (result, error) {
	if d.pings < 1 || d.pings > maxPings {
		return nil, usagef("--pings is %d: want 1 to %d", d.pings, maxPings)
	}
	servers, err := t.serverList()
	if err != nil {
		return nil, err
	}
	opts, err := t.options(ctx) // asks for the password once
	if err != nil {
		return nil, err
	}
	if client, err := memcached.New(servers, opts); err != nil {
		return nil, usagef("%w", err)
	} else if err := client.Close(); err != nil {
		return nil, err
	}
	found := &doctorResult{Verdict: ok, Servers: make([]diagnosis, len(servers))}
	var wg sync.WaitGroup
	for i, server := range servers {
		wg.Go(func() {
			e := t.examine(ctx, *opts, server, d.pings)
			found.Servers[i] = e.diagnose()
		})
	}
	wg.Wait()
	for _, s := range found.Servers {
		found.Verdict = worse(found.Verdict, s.Verdict)
	}
	return found, d.judge(ctx, found)
}

// judge turns the diagnoses into the error that the command ends with.
func (d *doctor) judge(ctx context.Context, found *doctorResult) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var failed failures
	for _, s := range found.Servers {
		switch {
		case s.Verdict == ok, s.Verdict == warn && !d.strict:
		case s.err != nil:
			failed = append(failed, &codedError{codeOf(s.err), fmt.Errorf("%s is not in order: %w", s.Server, s.err)})
		default:
			failed = append(failed, &codedError{exitUnhealthy, fmt.Errorf("%s is not in order", s.Server)})
		}
	}
	return failed.orNil()
}

func (r *doctorResult) text(p *printer) {
	for i, s := range r.Servers {
		if i > 0 {
			p.line("")
		}
		p.line("%s: %s", s.Server, s.Verdict)
		for _, f := range s.Findings {
			p.line("  %-4s  %-14s  %s", f.Verdict, f.Check, f.Found)
			if f.Advice != "" {
				p.WriteString(wrap("→ "+printable(f.Advice, ""), "                        ", 100))
			}
		}
	}
}
