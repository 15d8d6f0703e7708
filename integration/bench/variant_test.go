package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseVariant(t *testing.T) {
	values, err := parseVariant("laneBytes=1<<30, maxConns=4")
	if err != nil || !maps.Equal(values, map[string]string{"laneBytes": "1<<30", "maxConns": "4"}) {
		t.Errorf("parseVariant = %v, %v", values, err)
	}
	for _, bad := range []string{"", "name", "name=", "=4", "name=4,", "name=("} {
		if values, err := parseVariant(bad); err == nil {
			t.Errorf("parseVariant(%q) = %v, want an error", bad, values)
		}
	}
}

func TestReplaceIn(t *testing.T) {
	const source = `package p

const alone = 8 // a comment

const (
	first, second = 1, 2 << 3
	typed int     = 5
)

var alonely = alone
`
	changed, names, err := replaceIn([]byte(source), map[string]string{"alone": "16", "second": "1<<30", "typed": "f(6)", "alonely": "7"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(names, []string{"alone", "second", "typed"}) {
		t.Errorf("replaced %v", names)
	}
	want := strings.NewReplacer("= 8", "= 16", "2 << 3", "1<<30", "= 5", "= f(6)").Replace(source)
	if string(changed) != want {
		t.Errorf("replaceIn gives\n%s\nwant\n%s", changed, want)
	}
}

func TestReplaceConstants_NamesThoseThatAreNotThere(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.go": "package p\n\nconst a, twice = 1, 2\n", "b.go": "package p\n\nconst twice = 2\n", "b_test.go": "package p\n\nconst a = 1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	replaced, err := replaceConstants(dir, map[string]string{"a": "3"})
	if err != nil || len(replaced) != 1 || string(replaced[filepath.Join(dir, "a.go")]) != "package p\n\nconst a, twice = 3, 2\n" {
		t.Errorf("replaceConstants = %q, %v", replaced, err)
	}
	for _, name := range []string{"absent", "twice"} {
		if _, err := replaceConstants(dir, map[string]string{name: "3"}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("replaceConstants of %s = %v, want an error that names it", name, err)
		}
	}
}

// The variants that the curve shows are of constants that the client has.
func TestCurveVariants_AreOfTheClient(t *testing.T) {
	for text := range strings.SplitSeq(curveVariants, ";") {
		values, err := parseVariant(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := replaceConstants(filepath.Join("..", "..", "binary"), values); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
