package examples

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promise is how a sentence of the documentation begins, and the tests that hold it. A
// sentence without tests promises nothing: it is advice, says why, or what something
// else does.
type promise struct{ sentence, tests string }

// part is what stands between two places of a file; to is empty for its end. Of a
// folder it is the documentation of what its package exports.
type part struct{ file, from, to string }

// TestPromises_EverySentenceHasItsTest: each sentence of these parts is in the table of
// its package, each of the table is still there, and so are the tests.
func TestPromises_EverySentenceHasItsTest(t *testing.T) {
	tests := map[string][]string{} // by package
	for _, documentation := range []struct {
		name     string
		pkg      string // whose tests hold it; "": any
		promises []promise
		parts    []part
	}{
		{"operations", "", operationsPromises, []part{
			{"binary/OPERATIONS.md", "## A look at a server\n", "\n## When things fail"},
			{"binary/OPERATIONS.md", "\n## Monitoring\n", ""},
		}},
		{"faults", "", faultPromises, []part{{"binary/OPERATIONS.md", "\n## When things fail\n", "\n## Monitoring"}}},
		{"options", "", optionsPromises, []part{
			{"binary/options.go", "binary/sasl\"\n)", "\nconst ("},
			{"binary/doc.go", "// # Answers and faults\n", "\npackage memcached"},
		}},
		{"performance", "", performancePromises, []part{{"binary/PERFORMANCE.md", "# Performance\n", ""}}},
		{"readme", "", readmePromises, []part{{"README.md", "# bmemcached-go\n", ""}}},
		{"middleware", "middleware", middlewarePromises, []part{
			{"middleware/doc.go", "", "\npackage middleware"},
			{".github/SECURITY.md", "## Cached responses\n", "\n## Sessions"},
		}},
		{"credentials", "", credentialPromises, []part{{".github/SECURITY.md", "## Credentials\n", "\n## Keys and values"}}},
		{"session", "session", slices.Concat(sessionPromises, sessionDocumented), []part{
			{"session/doc.go", "", "\npackage session"},
			{"session", "", ""},
			{".github/SECURITY.md", "## Sessions\n", "\n## Threats"},
		}},
		{"store", "store", storePromises, []part{
			{"store/doc.go", "// # Time to live\n", "\npackage store"},
			{"store/getorload.go", "import (", "\nfunc (t *Typed[T]) GetOrLoad"},
		}},
	} {
		t.Run(documentation.name, func(t *testing.T) {
			var sentences []string
			for _, p := range documentation.parts {
				sentences = append(sentences, p.sentences(t)...)
			}
			if tests[documentation.pkg] == nil {
				tests[documentation.pkg] = testsOf(t, documentation.pkg)
			}
			checkPromises(t, sentences, documentation.promises, tests[documentation.pkg])
		})
	}
}

// TestPromises_SecurityNamesTestsThatExist, where its text names some.
func TestPromises_SecurityNamesTestsThatExist(t *testing.T) {
	tests := slices.Concat(testsOf(t, "middleware"), testsOf(t, "session"), testsOf(t, "binary"))
	text := read(t, ".github/SECURITY.md")
	for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(text, -1) {
		if !slices.Contains(tests, name[1]) {
			t.Errorf("SECURITY.md names %s, which there is not", name[1])
		}
	}
}

func checkPromises(t *testing.T, sentences []string, promises []promise, tests []string) {
	t.Helper()
	for _, sentence := range sentences {
		if !slices.ContainsFunc(promises, func(p promise) bool { return strings.HasPrefix(sentence, p.sentence) }) {
			t.Errorf("no test is named for %q", sentence)
		}
	}
	for _, p := range promises {
		if !slices.ContainsFunc(sentences, func(s string) bool { return strings.HasPrefix(s, p.sentence) }) {
			t.Errorf("nothing says %q any more", p.sentence)
		}
		for name := range strings.FieldsSeq(p.tests) {
			if !slices.Contains(tests, name) {
				t.Errorf("%q: there is no %s", p.sentence, name)
			}
		}
	}
}

// comment is a line of a comment; what is indented there is a program or a table.
var comment = regexp.MustCompile(`(?m)^\t?//(?: (.*)|$)`)

// fence is a program or what is typed, tableRule the line below the head of a table.
var (
	fence     = regexp.MustCompile("(?s)```.*?```")
	tableRule = regexp.MustCompile(`(?m)^\| --- .*\n`)
)

// sentenceEnd is where one sentence ends and another begins.
var sentenceEnd = regexp.MustCompile("(?:\\.|\\.\\)) ([A-Z0-9`\"\\[*]|nil: |false: )")

// sentences returns the sentences of p: in Go, those of its comments.
func (p part) sentences(t *testing.T) []string {
	t.Helper()
	if filepath.Ext(p.file) == "" {
		return sentencesIn(strings.Join(exportedDocs(t, p.file), "\n\n"))
	}
	_, rest, found := strings.Cut(read(t, p.file), p.from)
	text, ended := rest, true
	if p.to != "" {
		text, _, ended = strings.Cut(rest, p.to)
	}
	if !found || !ended {
		t.Fatalf("%s has no part from %q to %q", p.file, p.from, p.to)
	}
	if filepath.Ext(p.file) == ".go" {
		var lines []string
		for _, line := range comment.FindAllStringSubmatch(text, -1) {
			lines = append(lines, line[1])
		}
		text = strings.Join(lines, "\n")
	}
	return sentencesIn(text)
}

func sentencesIn(text string) (sentences []string) {
	text = fence.ReplaceAllString(text, "\n\n")
	text = regexp.MustCompile(`(?m)^ *(?:-|\d+\.) `).ReplaceAllString(text, "\n")
	text = tableRule.ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^\|`).ReplaceAllString(text, "\n|") // each row by itself
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		paragraph = strings.Join(strings.Fields(paragraph), " ")
		if paragraph == "" || strings.HasPrefix(paragraph, "#") || strings.HasPrefix(paragraph, "<!--") {
			continue
		}
		if strings.HasPrefix(paragraph, "|") {
			sentences = append(sentences, paragraph)
			continue
		}
		start := 0
		for _, end := range sentenceEnd.FindAllStringSubmatchIndex(paragraph, -1) {
			sentences = append(sentences, paragraph[start:end[2]-1])
			start = end[2]
		}
		sentences = append(sentences, paragraph[start:])
	}
	return sentences
}

// testsOf returns the names of the tests of a package and of those within it, of its
// tests on real servers, and of those here; "" is every package.
func testsOf(t *testing.T, pkg string) (names []string) {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && file != root:
			return filepath.SkipDir
		case !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		name, _ := filepath.Rel(root, file)
		name = filepath.ToSlash(name)
		if pkg != "" && !strings.HasPrefix(name, pkg+"/") && !strings.HasPrefix(name, "integration/"+pkg+"/") && name != "examples/promises_"+pkg+"_test.go" {
			return nil
		}
		for _, match := range declared.FindAllStringSubmatch(read(t, name), -1) {
			names = append(names, match[1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
