package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// TestWords_OfThisProgram: whoever runs bmc has no Options.
func TestWords_OfThisProgram(t *testing.T) {
	t.Parallel()
	texts := regexp.MustCompile(`"[^"\n]*(Options|sasl)\.[^"\n]*"`)
	for _, file := range []string{"handshake.go", "connect.go", "size.go", "deadline.go", "errors.go", "address.go", "sasl/auto.go", "sasl/credentials.go"} {
		source, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts.FindAllString(string(source), -1) {
			if strings.Contains(text, "DialContext") || strings.Contains(text, "Replicate") || text == `"sasl.Credentials"` {
				continue // bmc does not set them
			}
			if got := inWords(text); strings.Contains(got, "Options.") || strings.Contains(got, "sasl.") {
				t.Errorf("%s: %s is %s in this program's words", file, text, got)
			}
		}
	}
	if got := inWords("set Options.TLS"); got != "give --tls" {
		t.Errorf("inWords = %q", got)
	}
}

func TestCommands_SuggestWhatWasMeant(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"stat": "stats", "statss": "stats", "version": "versions", "gte": "get", "dlete": "delete", "pong": "ping",
	} {
		(shell{t: t}).run(name).wantError(exitUsage, "did you mean "+want+"?")
	}
	(shell{t: t}).run("frobnicate").wantError(exitUsage, "unknown command")
}

func TestServers_ListsWithWeights(t *testing.T) {
	t.Parallel()
	a, b := memcachedtest.Start(t, nil), memcachedtest.Start(t, nil)
	s := shell{t: t}
	s.run("ping", "--servers", a.Addr()+":3 "+b.Addr()).wantError(0)
	o := s.run("ping", "--servers", a.Addr()+",user:S3CRET@"+b.Addr()).wantError(exitUsage, "--username")
	if strings.Contains(o.stderr, "S3CRET") {
		t.Errorf("bmc printed %s", o.stderr)
	}
}
