package session

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
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
	if i.location() == i.public() || i.location() == raw || i.public() == raw {
		t.Error("location, public name and ID are not three different strings")
	}
	if same := i; same.location() != i.location() || newID().location() == i.location() {
		t.Error("location does not follow the ID")
	}
}

func TestCookie_ComesBackAsItWas(t *testing.T) {
	for name, p := range map[string]*pair{"signed": testPair(t, testKey), "encrypted": testPair(t, testKey, testKey)} {
		for _, want := range []token{{id: newID()}, {id: newID(), user: tag{1, 2, 3}}} {
			value, err := p.encodeCookie("s", want)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := p.decodeCookie("s", value); !ok || got != want {
				t.Errorf("%s: decodeCookie = %v, %t, want %v", name, got, ok, want)
			}
			if _, ok := p.decodeCookie("other", value); ok {
				t.Errorf("%s: a cookie of another name is accepted", name)
			}
			plain, _ := base64.URLEncoding.DecodeString(value)
			id := base64.URLEncoding.EncodeToString(append([]byte{cookieVersion}, want.id[:]...))
			if shown := strings.Contains(string(plain), strings.TrimRight(id, "=")[:40]); shown != (name == "signed") {
				t.Errorf("%s: the cookie shows the ID: %t", name, shown)
			}
		}
	}
}

func TestCookie_EveryChangedByteIsRefused(t *testing.T) {
	p := testPair(t, testKey)
	value, err := p.encodeCookie("s", token{id: newID()})
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.URLEncoding.DecodeString(value)
	for i := range raw {
		raw[i] ^= 1
		if _, ok := p.decodeCookie("s", base64.URLEncoding.EncodeToString(raw)); ok {
			t.Errorf("a cookie with byte %d changed is accepted", i)
		}
		raw[i] ^= 1
	}
}

func TestCookie_SignedContentOfAnotherKind(t *testing.T) {
	p := testPair(t, testKey)
	for _, content := range [][]byte{{}, {cookieVersion}, make([]byte, 33), append([]byte{2}, make([]byte, 32)...), append([]byte{1}, make([]byte, 40)...)} {
		value, err := p.cookie.Encode("s", append([]byte(nil), content...))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := p.decodeCookie("s", value); ok && content[0] != cookieVersion {
			t.Errorf("content %x is accepted", content)
		}
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
	value, err := p.encodeCookie("s", token{id: newID()})
	if err != nil {
		t.Fatal(err)
	}
	clear(mine)
	if _, ok := p.decodeCookie("s", value); !ok {
		t.Error("clearing the caller's key changed the store's")
	}
}

func FuzzDecodeCookie(f *testing.F) {
	p := testPair(f, testKey)
	value, _ := p.encodeCookie("s", token{})
	f.Add(value)
	f.Add("")
	f.Add("AAAA|BBBB|CCCC")
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := p.decodeCookie("s", s); ok && s != value {
			t.Skip() // another encoding of the same bytes
		}
	})
}
