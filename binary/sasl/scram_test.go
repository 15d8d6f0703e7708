package sasl

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// published are the exchanges printed in the RFCs, for user "user" with
// password "pencil".
var published = []struct {
	name                                                  string
	variant                                               *scramVariant
	nonce, initial, serverFirst, clientFinal, serverFinal string
}{
	{
		name: "RFC 5802 section 5", variant: scramSHA1, nonce: "fyko+d2lbbFgONRv9qkxdawL",
		initial:     "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
		serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
		clientFinal: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		serverFinal: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
	},
	{
		name: "RFC 7677 section 3", variant: scramSHA256, nonce: "rOprNGfwEbeRWgbNEkqO",
		initial:     "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		clientFinal: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
	},
}

var pencil = Credentials{Username: "user", Password: NewSecret("pencil")}

func TestScram_PublishedExchanges(t *testing.T) {
	for _, p := range published {
		t.Run(p.name, func(t *testing.T) {
			s, initial := p.variant.start(newKeyCache(), pencil, p.nonce)
			if string(initial) != p.initial {
				t.Errorf("initial = %q, want %q", initial, p.initial)
			}
			response, err := s.Next([]byte(p.serverFirst))
			if err != nil || string(response) != p.clientFinal {
				t.Fatalf("Next(%q) = %q, %v, want %q", p.serverFirst, response, err, p.clientFinal)
			}
			if err := s.Done(); err == nil {
				t.Error("Done() before the server's signature = nil, want an error")
			}
			response, err = s.Next([]byte(p.serverFinal))
			if err != nil || response == nil || len(response) != 0 {
				t.Errorf("Next(%q) = %#v, %v, want an empty response", p.serverFinal, response, err)
			}
			if err := s.Done(); err != nil {
				t.Errorf("Done() = %v, want nil", err)
			}
			if s.password != nil {
				t.Error("the session still holds the password")
			}
		})
	}
}

