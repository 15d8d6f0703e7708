package saslserver

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"strings"
	"testing"
)

// users is a lookup over a map.
func users(m map[string]string) func(string) (string, bool) {
	return func(user string) (string, bool) {
		password, ok := m[user]
		return password, ok
	}
}

func TestSCRAM_PublishedExchanges(t *testing.T) {
	tests := []struct {
		name                                                                  string
		newHash                                                               func() hash.Hash
		salt, serverNonce, clientFirst, serverFirst, clientFinal, serverFinal string
	}{
		{
			name: "RFC 5802 section 5", newHash: sha1.New,
			salt: "QSXCR+Q6sek8bf92", serverNonce: "3rfcNHYJY1ZVvWVs7j",
			clientFirst: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			clientFinal: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			serverFinal: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
		{
			name: "RFC 7677 section 3", newHash: sha256.New,
			salt: "W22ZaJ0SNY7soEsUEjb6gQ==", serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			clientFirst: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			clientFinal: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSCRAM(test.newHash, users(map[string]string{"user": "pencil"}))
			s.nonce = test.serverNonce
			s.salt = func(string) []byte {
				salt, err := base64.StdEncoding.DecodeString(test.salt)
				if err != nil {
					t.Fatal(err)
				}
				return salt
			}
			for _, step := range [][2]string{{test.clientFirst, test.serverFirst}, {test.clientFinal, test.serverFinal}} {
				challenge, done, err := s.Next([]byte(step[0]))
				if err != nil || done || string(challenge) != step[1] {
					t.Fatalf("Next(%q) = %q, %v, %v, want %q, false, nil", step[0], challenge, done, err, step[1])
				}
			}
			if challenge, done, err := s.Next(nil); err != nil || !done || len(challenge) != 0 {
				t.Fatalf("Next(empty) = %q, %v, %v, want the end", challenge, done, err)
			}
			if got := s.User(); got != "user" {
				t.Errorf("User() = %q, want user", got)
			}
		})
	}
}

func TestCRAMMD5_PublishedExchange(t *testing.T) { // RFC 2195 section 2
	c := &cramMD5{
		lookup:    users(map[string]string{"tim": "tanstaaftanstaaf"}),
		challenge: []byte("<1896.697170952@postoffice.reston.mci.net>"),
	}
	challenge, done, err := c.Next(nil)
	if err != nil || done || string(challenge) != "<1896.697170952@postoffice.reston.mci.net>" {
		t.Fatalf("Next(empty) = %q, %v, %v, want the challenge", challenge, done, err)
	}
	if _, done, err = c.Next([]byte("tim b913a602c7eda7a495b4e6e7334d3890")); err != nil || !done {
		t.Errorf("Next(published response) = %v, %v, want true, nil", done, err)
	}
}

