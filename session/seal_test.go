package session

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func sealerFor(p *pair, i id) *sealer {
	return newSealer(p.seal, p.id, "session", i[:], i.location("session:"))
}

func TestSeal_ComesBackAsItWas(t *testing.T) {
	p, i := testPair(t, testKey), newID()
	for _, size := range []int{0, 1, 100, 100_000} {
		plain := bytes.Repeat([]byte("x"), size)
		sealed := sealerFor(p, i).seal(plain)
		if len(sealed) != size+sealedExtra {
			t.Errorf("sealing %d bytes gives %d, want %d", size, len(sealed), size+sealedExtra)
		}
		got, err := sealerFor(p, i).open(sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("open of %d bytes = %d bytes, %v", size, len(got), err)
		}
	}
}

func TestSeal_EveryTimeAnew(t *testing.T) {
	s := sealerFor(testPair(t, testKey), newID())
	if bytes.Equal(s.seal([]byte("x")), s.seal([]byte("x"))) {
		t.Error("sealing twice gives the same bytes")
	}
}

func TestOpen_OnlyWithTheIDTheKeyAndThePrefix(t *testing.T) {
	p, i := testPair(t, testKey), newID()
	sealed := sealerFor(p, i).seal([]byte("secret"))
	other := testPair(t, keyOf("another key"))
	elsewhere := newSealer(p.seal, p.id, "session", i[:], i.location("admin:"))
	for name, s := range map[string]*sealer{
		"another ID": sealerFor(p, newID()), "another key": sealerFor(other, i), "another prefix": elsewhere,
	} {
		if got, err := s.open(bytes.Clone(sealed)); !errors.Is(err, ErrDecode) {
			t.Errorf("open with %s = %q, %v, want ErrDecode", name, got, err)
		}
	}
	if bytes.Contains(sealed, []byte("secret")) {
		t.Error("sealed bytes contain the plain ones")
	}
}

func TestOpen_EveryChangedByteIsRefused(t *testing.T) {
	s := sealerFor(testPair(t, testKey), newID())
	sealed := s.seal([]byte("value"))
	for n := range sealed {
		changed := bytes.Clone(sealed)
		changed[n] ^= 1
		if _, err := s.open(changed); !errors.Is(err, ErrDecode) {
			t.Errorf("open with byte %d changed: %v, want ErrDecode", n, err)
		}
		if _, err := s.open(bytes.Clone(sealed[:n])); !errors.Is(err, ErrDecode) {
			t.Errorf("open of %d bytes: %v, want ErrDecode", n, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := sealerFor(testPair(f, testKey), id{})
	f.Add(s.seal([]byte("value")))
	f.Add([]byte{})
	f.Add([]byte{sealVersion, 1, 2, 3, 4})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := s.open(bytes.Clone(data)); err != nil && !errors.Is(err, ErrDecode) {
			t.Fatalf("open: %v, want ErrDecode", err)
		}
	})
}

// Deriving the key, sealing and opening what a session of 1 KB takes.
func BenchmarkSealAndOpen(b *testing.B) {
	for _, size := range []int{100, 1024, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p, i, plain := testPair(b, testKey), newID(), make([]byte, size)
			b.ReportAllocs()
			for b.Loop() {
				s := sealerFor(p, i)
				if _, err := s.open(s.seal(plain)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
