package main

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

// reply is the envelope as a program that reads it would declare it.
type reply struct {
	Exit   int
	Errors []struct{ Kind, Message, Hint string }
	Result struct {
		Done    string
		Keys    any
		Value   any
		Flushed []string
		Items   []struct {
			Key, Value, Encoding string
			Bytes                int
			Flags                uint32
			CAS                  uint64
		}
		Missing []string
		Verdict string
		Servers []struct {
			Server, Version, Verdict string
			OK                       bool
			Findings                 []struct{ Check, Verdict, Found, Advice string }
		}
	}
}

func TestJSON_ValuesOfAnyKind(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	for key, value := range map[string]string{
		"text": "Grüße\n\x1b[31m <b>&\u202e", "empty": "", "bytes": "\x80\x04\x95\x00",
	} {
		server.SetItem(&memcached.Item{Key: key, Value: []byte(value), Flags: 9})
		var r reply
		o := s.run("get", key, "--json")
		o.decode(&r)
		if o.code != 0 || r.Exit != 0 || len(r.Errors) != 0 || len(r.Result.Items) != 1 {
			t.Fatalf("bmc get %s --json printed %s", key, o.stdout)
		}
		item := r.Result.Items[0]
		got := item.Value
		if (item.Encoding == "base64") != (key == "bytes") {
			t.Errorf("%s is encoded as %q", key, item.Encoding)
		}
		if item.Encoding == "base64" {
			decoded, err := base64.StdEncoding.DecodeString(got)
			if err != nil {
				t.Error(err)
			}
			got = string(decoded)
		}
		if stored, _ := server.Item(key); got != value || item.Bytes != len(value) || item.Flags != 9 || item.CAS != stored.CAS || item.Key != key {
			t.Errorf("bmc get %s --json printed %s", key, o.stdout)
		}
		if !harmless(o.stdout, "\n") {
			t.Errorf("bmc get %s --json printed %q, which a terminal obeys", key, o.stdout)
		}
	}
}

func TestJSON_EveryCommand(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	for _, test := range []struct {
		args []string
		word string
	}{
		{[]string{"set", "key", "1"}, `"done": "stored"`},
		{[]string{"append", "key", "2"}, `"done": "stored"`},
		{[]string{"prepend", "key", "3"}, `"done": "stored"`},
		{[]string{"get", "key"}, `"value": "312"`},
		{[]string{"incr", "key"}, `"value": 313`},
		{[]string{"decr", "key"}, `"value": 312`},
		{[]string{"touch", "key", "--ttl", "60"}, `"done": "touched"`},
		{[]string{"delete", "key"}, `"done": "deleted"`},
		{[]string{"ping"}, `"ok": true`},
		{[]string{"versions"}, `"version": "1.6.18"`},
		{[]string{"stats"}, `"curr_items": `},
		{[]string{"place", "key"}, `"ketama": "` + server.Addr() + `"`},
		{[]string{"doctor"}, `"verdict": `},
		{[]string{"flush", "--yes"}, `"flushed": `},
	} {
		args := append([]string{"--json"}, test.args...)
		var r reply
		o := s.run(args...).wantError(0)
		if o.decode(&r); r.Exit != 0 || len(r.Errors) != 0 || o.stderr != "" || !strings.Contains(o.stdout, test.word) {
			t.Errorf("bmc %q printed %s%s, want %s", args, o.stdout, o.stderr, test.word)
		}
	}
}

func TestJSON_Failures(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	dead, _ := secured(t, nil)
	dead.Stop()
	for _, test := range []struct {
		args       []string
		code       int
		kind, word string
	}{
		{[]string{"get", "nothing"}, exitMiss, "miss", `"missing": [`},
		{[]string{"get"}, exitUsage, "usage", "KEY"},
		{[]string{"get", "a", "--username", "nobody"}, exitAuth, "authentication", "hint"},
		{[]string{"get", "a", "--servers", dead.Addr()}, exitUnavailable, "unavailable", dead.Addr()},
		{[]string{"set", "key", "--file", t.TempDir() + "/none"}, exitLocal, "local", "none"},
		{[]string{"stats", "nonsense"}, exitRefused, "refused", server.Addr()},
	} {
		o := s.run(append([]string{"--json"}, test.args...)...)
		var r reply
		if o.decode(&r); o.code != test.code || r.Exit != test.code || len(r.Errors) != 1 || r.Errors[0].Kind != test.kind ||
			!strings.Contains(o.stdout, test.word) || o.stderr != "" {
			t.Errorf("bmc --json %q = %d, printed %s%s, want %d, %s", test.args, o.code, o.stdout, o.stderr, test.code, test.kind)
		}
	}
}
