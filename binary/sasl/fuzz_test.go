package sasl

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzServerFirst decodes any first message: what is accepted is within bounds.
func FuzzServerFirst(f *testing.F) {
	for _, p := range published {
		f.Add(p.serverFirst, p.nonce)
	}
	f.Add("r=NONCExyz,s=QUJD,i=4096,x=y", "NONCE")
	f.Add("m=1,r=NONCExyz,s=QUJD,i=4096", "NONCE")
	f.Fuzz(func(t *testing.T, message, nonce string) {
		m, err := parseServerFirst(message, nonce)
		if err != nil {
			return
		}
		if m.iterations < minIterations || m.iterations > maxIterations || m.salt == "" ||
			len(m.nonce) <= len(nonce) || !strings.HasPrefix(m.nonce, nonce) || strings.ContainsAny(m.nonce, ", \x00\n") {
			t.Errorf("parseServerFirst(%q, %q) = %+v, out of bounds", message, nonce, m)
		}
	})
}

// FuzzScram plays any two challenges. No server that does not know the password
// may ever be believed, and no response may contain it.
func FuzzScram(f *testing.F) {
	for _, p := range published {
		f.Add([]byte(p.serverFirst), []byte("v=AAAA"))
	}
	f.Add([]byte("r=NONCExyz,s=QUJD,i=4096"), []byte("e=other-error"))
	f.Add([]byte("r=NONCExyz,s=QUJD,i=4096,x=y"), []byte("v=,x"))
	f.Add([]byte("m=1,r=NONCExyz,s=QUJD,i=4096"), []byte(nil))
	cache := newKeyCache()
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if m, err := parseServerFirst(string(first), "NONCE"); err == nil && m.iterations > 5000 {
			return // nothing new, only slow
		}
		for _, v := range []*scramVariant{scramSHA1, scramSHA256} {
			s, _ := v.start(cache, Credentials{Username: "user", Password: NewSecret("p3nc1l")}, "NONCE")
			failed := false
			for _, challenge := range [][]byte{first, second, nil} {
				response, err := s.Next(challenge)
				if failed && err == nil {
					t.Errorf("Next(%q) succeeded after an error", challenge)
				}
				failed = failed || err != nil
				if bytes.Contains(response, []byte("p3nc1l")) || bytes.ContainsAny(response, "\x00\n") {
					t.Errorf("Next(%q) = %q", challenge, response)
				}
				if s.Done() == nil {
					t.Fatalf("Done() = nil after %q, %q: a server without the password was believed", first, second)
				}
			}
		}
	})
}

// FuzzCramMD5 plays any challenge: the answer is a name and 32 digits, or none.
func FuzzCramMD5(f *testing.F) {
	f.Add([]byte("<1896.697170952@postoffice.reston.mci.net>"))
	f.Add([]byte(""))
	f.Add(bytes.Repeat([]byte("x"), maxChallenge+1))
	f.Fuzz(func(t *testing.T, challenge []byte) {
		s, _, err := startCramMD5(Credentials{Username: "tim", Password: NewSecret("p3nc1l")})
		if err != nil {
			t.Fatal(err)
		}
		response, err := s.Next(challenge)
		valid := len(challenge) > 0 && len(challenge) <= maxChallenge
		if (err == nil) != valid || (s.Done() == nil) != valid {
			t.Fatalf("Next with %d bytes = %v, Done %v", len(challenge), err, s.Done())
		}
		if valid && (len(response) != len("tim ")+32 || !bytes.HasPrefix(response, []byte("tim "))) {
			t.Errorf("Next(%q) = %q, want tim and 32 digits", challenge, response)
		}
	})
}
