package memcached_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary"
)

// isKey says what a key has to be, apart from the code that says it.
func isKey(s string) bool {
	if len(s) < 1 || len(s) > 250 {
		return false
	}
	for _, b := range []byte(s) {
		if b <= 0x20 || b == 0x7f {
			return false
		}
	}
	return true
}

func TestSafeKey_KeepsWhatIsFine(t *testing.T) {
	for _, tt := range []struct{ prefix, s, want string }{
		{"", "k", "k"},
		{"user:", "42", "user:42"},
		{"user:", "", "user:"},
		{"", strings.Repeat("k", 250), strings.Repeat("k", 250)},
		{"p", strings.Repeat("k", 249), "p" + strings.Repeat("k", 249)},
		{"", "größe", "größe"},
	} {
		if got := memcached.SafeKey(tt.prefix, tt.s); got != tt.want {
			t.Errorf("SafeKey(%q, %q) = %q, want it as it is", tt.prefix, tt.s, got)
		}
	}
}

func TestSafeKey_MakesAKeyOfAnything(t *testing.T) {
	for _, s := range []string{"", " ", "a b", "\x00", strings.Repeat("k", 251), strings.Repeat("k", 1<<20), "line\n", "https://example.com/?q=a b"} {
		for _, prefix := range []string{"", "p:", "p p:", strings.Repeat("p", 200), strings.Repeat("p", 300), "\n", "~sha256~"} {
			key := memcached.SafeKey(prefix, s)
			if !isKey(key) {
				t.Errorf("SafeKey(%q, %.20q) = %q, which is no key", prefix, s, key)
			}
			if again := memcached.SafeKey(prefix, s); again != key {
				t.Errorf("SafeKey(%q, %.20q) = %q and then %q", prefix, s, key, again)
			}
			if isKey(prefix) && len(prefix) < 190 && !strings.HasPrefix(key, prefix) {
				t.Errorf("SafeKey(%q, %.20q) = %q, want the prefix kept", prefix, s, key)
			}
		}
	}
}

// TestSafeKey_DoesNotCollide feeds outputs back in, with pieces cut off and put
// before.
func TestSafeKey_DoesNotCollide(t *testing.T) {
	for _, prefix := range []string{"", "p:", "a b", strings.Repeat("p", 199), strings.Repeat("p", 200), strings.Repeat("p", 250), "x~sha256", "~sha256~"} {
		inputs := []string{"", " ", "k", "a b", "a  b", "~", "~sha256~", "~sha256~x", "sha256~", strings.Repeat("k", 251)}
		for range 3 {
			for _, s := range inputs[:min(len(inputs), 60)] {
				key := memcached.SafeKey(prefix, s)
				inputs = append(inputs, key, strings.TrimPrefix(key, prefix), key+" ", " "+key)
				for _, cut := range []int{1, 7, 8, 9} {
					if len(key) > cut {
						inputs = append(inputs, key[cut:], key[:len(key)-cut])
					}
				}
			}
		}
		seen := map[string]string{}
		for _, s := range inputs {
			key := memcached.SafeKey(prefix, s)
			if other, ok := seen[key]; ok && other != s {
				t.Fatalf("SafeKey(%q, …) of %q and %q = %q", prefix, s, other, key)
			}
			seen[key] = s
		}
		if len(seen) < 60 {
			t.Errorf("only %d inputs", len(seen))
		}
	}
}

func FuzzSafeKey(f *testing.F) {
	f.Add("p:", "a b", "a b ")
	f.Add("", "~sha256~x", "x")
	f.Add(strings.Repeat("p", 260), "a", "b")
	f.Add("\n", "", "\x7f")
	f.Fuzz(func(t *testing.T, prefix, a, b string) {
		keyA, keyB := memcached.SafeKey(prefix, a), memcached.SafeKey(prefix, b)
		back := memcached.SafeKey(prefix, keyA)
		for s, key := range map[string]string{a: keyA, b: keyB, keyA: back} {
			if !isKey(key) {
				t.Errorf("SafeKey(%q, %q) = %q, which is no key", prefix, s, key)
			}
			if isKey(prefix+s) && !strings.Contains(prefix+s, "~sha256~") && key != prefix+s {
				t.Errorf("SafeKey(%q, %q) = %q, want it as it is", prefix, s, key)
			}
			if utf8.ValidString(prefix) && utf8.ValidString(s) && !utf8.ValidString(key) {
				t.Errorf("SafeKey(%q, %q) = %q, which is no UTF-8", prefix, s, key)
			}
		}
		if a != b && keyA == keyB {
			t.Errorf("SafeKey(%q, …) of %q and %q = %q", prefix, a, b, keyA)
		}
		if keyA != a && back == keyA {
			t.Errorf("SafeKey(%q, …) of %q and of its own output = %q", prefix, a, keyA)
		}
	})
}

// The keys of hashed strings stay as they are from version to version: caches
// outlive programs.
func TestSafeKey_Golden(t *testing.T) {
	got := fmt.Sprint(memcached.SafeKey("p:", "a b"), " ", memcached.SafeKey("\n", "k"))
	const want = "p:~sha256~rN84jXT5G7Y48pCFRk6FPPEmMPrQ8yPlkY03D4vk1b8 ~sha256~fTt-Pnone0H5gNszNOwlqWGt051VTjGy0REGXYRvZ-w"
	if got != want {
		t.Errorf("SafeKey = %q, want %q", got, want)
	}
}
