package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/codec/bmemcached"
	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// numbers is list(range(n)) as it is unpickled.
func numbers(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = int64(i)
	}
	return list
}

func TestUnpickle_ReadsWhatPythonStored(t *testing.T) {
	want := map[string]any{
		"True":                        true,
		"None":                        nil,
		"3.5":                         3.5,
		"[1, 'two', 3.0]":             []any{int64(1), "two", 3.0},
		"{'a': 1, 'b': [True, None]}": map[string]any{"a": int64(1), "b": []any{true, nil}},
		"(1, 2)":                      []any{int64(1), int64(2)},
		"list(range(200))":            numbers(200),
	}
	var all []stored
	if err := json.Unmarshal(samples, &all); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, s := range all {
		w, ok := want[s.Python]
		if !ok {
			t.Errorf("no expectation for %s", s.Python)
			continue
		}
		seen[s.Client]++
		var got any = "nothing"
		if err := codecs[s.Client].Decode(s.Value, s.Flags, &got); err != nil || !reflect.DeepEqual(got, w) {
			t.Errorf("%s of %s = %#v, %v, want %#v", s.Python, s.Client, got, err, w)
		}
	}
	if seen["python-binary-memcached"] < 5 || seen["pylibmc"] < 4 {
		t.Errorf("samples seen = %v, want those of both clients", seen)
	}
}

func TestUnpickle_ReadsIntoGoTypes(t *testing.T) {
	c := bmemcached.Codec{Unpickle: Unpickle}
	var scores map[string]float64 // {'a': 1, 'b': 2.5}
	err := c.Decode([]byte("(dp0\nVa\np1\nI1\nsVb\np2\nF2.5\ns."), bmemcached.FlagPickle, &scores)
	if want := map[string]float64{"a": 1, "b": 2.5}; err != nil || !reflect.DeepEqual(scores, want) {
		t.Errorf("Decode of a dict = %v, %v, want %v", scores, err, want)
	}
	var ids []int // (1, 2)
	if err := c.Decode([]byte("(I1\nI2\ntp0\n."), bmemcached.FlagPickle, &ids); err != nil || !reflect.DeepEqual(ids, []int{1, 2}) {
		t.Errorf("Decode of a tuple = %v, %v, want [1 2]", ids, err)
	}
	var text string
	if err := c.Decode([]byte("(I1\nI2\ntp0\n."), bmemcached.FlagPickle, &text); err == nil {
		t.Errorf("Decode of a tuple into a string = %q, want an error", text)
	}
}

// What pickle.dumps makes, by protocol.
func TestUnpickle_ReadsDataOfEveryProtocol(t *testing.T) {
	long, _ := new(big.Int).SetString("1180591620717411303424", 10)
	for _, test := range []struct {
		name, pickle string
		want         any
	}{
		{"bytes, protocol 0", "c_codecs\nencode\np0\n(Vabc\np1\nVlatin1\np2\ntp3\nRp4\n.", []byte("abc")},
		{"bytes, protocol 4", "\x80\x04\x95\x07\x00\x00\x00\x00\x00\x00\x00C\x03abc\x94.", []byte("abc")},
		{"bytearray, protocol 5", "\x80\x05\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x96\x01\x00\x00\x00\x00\x00\x00\x00x\x94.", []byte("x")},
		{"large int, protocol 0", "L1180591620717411303424L\n.", long},
		{"large int, protocol 4", "\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x8a\t\x00\x00\x00\x00\x00\x00\x00\x00@.", long},
		{"nested, protocol 2", "\x80\x02}q\x00X\x01\x00\x00\x00aq\x01}q\x02X\x01\x00\x00\x00bq\x03K\x01N\x86q\x04ss.", map[string]any{"a": map[string]any{"b": []any{int64(1), nil}}}},
	} {
		if got, err := Unpickle([]byte(test.pickle)); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %#v, %v, want %#v", test.name, got, err, test.want)
		}
	}
}

