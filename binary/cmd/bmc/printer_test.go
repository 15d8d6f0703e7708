package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, keep, want string }{
		{"", "", ""},
		{"plain text, Grüße, 世界, 🚀 → ok", "", "plain text, Grüße, 世界, 🚀 → ok"},
		{"a\nb\tc", "", `a\nb\tc`},
		{"a\nb\tc\r", "\n\t", "a\nb\tc\\r"},
		{"\x1b[2J", "\n", `\x1b[2J`},
		{"\u009b2J", "", `\u009b2J`},
		{"\x9b2J\xff", "", `\x9b2J\xff`},
		{"a\u202eb\u200bc\ufeff", "", `a\u202eb\u200bc\ufeff`},
		{"it's \"quoted\"", "", "it's \"quoted\""},
		{"\U000e0001", "", `\U000e0001`},
		{"\x7f\x00", "", `\x7f\x00`},
	} {
		if got := printable(test.in, test.keep); got != test.want {
			t.Errorf("printable(%q, %q) = %q, want %q", test.in, test.keep, got, test.want)
		}
	}
}

// harmless reports whether text does nothing to a terminal but show something.
func harmless(text, keep string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsPrint(r) && !strings.ContainsRune(keep, r)
	})
}

func FuzzPrintable(f *testing.F) {
	f.Add("plain \x1b[31m \xff \u202e")
	f.Add("\xe2\x80")
	f.Fuzz(func(t *testing.T, text string) {
		if got := printable(text, "\n\t"); !harmless(got, "\n\t") {
			t.Errorf("printable(%q) = %q, which a terminal obeys", text, got)
		}
		if harmless(text, "\n\t") && printable(text, "\n\t") != text {
			t.Errorf("printable(%q) = %q, want it unchanged", text, printable(text, "\n\t"))
		}
	})
}

func FuzzEncodeJSON(f *testing.F) {
	f.Add("plain \x1b[31m \u202e \U000e0001 <&> \u2028")
	f.Add("\x7f\u009b")
	f.Fuzz(func(t *testing.T, text string) {
		encoded, err := encodeJSON(map[string]string{"text": text})
		if err != nil || !harmless(string(encoded), "\n") {
			t.Fatalf("encodeJSON(%q) = %q, %v", text, encoded, err)
		}
		var decoded map[string]string
		if err := json.Unmarshal(encoded, &decoded); err != nil {
			t.Fatalf("encodeJSON(%q) = %q: %v", text, encoded, err)
		}
		if want := strings.ToValidUTF8(text, "\ufffd"); utf8.ValidString(text) && decoded["text"] != want {
			t.Errorf("encodeJSON(%q) reads back as %q", text, decoded["text"])
		}
	})
}
