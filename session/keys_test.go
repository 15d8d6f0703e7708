package session

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"testing"
)

func testPair(t testing.TB, keys ...[]byte) *pair {
	t.Helper()
	pairs, err := newPairs(keys)
	if err != nil {
		t.Fatal(err)
	}
	return &pairs[0]
}

// keyOf is an authentication key that follows from a name.
func keyOf(name string) []byte {
	key := sha256.Sum256([]byte(name))
	return key[:]
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
		"one byte":               {{1}},
		"31 bytes":               {testKey[:31]},
		"nil":                    {nil},
		"encryption key of 20":   {testKey, make([]byte, 20)},
		"second pair of 31":      {testKey, nil, testKey[:31]},
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