// TestNext_RefusesBadResponses plays responses up to the one that must fail.
func TestNext_RefusesBadResponses(t *testing.T) {
	const first = "n,,n=ann,r=abc"
	tests := []struct {
		name, mech string
		responses  []string
		refused    bool // wrong credentials rather than a broken protocol
	}{
		{"plain, wrong password", "PLAIN", []string{"\x00ann\x00wrong"}, true},
		{"plain, unknown user", "PLAIN", []string{"\x00bob\x00secret"}, true},
		{"plain, other identity", "PLAIN", []string{"bob\x00ann\x00secret"}, true},
		{"plain, two fields", "PLAIN", []string{"ann\x00secret"}, false},
		{"plain, four fields", "PLAIN", []string{"\x00ann\x00secret\x00"}, false},
		{"plain, empty", "PLAIN", []string{""}, false},
		{"plain, too long", "PLAIN", []string{"\x00ann\x00" + strings.Repeat("x", 4000)}, false},
		{"cram, initial response", "CRAM-MD5", []string{"ann 00"}, false},
		{"cram, no space", "CRAM-MD5", []string{"", "ann"}, false},
		{"cram, wrong digest", "CRAM-MD5", []string{"", "ann 00000000000000000000000000000000"}, true},
		{"cram, unknown user", "CRAM-MD5", []string{"", "bob 00000000000000000000000000000000"}, true},
		{"scram, unknown user", "SCRAM-SHA-256", []string{"n,,n=bob,r=abc"}, true},
		{"scram, other identity", "SCRAM-SHA-256", []string{"n,a=bob,n=ann,r=abc"}, true},
		{"scram, bad escape in the identity", "SCRAM-SHA-256", []string{"n,a==,n=ann,r=abc"}, false},
		{"scram, channel binding", "SCRAM-SHA-256", []string{"p=tls-unique,,n=ann,r=abc"}, false},
		{"scram, no header", "SCRAM-SHA-256", []string{"n=ann,r=abc"}, false},
		{"scram, no nonce", "SCRAM-SHA-256", []string{"n,,n=ann"}, false},
		{"scram, empty nonce", "SCRAM-SHA-256", []string{"n,,n=ann,r="}, false},
		{"scram, mandatory extension", "SCRAM-SHA-256", []string{"n,,m=x,n=ann,r=abc"}, false},
		{"scram, bad escape", "SCRAM-SHA-256", []string{"n,,n=a=2Dn,r=abc"}, false},
		{"scram, NUL", "SCRAM-SHA-256", []string{"n,,n=ann\x00,r=abc"}, false},
		{"scram, too long", "SCRAM-SHA-256", []string{first + strings.Repeat("x", 4000)}, false},
		{"scram, second empty response", "SCRAM-SHA-256", []string{"", ""}, false},
		{"scram, no proof", "SCRAM-SHA-256", []string{first, "c=biws,r=abc"}, false},
		{"scram, other nonce", "SCRAM-SHA-256", []string{first, "c=biws,r=abcd,p=AAAA"}, false},
		{"scram, other header", "SCRAM-SHA-256", []string{first, "c=eSws,r=abcNONCE,p=AAAA"}, false},
		{"scram, short proof", "SCRAM-SHA-256", []string{first, "c=biws,r=abcNONCE,p=AAAA"}, false},
		{"scram, wrong proof", "SCRAM-SHA-256", []string{first, "c=biws,r=abcNONCE,p=" + strings.Repeat("A", 43) + "="}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x, err := New(test.mech, users(map[string]string{"ann": "secret"}))
			if err != nil {
				t.Fatal(err)
			}
			if s, ok := x.(*scram); ok {
				s.nonce = "NONCE"
			}
			var done bool
			for i, response := range test.responses {
				_, done, err = x.Next([]byte(response))
				if i < len(test.responses)-1 && err != nil {
					t.Fatalf("Next(%q) = %v, want no error yet", response, err)
				}
			}
			if done || err == nil || errors.Is(err, ErrRefused) != test.refused {
				t.Errorf("last Next = %v, %v, want an error, ErrRefused %v", done, err, test.refused)
			}
			if x.User() != "" {
				t.Errorf("User() = %q, want none", x.User())
			}
			if _, done, err := x.Next(nil); done || err == nil {
				t.Errorf("Next after an error = %v, %v, want another error", done, err)
			}
		})
	}
}

func TestNext_AfterTheEnd(t *testing.T) {
	x, err := New("plain", users(map[string]string{"ann": "secret"}))
	if err != nil {
		t.Fatal(err)
	}
	good := []byte("\x00ann\x00secret")
	if _, done, err := x.Next(good); err != nil || !done || x.User() != "ann" {
		t.Fatalf("Next = %v, %v for %q, want ann to be done", done, err, x.User())
	}
	if _, done, err := x.Next(good); done || err == nil {
		t.Errorf("second Next = %v, %v, want an error", done, err)
	}
}

func TestNew_UnknownMechanism(t *testing.T) {
	if x, err := New("GSSAPI", nil); err == nil {
		t.Errorf("New(GSSAPI) = %v, want an error", x)
	}
}

// TestSCRAM_SaltIsStable: clients remember salted passwords by their salt.
func TestSCRAM_SaltIsStable(t *testing.T) {
	a, b, other := userSalt("ann"), userSalt("ann"), userSalt("bob")
	if string(a) != string(b) || string(a) == string(other) {
		t.Errorf("userSalt = %x, %x, other user %x, want equal, equal, different", a, b, other)
	}
}

func FuzzNext(f *testing.F) {
	f.Add(uint8(0), []byte("\x00ann\x00secret"), []byte(nil))
	f.Add(uint8(1), []byte(nil), []byte("ann 0123456789abcdef0123456789abcdef"))
	f.Add(uint8(2), []byte("n,,n=ann,r=abc"), []byte("c=biws,r=abcNONCE,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA="))
	f.Add(uint8(3), []byte("y,a=id,n=ann,r=abc,x=y"), []byte("c=eSxhPWlkLA==,r=abcNONCE,x=y,p=AAAA"))
	f.Fuzz(func(t *testing.T, mech uint8, first, second []byte) {
		x, err := New(Mechanisms[int(mech)%len(Mechanisms)], users(map[string]string{"ann": "secret"}))
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := x.(*scram); ok {
			s.nonce = "NONCE"
		}
		finished := false
		for _, response := range [][]byte{first, second, nil, nil} {
			_, done, err := x.Next(response)
			if done && (err != nil || x.User() != "ann") {
				t.Errorf("done with error %v for user %q, want nil for ann", err, x.User())
			}
			if finished && err == nil {
				t.Errorf("Next(%q) after the end succeeded", response)
			}
			finished = finished || done || err != nil
		}
	})
}
