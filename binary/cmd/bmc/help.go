package main

import (
	"flag"
	"fmt"
	"strings"
)

const introduction = `bmc uses and examines memcached servers, also those that demand SASL and TLS.

usage: bmc [flags] command [flags] [arguments]

commands:
`

const conclusion = `
Flags may stand anywhere; behind -- everything is an argument. The password
comes from MEMCACHED_PASSWORD, --password-file or the terminal, never from the
command line. bmc help COMMAND tells more.

exit codes:
  0    done
  1    a key is not there, or --add, --replace or --cas did not hold
  2    wrong flags, arguments or settings; nothing was sent
  3    a server refused the credentials, or wants some
  4    a server could not be reached or did not answer
  5    refused: value too large, not a number, no memory, flush forbidden
  6    doctor found something that fails (with --strict: or a warning)
  7    a local file could not be read, or the output not written
  130  interrupted
Of several, the first in the order 130, 2, 7, 3, 4, 5, 6, 1.
`

// generalHelp is what bmc --help prints.
func generalHelp() helpText {
	var b strings.Builder
	b.WriteString(introduction)
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-22s %s\n", strings.TrimSpace(c.name+" "+c.arguments), c.summary)
	}
	b.WriteString("\nflags of every command:\n")
	flags := newFlagSet()
	(&settings{}).register(flags)
	writeFlags(&b, flags)
	b.WriteString(conclusion)
	return helpText(b.String())
}

// synopsis is how the command is written.
func (c command) synopsis() string {
	return strings.TrimSpace(c.name + " [flags] " + c.arguments)
}

// help is what bmc help COMMAND prints.
func (c command) help() helpText {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: bmc %s\n\n%s: %s.\n", c.synopsis(), c.name, c.summary)
	if c.details != "" {
		b.WriteString("\n" + wrap(c.details, "", 80))
	}
	flags := newFlagSet()
	c.setup(flags)
	if text := (&strings.Builder{}); writeFlags(text, flags) > 0 {
		b.WriteString("\nflags:\n" + text.String())
	}
	b.WriteString("\nbmc --help lists the flags of every command.\n")
	return helpText(b.String())
}

// writeFlags describes the flags and returns how many there are.
func writeFlags(b *strings.Builder, flags *flag.FlagSet) (n int) {
	flags.VisitAll(func(f *flag.Flag) {
		argument, usage := flag.UnquoteUsage(f)
		if usage == "" {
			return // only there to be refused
		}
		n++
		fmt.Fprintf(b, "  %s\n%s", strings.TrimSpace("--"+f.Name+" "+argument), wrap(usage, "        ", 80))
	})
	return n
}

// wrap breaks text into indented lines of up to width characters.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len([]rune(line))+len([]rune(word)) >= width && line != indent {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word + " "
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}
