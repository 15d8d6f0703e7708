package session

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
)

var cookiePairs = func() map[string]*pair {
	made := map[string]*pair{}
	for name, keys := range map[string][][]byte{
		"signed": {testKey}, "AES-128": {testKey, testKey[:16]}, "AES-192": {testKey, testKey[:24]}, "AES-256": {testKey, testKey[:32]},
	} {
		pairs, err := newPairs(keys)
		if err != nil {
			panic(err)
		}
		made[name] = &pairs[0]
	}
	return made
}()

func TestCookie_ComesBackAsItWas(t *testing.T) {
	for name, p := range cookiePairs {
		for _, want := range []token{{id: newID()}, {id: newID(), user: tag{1, 2, 3}, handle: handle{4}}, {id: newID(), idle: 7}, {id: newID(), user: tag{1}, handle: handle{2}, idle: 1 << 31}} {
			value := p.encodeCookie("s", want)
			if got, ok := p.decodeCookie("s", value); !ok || got != want {
				t.Errorf("%s: decodeCookie = %v, %t, want %v", name, got, ok, want)
			}
			if _, ok := p.decodeCookie("other", value); ok {
				t.Errorf("%s: a cookie of another name is accepted", name)
			}
			if len(value) > 156 {
				t.Errorf("%s: the cookie has %d bytes, want up to 156", name, len(value))
			}
			raw, err := base64.RawURLEncoding.DecodeString(value)
			if shown := bytes.Contains(raw, want.id[:]); err != nil || shown != (name == "signed") {
				t.Errorf("%s: the cookie shows the ID: %t, %v", name, shown, err)
			}
		}
	}
}

func TestCookie_HasOneText(t *testing.T) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for name, p := range cookiePairs {
		for _, want := range []token{{id: newID()}, {id: newID(), user: tag{1}}} {
			value, texts := p.encodeCookie("s", want), 0
			for _, digit := range digits {
				if _, ok := p.decodeCookie("s", value[:len(value)-1]+string(digit)); ok {
					texts++
				}
			}
			if texts != 1 {
				t.Errorf("%s: %d texts that differ in the last digit are the cookie, want 1", name, texts)
			}
			for _, text := range []string{value + "\n", "\r" + value, value[:9] + "\r\n" + value[9:], value + "=", value + " "} {
				if _, ok := p.decodeCookie("s", text); ok {
					t.Errorf("%s: %q is accepted, too", name, text)
				}
			}
		}
	}
}

func TestCookie_EncryptedAnewEachTime(t *testing.T) {
	p, same := cookiePairs["AES-256"], token{id: newID()}
	if first := p.encodeCookie("s", same); first == p.encodeCookie("s", same) {
		t.Error("encrypting twice gives the same cookie")
	}
}

func TestCookie_EveryChangedByteIsRefused(t *testing.T) {
	for name, p := range cookiePairs {
		value := p.encodeCookie("s", token{id: newID(), user: tag{1}})
		raw, _ := base64.RawURLEncoding.DecodeString(value)
		for i := range raw {
			raw[i] ^= 1
			if _, ok := p.decodeCookie("s", base64.RawURLEncoding.EncodeToString(raw)); ok {
				t.Errorf("%s: a cookie with byte %d changed is accepted", name, i)
			}
			raw[i] ^= 1
			if _, ok := p.decodeCookie("s", base64.RawURLEncoding.EncodeToString(raw[:i])); ok {
				t.Errorf("%s: a cookie of %d bytes is accepted", name, i)
			}
		}
		if _, ok := p.decodeCookie("s", value); !ok {
			t.Errorf("%s: the unchanged cookie is refused", name)
		}
	}
}

func TestCookie_OfAnotherPairIsRefused(t *testing.T) {
	for made, p := range cookiePairs {
		value := p.encodeCookie("s", token{id: newID()})
		for read, other := range cookiePairs {
			if _, ok := other.decodeCookie("s", value); ok != (made == read) {
				t.Errorf("a cookie of %s is accepted by %s", made, read)
			}
		}
		stranger := testPair(t, keyOf("another key"))
		if _, ok := stranger.decodeCookie("s", value); ok {
			t.Errorf("a cookie of %s is accepted under another key", made)
		}
	}
}

// Signed by us, but not what we sign.
func TestCookie_SignedContentOfAnotherKind(t *testing.T) {
	for name, p := range cookiePairs {
		for _, body := range [][]byte{
			{0},
			{cookieSigned},
			{cookieEncrypted},
			make([]byte, 33), append([]byte{3}, make([]byte, 32)...),
			append([]byte{cookieSigned}, make([]byte, 31)...), append([]byte{cookieSigned}, make([]byte, 40)...),
			append([]byte{cookieEncrypted}, make([]byte, 16)...), append([]byte{cookieEncrypted}, make([]byte, 47)...),
		} {
			mac := p.sign.derive("s", body)
			if _, ok := p.decodeCookie("s", cookieText.EncodeToString(append(bytes.Clone(body), mac[:]...))); ok {
				t.Errorf("%s: content %x is accepted", name, body)
			}
		}
	}
}

func TestCookieValues_AreThoseOfNetHTTP(t *testing.T) {
	for _, fields := range cookieFields {
		sameCookies(t, fields)
	}
}

// cookieFields are fields of requests, line by line.
var cookieFields = []string{
	"", "s=a", "s=a; s=b", "s=a;s=b", "x=1; s=a; y=2", "s=\"quoted\"", "s=\"", "s=", "s", "S=a", "ss=a; s", "s =a", " s = a ",
	"s=a=b", "s=a\ns=b; x=1", "; ;; s=a;", "s=a\t;\ts=b", "x=\"s=a; s=b\"", "s=a,s=b", "__Host-s=a; s=b",
}

func FuzzCookieValues(f *testing.F) {
	for _, fields := range cookieFields {
		f.Add(fields)
	}
	f.Fuzz(sameCookies)
}

// sameCookies fails the test unless cookieValues finds what net/http finds, as
// far as it can be a cookie of ours.
func sameCookies(t *testing.T, fields string) {
	r := &http.Request{Header: http.Header{"Cookie": strings.Split(fields, "\n")}}
	plausible := func(value string) bool {
		_, err := cookieText.DecodeString(value)
		return value != "" && err == nil && !strings.ContainsAny(value, "\r\n")
	}
	var want, got []string
	for _, c := range r.CookiesNamed("s") {
		if plausible(c.Value) {
			want = append(want, c.Value)
		}
	}
	cookieValues(r.Header, "s", func(value string) bool {
		if plausible(value) {
			got = append(got, value)
		}
		return true
	})
	if !slices.Equal(got, want) {
		t.Errorf("%q: cookieValues = %q, net/http has %q", fields, got, want)
	}
}

func FuzzDecodeCookie(f *testing.F) {
	for _, p := range cookiePairs {
		f.Add(p.encodeCookie("s", token{}))
		f.Add(p.encodeCookie("s", token{user: tag{1}}))
	}
	f.Add("")
	f.Add("AAAA|BBBB|CCCC")
	f.Fuzz(func(t *testing.T, value string) {
		for name, p := range cookiePairs {
			if got, ok := p.decodeCookie("s", value); ok && name == "signed" && p.encodeCookie("s", got) != value {
				t.Errorf("%q and another text are one cookie", value)
			}
		}
	})
}
