package main

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary"
)

// keyMembers are what a program declares of a key.
type keyMembers struct {
	Key       *string
	KeyBase64 *string `json:"key_base64"`
}

// keyReply is what a program declares that has keys which are not UTF-8.
type keyReply struct {
	Result struct {
		keyMembers
		Items         []keyMembers
		Missing       []string
		MissingBase64 []string `json:"missing_base64"`
		Keys          any
		KeysBase64    []string `json:"keys_base64"`
	}
}

// binaryKeys are two that JSON cannot tell apart, and one that it can.
var binaryKeys = []string{"k\xff", "k\xfe", "ключ"}

func fromBase64(t *testing.T, texts ...string) (keys []string) {
	t.Helper()
	for _, text := range texts {
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, string(key))
	}
	return keys
}

func TestJSON_KeysThatAreNotUTF8(t *testing.T) {
	t.Parallel()
	server, s := secured(t, nil)
	for i, key := range binaryKeys {
		server.SetItem(&memcached.Item{Key: key, Value: []byte{'1' + byte(i)}})
	}
	var r keyReply
	s.run(append([]string{"get", "--json"}, binaryKeys...)...).wantError(0).decode(&r)
	for i, item := range r.Result.Items {
		// What a program reads it can hand back.
		s.run("get", item.check(t, binaryKeys[i])).want(0, string([]byte{'1' + byte(i)}))
	}
	if len(r.Result.Items) != len(binaryKeys) {
		t.Errorf("%d items, want %d", len(r.Result.Items), len(binaryKeys))
	}
}

func TestJSON_ListsOfKeysThatAreNotUTF8(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	want := func(what string, got []string) {
		t.Helper()
		if keys := fromBase64(t, got...); !slices.Equal(keys, binaryKeys) {
			t.Errorf("%s: %q, want %q", what, keys, binaryKeys)
		}
	}
	get := append([]string{"get", "--json"}, binaryKeys...)
	var r keyReply
	s.run(get...).wantError(exitMiss).decode(&r)
	want("missing", r.Result.MissingBase64)
	for _, key := range binaryKeys {
		r = keyReply{}
		s.run("--json", "set", key, "1").decode(&r)
		var want []string
		if !utf8.ValidString(key) {
			want = []string{key}
		}
		if got := fromBase64(t, r.Result.KeysBase64...); !slices.Equal(got, want) {
			t.Errorf("stored %q: keys_base64 has %q, want %q", key, got, want)
		}
	}
	for _, command := range []string{"touch --ttl 60", "delete"} {
		r = keyReply{}
		s.run(slices.Concat([]string{"--json"}, strings.Fields(command), binaryKeys)...).wantError(0).decode(&r)
		want(command, r.Result.KeysBase64)
	}
}

func TestJSON_OneKeyThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	_, s := secured(t, nil)
	for _, key := range binaryKeys {
		var r keyReply
		s.run("--json", "incr", key, "--initial", "1").wantError(0).decode(&r)
		r.Result.check(t, key)

		var placed struct {
			Result struct {
				Keys []keyMembers
			}
		}
		s.run("--json", "place", key).wantError(0).decode(&placed)
		placed.Result.Keys[0].check(t, key)
	}
}

// check fails the test unless the members say key, and returns what they say.
func (m keyMembers) check(t *testing.T, key string) string {
	t.Helper()
	got := ""
	if m.Key != nil {
		got = *m.Key
	}
	if isText := utf8.ValidString(key); isText != (m.KeyBase64 == nil) {
		t.Errorf("%q: key_base64 is %v", key, m.KeyBase64)
	} else if !isText {
		got = fromBase64(t, *m.KeyBase64)[0]
	}
	if m.Key == nil || got != key {
		t.Errorf("the key is %q, want %q", got, key)
	}
	return got
}
