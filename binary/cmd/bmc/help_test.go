package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files of the help texts")

func TestHelp(t *testing.T) {
	texts := map[string][]string{"bmc": {"--help"}}
	for _, c := range commands() {
		texts[c.name] = []string{c.name, "--help"}
	}
	for name, args := range texts {
		o := (shell{t: t}).run(args...).wantError(0)
		path := filepath.Join("testdata", "help", name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(o.stdout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (go test ./binary/cmd/bmc -update writes it)", err)
		}
		if o.stdout != string(want) {
			t.Errorf("bmc %q printed\n%s\nwant\n%s\n(go test ./binary/cmd/bmc -update)", args, o.stdout, want)
		}
		for line := range strings.SplitSeq(o.stdout, "\n") {
			if utf8.RuneCountInString(line) > 80 {
				t.Errorf("bmc %q: %q is wider than 80 characters", args, line)
			}
		}
		if args[0] != "--help" {
			(shell{t: t}).run("help", name).want(0, o.stdout)
			(shell{t: t}).run(name, "-h", "--json").want(0, o.stdout)
			continue
		}
		(shell{t: t}).run("help").want(0, o.stdout)
		for _, c := range commands() {
			if !strings.Contains(o.stdout, "\n  "+c.name) {
				t.Errorf("bmc --help does not have %s", c.name)
			}
		}
		if strings.Contains(o.stdout, "--password ") {
			t.Error("bmc --help offers --password")
		}
	}
}

func TestREADME_HasEveryCommandFlagAndExitCode(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(content)
	want := []string{"| 0 |"}
	for _, c := range commands() {
		want = append(want, "`"+c.name)
	}
	for _, code := range severity {
		want = append(want, "| "+decimal(uint64(code))+" |")
	}
	for _, name := range []string{"servers", "username", "password-file", "tls", "ca", "cert", "key", "server-name", "insecure", "mechanism", "distribution", "weight", "json"} {
		want = append(want, "--"+name)
	}
	for _, text := range want {
		if !strings.Contains(readme, text) {
			t.Errorf("README.md does not have %s", text)
		}
	}
}