// TestScram_BadServerMessages plays messages up to the one that must fail. The
// first of the published exchanges is the frame.
func TestScram_BadServerMessages(t *testing.T) {
	const nonce = "rOprNGfwEbeRWgbNEkqO"
	good := published[1].serverFirst
	first := func(s, i string) string { return "r=" + nonce + "XYZ,s=" + s + ",i=" + i }
	tests := []struct {
		name     string
		messages []string
		want     string // in the error
	}{
		{"empty", []string{""}, "malformed first message"},
		{"garbage", []string{"\x00\xff\xfe"}, "malformed first message"},
		{"fields missing", []string{"r=" + nonce + "XYZ"}, "malformed first message"},
		{"iterations missing", []string{"r=" + nonce + "XYZ,s=QSXCR+Q6sek8bf92"}, "malformed first message"},
		{"fields out of order", []string{"s=QSXCR+Q6sek8bf92,r=" + nonce + "XYZ,i=4096"}, "malformed first message"},
		{"mandatory extension", []string{"m=ext," + good}, "requires an extension"},
		{"other nonce", []string{"r=otherNonce,s=QSXCR+Q6sek8bf92,i=4096"}, "does not begin with the client's"},
		{"shorter nonce", []string{"r=rOpr,s=QSXCR+Q6sek8bf92,i=4096"}, "does not begin with the client's"},
		{"nonce of the client only", []string{"r=" + nonce + ",s=QSXCR+Q6sek8bf92,i=4096"}, "added nothing"},
		{"nonce not printable", []string{"r=" + nonce + "\x01,s=QSXCR+Q6sek8bf92,i=4096"}, "malformed nonce"},
		{"nonce not ASCII", []string{"r=" + nonce + "é,s=QSXCR+Q6sek8bf92,i=4096"}, "malformed nonce"},
		{"salt not base64", []string{first("!!!", "4096")}, "malformed salt"},
		{"salt with stray bits", []string{first("QQ=", "4096")}, "malformed salt"},
		{"salt empty", []string{first("", "4096")}, "malformed salt"},
		{"iterations empty", []string{first("QUJD", "")}, "malformed iteration count"},
		{"iterations not a number", []string{first("QUJD", "many")}, "malformed iteration count"},
		{"iterations with a sign", []string{first("QUJD", "+4096")}, "malformed iteration count"},
		{"iterations negative", []string{first("QUJD", "-4096")}, "malformed iteration count"},
		{"iterations with leading zero", []string{first("QUJD", "04096")}, "malformed iteration count"},
		{"iterations too few", []string{first("QUJD", "4095")}, "out of range"},
		{"iterations too many", []string{first("QUJD", "2000001")}, "out of range"},
		{"iterations beyond 64 bits", []string{first("QUJD", "99999999999999999999999")}, "out of range"},
		{"first message too long", []string{good + "," + strings.Repeat("x", maxChallenge)}, "challenge of"},
		{"final message empty", []string{good, ""}, "malformed final message"},
		{"final message garbage", []string{good, "\x00v="}, "malformed final message"},
		{"first message again", []string{good, good}, "malformed final message"},
		{"server error", []string{good, "e=invalid-proof"}, "refused: invalid-proof"},
		{"server error of its own", []string{good, "e=a\nb\x1b"}, "refused: other-error"},
		{"signature empty", []string{good, "v="}, "failed to prove"},
		{"signature not base64", []string{good, "v=?"}, "failed to prove"},
		{"signature of another password", []string{good, "v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="}, "failed to prove"},
		{"signature cut short", []string{good, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl9"}, "failed to prove"},
		{"final message too long", []string{good, "v=" + strings.Repeat("A", maxChallenge)}, "challenge of"},
		{"one message too many", []string{good, published[1].serverFinal, ""}, "after its last"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, _ := scramSHA256.start(newKeyCache(), pencil, nonce)
			var response []byte
			var err error
			for i, message := range test.messages {
				response, err = s.Next([]byte(message))
				if i < len(test.messages)-1 && err != nil {
					t.Fatalf("Next(%q) = %v, want no error yet", message, err)
				}
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "sasl: SCRAM-SHA-256: ") {
				t.Errorf("Next = %v, want an error with %q", err, test.want)
			}
			if response != nil {
				t.Errorf("Next = %q with an error, want no response", response)
			}
			if done := s.Done(); done == nil {
				t.Error("Done() = nil after an error, want an error")
			}
			if _, again := s.Next([]byte(good)); again == nil {
				t.Error("Next after an error = nil, want the error")
			}
		})
	}
}

func TestScram_ExtensionsAreIgnoredButSigned(t *testing.T) {
	s, _ := scramSHA256.start(newKeyCache(), pencil, published[1].nonce)
	response, err := s.Next([]byte(published[1].serverFirst + ",x=later"))
	if err != nil {
		t.Fatalf("Next = %v, want no error for an optional extension", err)
	}
	if string(response) == published[1].clientFinal {
		t.Error("the proof does not depend on the extension")
	}
}

func TestScram_NamesAreEscaped(t *testing.T) {
	_, initial := scramSHA1.start(newKeyCache(), Credentials{Identity: "a=b", Username: "u,=3D", Password: NewSecret("p")}, "N")
	const want = "n,a=a=3Db,n=u=2C=3D3D,r=N"
	if string(initial) != want {
		t.Errorf("initial = %q, want %q", initial, want)
	}
}

func TestScram_NonceIsNew(t *testing.T) {
	start := scramSHA256.starter(newKeyCache())
	seen := map[string]bool{}
	for range 100 {
		_, initial, err := start(pencil)
		if err != nil {
			t.Fatal(err)
		}
		_, nonce, _ := strings.Cut(string(initial), ",r=")
		if len(nonce) < 22 || seen[nonce] {
			t.Fatalf("nonce %q, want a new one of at least 128 bits", nonce)
		}
		seen[nonce] = true
	}
}

// countingVariant counts how often keys are derived: a derivation calls newHash
// more often than anything else, but any call at all is telling here.
func countingVariant(calls *atomic.Int64) *scramVariant {
	return &scramVariant{nameScramSHA256, func() hash.Hash {
		calls.Add(1)
		return sha256.New()
	}}
}

func TestKeyCache_DerivesOnce(t *testing.T) {
	var calls atomic.Int64
	v, cache := countingVariant(&calls), newKeyCache()
	results := make([]*scramKeys, 8)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			keys, err := cache.get(v, "pencil", "salt", minIterations)
			if err != nil {
				t.Errorf("get = %v, want no error", err)
			}
			results[i] = keys
		})
	}
	wg.Wait()
	once := calls.Load()
	if _, err := cache.get(v, "pencil", "salt", minIterations); err != nil {
		t.Fatal(err)
	}
	if got := calls.Load(); got != once {
		t.Errorf("hashes made = %d after another get, want still %d", got, once)
	}
	for _, keys := range results {
		if keys != results[0] {
			t.Fatal("concurrent gets derived different keys")
		}
	}
}

func TestKeyCache_AnythingElseDerivesAgain(t *testing.T) {
	cache := newKeyCache()
	seen := map[string]string{}
	for _, in := range []struct {
		v              *scramVariant
		password, salt string
		iterations     int
	}{
		{scramSHA256, "pencil", "salt", minIterations},
		{scramSHA1, "pencil", "salt", minIterations},
		{scramSHA256, "rotated", "salt", minIterations},
		{scramSHA256, "pencil", "other", minIterations},
		{scramSHA256, "pencil", "salt", minIterations + 1},
	} {
		keys, err := cache.get(in.v, in.password, in.salt, in.iterations)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s %s %s %d", in.v, in.password, in.salt, in.iterations)
		if other, ok := seen[string(keys.client)]; ok {
			t.Errorf("%s has the keys of %s", name, other)
		}
		seen[string(keys.client)] = name
	}
}

func TestKeyCache_IsBounded(t *testing.T) {
	cache := newKeyCache()
	for i := range 2 * maxKeys {
		id := keyID{salt: fmt.Sprint(i)}
		cache.makeRoom()
		cache.byID[id] = &scramKeys{}
	}
	if got := len(cache.byID); got != maxKeys {
		t.Errorf("keys = %d, want %d", got, maxKeys)
	}
}

func BenchmarkScramExchange(b *testing.B) {
	for name, cache := range map[string]func(shared *keyCache) *keyCache{
		"first":     func(*keyCache) *keyCache { return newKeyCache() },
		"reconnect": func(shared *keyCache) *keyCache { return shared },
	} {
		b.Run(name, func(b *testing.B) {
			shared := newKeyCache()
			p := published[1]
			for b.Loop() {
				s, _ := p.variant.start(cache(shared), pencil, p.nonce)
				if _, err := s.Next([]byte(p.serverFirst)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
