package policy

import (
	"net/http"
	"slices"
	"testing"
)

func TestVaryFields(t *testing.T) {
	got := VaryFields([]string{"b, A ,", "a", " ,x-Y"})
	if want := []string{"A", "B", "X-Y"}; !slices.Equal(got, want) {
		t.Errorf("VaryFields = %q, want %q", got, want)
	}
}

func TestVaryValue_SameMeaningSameValue(t *testing.T) {
	tests := map[string]struct {
		field string
		a, b  []string
		same  bool
	}{
		"equal":                       {"Foo", []string{"1"}, []string{"1"}, true},
		"different":                   {"Foo", []string{"1"}, []string{"2"}, false},
		"absent and empty":            {"Foo", nil, []string{""}, false},
		"space":                       {"Foo", []string{"1,2"}, []string{"1, 2"}, false},
		"space before a comma":        {"Foo", []string{"1,2"}, []string{"1 ,2"}, false},
		"space around":                {"Foo", []string{"1"}, []string{" 1\t"}, false},
		"cookies":                     {"Cookie", []string{"a=1; b=2"}, []string{"a=1", "b=2"}, true},
		"lines":                       {"Foo", []string{"1, 2"}, []string{"1", "2"}, true},
		"empty elements":              {"Foo", []string{"1"}, []string{",1"}, false},
		"order":                       {"Foo", []string{"1, 2"}, []string{"2, 1"}, false},
		"case":                        {"Foo", []string{"a"}, []string{"A"}, false},
		"quoted space":                {"Foo", []string{`"a, b"`}, []string{`"a,b"`}, false},
		"language order":              {"Accept-Language", []string{"en, de"}, []string{"de, en"}, true},
		"language case":               {"Accept-Language", []string{"en, de"}, []string{"eN, De"}, true},
		"language space":              {"Accept-Language", []string{"en,de"}, []string{" en ,   de"}, true},
		"language weight":             {"Accept-Language", []string{"en;q=0.8, de"}, []string{"en, de;q=0.8"}, false},
		"language weight spelled out": {"Accept-Language", []string{"en;q=0.8, de"}, []string{"de;q=1.000, en; Q=0.80"}, true},
		"language, order by weight":   {"Accept-Language", []string{"en;q=0.8, de;q=0.9"}, []string{"de;q=0.9, en;q=0.8"}, true},
		"codings":                     {"Accept-Encoding", []string{"gzip, br"}, []string{"br;q=0.5", "X-GZIP"}, true},
		"codings, identity":           {"Accept-Encoding", []string{"gzip, identity"}, []string{"gzip"}, true},
		"codings, one refused":        {"Accept-Encoding", []string{"gzip, br;q=0"}, []string{"gzip"}, true},
		"codings, identity refused":   {"Accept-Encoding", []string{"gzip, identity;q=0"}, []string{"gzip"}, false},
		"codings, wildcard refused":   {"Accept-Encoding", []string{"gzip, *;q=0"}, []string{"gzip"}, false},
		"codings, wildcard":           {"Accept-Encoding", []string{"gzip, *"}, []string{"gzip"}, false},
		"codings, all but one":        {"Accept-Encoding", []string{"*, gzip;q=0"}, []string{"*"}, false},
		"codings, none":               {"Accept-Encoding", []string{""}, nil, false},
		"Accept keeps its order":      {"Accept", []string{"text/html, application/json"}, []string{"application/json, text/html"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, aok := VaryValue(http.Header{test.field: test.a}, test.field)
			b, bok := VaryValue(http.Header{test.field: test.b}, test.field)
			if same := a == b && aok == bok; same != test.same {
				t.Errorf("%s %q and %q = %q, %v and %q, %v: same %v, want %v", test.field, test.a, test.b, a, aok, b, bok, same, test.same)
			}
		})
	}
}

// TestAcceptEncoding_HasTheOrderOfBrowsers: a handler that takes the first coding that it
// knows takes the same as without the cache.
func TestAcceptEncoding_HasTheOrderOfBrowsers(t *testing.T) {
	for line, want := range map[string]string{
		"gzip, deflate, br, zstd":          "gzip, deflate, br, zstd",
		"zstd, br;q=0.5, deflate, X-GZIP":  "gzip, deflate, br, zstd",
		"compress, br":                     "br, compress",
		"dcb, aes128gcm, br, gzip":         "gzip, br, aes128gcm, dcb",
		"*;q=0.5, br;q=0, identity;q=0, a": "*, a, br;q=0, identity;q=0",
		"":                                 "",
	} {
		if got := AcceptEncoding([]string{line}); got != want {
			t.Errorf("Accept-Encoding: %s is %q, want %q", line, got, want)
		}
	}
}

func TestPlainValue_IgnoresWhiteSpaceOfLists(t *testing.T) {
	tests := map[string]struct {
		field string
		a, b  string
		same  bool
	}{
		"space":          {"Foo", "1,2", " 1,  2 ", true},
		"empty elements": {"Foo", "1", ",1", false},
		"quoted space":   {"Foo", `"a, b"`, `"a,b"`, false},
		"order":          {"Foo", "1,2", "2,1", false},
		"cookies":        {"Cookie", "a=1,2", "a=1, 2", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, _ := PlainValue(http.Header{test.field: {test.a}}, test.field)
			b, _ := PlainValue(http.Header{test.field: {test.b}}, test.field)
			if same := a == b; same != test.same {
				t.Errorf("%s %q and %q = %q and %q: same %v, want %v", test.field, test.a, test.b, a, b, same, test.same)
			}
		})
	}
}

// FuzzVaryValue: what handlers can tell apart has different values, but for the fields
// that they see in a plain form.
func FuzzVaryValue(f *testing.F) {
	f.Add("en;q=0.8, de", "gzip")
	f.Add(`"a, b"`, "br;q=0, *")
	f.Add("a ,b", "a,b")
	f.Fuzz(func(t *testing.T, one, two string) {
		for _, field := range []string{"Foo", "Accept-Language", "Accept-Encoding"} {
			joined, _ := VaryValue(http.Header{field: {one + ", " + two}}, field)
			lines, ok := VaryValue(http.Header{field: {one, two}}, field)
			// A quote that is open at the end of a line swallows the comma.
			if !ok || joined != lines && !slices.Contains([]byte(one), '"') {
				t.Errorf("%s: %q and %q on one line = %q, on two %q", field, one, two, joined, lines)
			}
		}
		a, _ := VaryValue(http.Header{"Foo": {one}}, "Foo")
		b, _ := VaryValue(http.Header{"Foo": {two}}, "Foo")
		if (a == b) != (one == two) {
			t.Errorf("%q and %q are %q and %q", one, two, a, b)
		}
		plain, ok := PlainValue(http.Header{"Foo": {one}}, "Foo")
		if again, _ := PlainValue(http.Header{"Foo": {plain}}, "Foo"); !ok || again != plain {
			t.Errorf("%q is plainly %q, and that %q", one, plain, again)
		}
	})
}