func TestUnpickle_RefusesProgramsAndRunsNone(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, pickle := range map[string]string{
		"os.system, protocol 0":    string(evil.Value),
		"os.system, protocol 2":    "\x80\x02cposix\nsystem\nq\x00X\x0e\x00\x00\x00touch executedq\x01\x85q\x02Rq\x03.",
		"os.system, protocol 5":    "\x80\x05\x95)\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x0etouch executed\x94\x85\x94R\x94.",
		"os.system in a list":      "(lp0\ncposix\nsystem\np1\n(Vtouch executed\np2\ntp3\nRp4\na.",
		"os.system in a dict":      "(dp0\nVa\np1\ncposix\nsystem\np2\n(Vtouch executed\np3\ntp4\nRp5\ns.",
		"os.system by INST":        "(Vtouch executed\niposix\nsystem\n.",
		"os.system by OBJ":         "(cposix\nsystem\nVtouch executed\no.",
		"the function itself":      "cposix\nsystem\n.",
		"builtins.eval":            "\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
		"an object that is built":  "c__main__\nUser\n)\x81}b.",
		"a date":                   "\x80\x04\x95 \x00\x00\x00\x00\x00\x00\x00\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94C\x04\x07\xe8\x01\x02\x94\x85\x94R\x94.",
		"a persistent reference":   "P1\n.",
		"an extension":             "\x82\x01.",
		"a dict with a key of int": "(dp0\nI1\nVa\np1\ns.",
	} {
		if got, err := Unpickle([]byte(pickle)); err == nil {
			t.Errorf("%s = %#v, want an error", name, got)
		}
	}
	if _, err := os.Stat("executed"); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a pickle was executed: %v", err)
	}
}

func TestUnpickle_RefusesWhatStandsForTooMuch(t *testing.T) {
	for name, pickle := range map[string]string{
		"a long pickle":             "V" + strings.Repeat("x", maxLength) + "\n.",
		"tuples of the same tuples": ")" + strings.Repeat("2\x86", 60) + ".",
		"an int of many digits":     "L" + strings.Repeat("7", 1_000_000) + "L\n.",
		"a short one of many":       "I" + strings.Repeat("7", 5000) + "\n.",
		"floats next to zero":       "(" + strings.Repeat("F5e-324\n", 2000) + "t.",
		"deep nesting":              ")" + strings.Repeat("\x85", 1000) + ".",
		"nested references":         "N" + strings.Repeat("Q", 100_000) + ".",
		"half a string":             "X\xff\xff\xff\x7fhalf",
		"nothing":                   "",
		"an empty stack":            ".",
	} {
		if _, err := Unpickle([]byte(pickle)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzUnpickle(f *testing.F) {
	var all []stored
	if err := json.Unmarshal(samples, &all); err != nil {
		f.Fatal(err)
	}
	for _, s := range append(all, evil) {
		f.Add(s.Value)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := Unpickle(data)
		if err != nil {
			return
		}
		if !isData(value) {
			t.Errorf("Unpickle(%q) = %#v, which is not data", data, value)
		}
	})
}

func isData(value any) bool {
	switch v := value.(type) {
	case nil, bool, int64, float64, string, []byte, *big.Int:
		return true
	case []any:
		for _, item := range v {
			if !isData(item) {
				return false
			}
		}
		return true
	case map[string]any:
		for _, item := range v {
			if !isData(item) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

func TestRun_PrintsDataAndRefusesTheRest(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), func(string) string { return "" }, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines[:len(lines)-1] {
		if strings.Contains(line, "refused") {
			t.Errorf("run() printed %q", line)
		}
	}
	if last := lines[len(lines)-1]; !strings.Contains(last, "refused") || !strings.Contains(last, "more than data") {
		t.Errorf("run() ended with %q, want the program refused", last)
	}
}

func TestRun_OnServersOfTheEnvironment(t *testing.T) {
	server := memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "secret"}})
	env := map[string]string{
		"MEMCACHED_SERVERS":  server.Addr(),
		"MEMCACHED_USERNAME": "app", "MEMCACHED_PASSWORD": "secret",
	}
	var out bytes.Buffer
	if err := run(t.Context(), func(name string) string { return env[name] }, &out); err != nil {
		t.Fatal(err)
	}
	if server.RequestCount("SET") == 0 {
		t.Error("the server of the environment was not used")
	}
}
