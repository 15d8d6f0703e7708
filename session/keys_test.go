package session

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/binary"
)

func testPair(t testing.TB, keys ...[]byte) *pair {
	t.Helper()
	pairs, err := newPairs(keys)
	if err != nil {
		t.Fatal(err)
	}
	return &pairs[0]
}

var testKey = []byte("0123456789abcdef0123456789abcdef")

func TestPRF_IsHKDFExpand(t *testing.T) {
	key := extract(testKey, "salt")
	want, err := hkdf.Expand(sha256.New, key, "labelinput", 32)
	if err != nil {
		t.Fatal(err)
	}
	p := newPRF(key)
	for range 3 { // instances are reused
		if got := p.derive("label", []byte("input")); !bytes.Equal(got[:], want) {
			t.Errorf("derive = %x, want %x", got, want)
		}
	}
}

func TestID_NamesAreUnrelated(t *testing.T) {
	i := newID()
	raw := base64.RawURLEncoding.EncodeToString(i[:])
	if i.location("") == i.public() || i.location("") == raw || i.public() == raw {
		t.Error("location, public name and ID are not three different strings")
	}
	if same := i; same.location("p") != i.location("p") || newID().location("p") == i.location("p") {
		t.Error("location does not follow the ID")
	}
}

func TestNewPairs_RefusesBadKeys(t *testing.T) {
	for name, keys := range map[string][][]byte{
		"none":                   nil,
		"empty":                  {{}},
		"nil":                    {nil},
		"encryption key of 20":   {testKey, make([]byte, 20)},
		"second pair empty":      {testKey, nil, {}},
		"second pair's block 15": {testKey, nil, testKey, make([]byte, 15)},
	} {
		if _, err := newPairs(keys); !errors.Is(err, ErrKeys) {
			t.Errorf("%s: newPairs = %v, want ErrKeys", name, err)
		}
	}
}

func TestNewPairs_CopiesTheKeys(t *testing.T) {
	mine := bytes.Clone(testKey)
	p := testPair(t, mine)
	value := p.encodeCookie("s", token{id: newID()})
	clear(mine)
	if _, ok := p.decodeCookie("s", value); !ok {
		t.Error("clearing the caller's key changed the store's")
	}
}

func TestValidPrefix(t *testing.T) {
	for _, prefix := range []string{"", "session:", strings.Repeat("p", 207)} {
		if got := validPrefix(prefix); got != prefix {
			t.Errorf("validPrefix(%q) = %q, want it unchanged", prefix, got)
		}
	}
	seen := map[string]bool{}
	for _, prefix := range []string{"a b", "a\n", strings.Repeat("p", 208), strings.Repeat("p", 1000), "\x00"} {
		got := validPrefix(prefix)
		if key := newID().location(got); memcached.SafeKey("", key) != key || seen[got] {
			t.Errorf("validPrefix(%q) = %q, want another one that makes keys", prefix, got)
		}
		seen[got] = true
	}
}
