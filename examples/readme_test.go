// Package examples holds programs that use the library, and this test of its
// pages.
package examples

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository.
const root = ".."

// pages are what people read.
var pages = []string{
	"README.md", "binary/PYTHON.md", "binary/GOMEMCACHE.md", "binary/PERFORMANCE.md", "binary/OPERATIONS.md", ".github/SECURITY.md",
	"binary/cmd/bmc/README.md", "binary/placement/README.md", "examples/gocache/README.md",
	".github/CONTRIBUTING.md", ".github/ARCHITECTURE.md",
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// sources returns the lines of all examples that are compiled, by file.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir // .git and the like
		case d.IsDir():
			return nil
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		example := strings.HasPrefix(d.Name(), "example") && strings.HasSuffix(name, "_test.go")
		if !example && (!strings.HasPrefix(name, "examples/") || !strings.HasSuffix(name, ".go")) {
			return nil
		}
		files[name] = codeLines(read(t, name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// codeLines returns lines without indentation and alignment. Empty ones are left
// out, and those by which examples lead names to servers inside the process.
func codeLines(code string) []string {
	var lines []string
	for line := range strings.Lines(code) {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && line != "DialContext: f.DialContext," {
			lines = append(lines, line)
		}
	}
	return lines
}

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// TestPages_ShowCodeThatCompiles demands that every block of Go is a program,
// which programs_test.go builds, or an excerpt of an example. A line "…" stands
// for what was left out.
func TestPages_ShowCodeThatCompiles(t *testing.T) {
	files := sources(t)
	blocks := 0
	for _, page := range pages {
		for _, block := range goBlock.FindAllStringSubmatch(read(t, page), -1) {
			blocks++
			if strings.HasPrefix(block[1], "package ") {
				continue
			}
			lines := codeLines(block[1])
			found := false
			for _, source := range files {
				found = found || isExcerpt(lines, source)
			}
			if !found {
				t.Errorf("%s: this is in no example:\n%s", page, block[1])
			}
		}
	}
	if blocks < 10 {
		t.Errorf("%d blocks of Go in the pages, want at least 10", blocks)
	}
}

// figures is what the README and RESULTS.md both show of the last run.
var figures = regexp.MustCompile(`(?s)<!-- figures of the last run[^>]*-->\n(.*?)<!-- end of figures -->`)

func TestReadme_FiguresAreThoseOfTheLastRun(t *testing.T) {
	shown := figures.FindAllString(read(t, "README.md"), -1)
	measured := figures.FindAllString(read(t, "integration/bench/RESULTS.md"), -1)
	if len(shown) != 1 || !slices.Equal(shown, measured) {
		t.Errorf("the README shows figures\n%s\nRESULTS.md has\n%s", shown, measured)
	}
}

func isExcerpt(lines, source []string) bool {
	for len(lines) > 0 {
		end := slices.Index(lines, "…")
		if end < 0 {
			end = len(lines)
		}
		at := indexOf(source, lines[:end])
		if at < 0 {
			return false
		}
		source = source[at+end:]
		lines = lines[min(end+1, len(lines)):]
	}
	return true
}

func indexOf(source, part []string) int {
	for i := 0; i+len(part) <= len(source); i++ {
		if slices.Equal(source[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

var (
	code    = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N} -]`)
)

func TestPages_LinkToWhatIsThere(t *testing.T) {
	for _, page := range pages {
		text := code.ReplaceAllString(read(t, page), "")
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			name := page
			if target != "" {
				name = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s links to %s: %v", page, match[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, name)), anchor) {
				t.Errorf("%s links to %s, and there is no such heading", page, match[1])
			}
		}
	}
}

func anchors(page string) (slugs []string) {
	for _, match := range heading.FindAllStringSubmatch(page, -1) {
		slug := notSlug.ReplaceAllString(strings.ToLower(match[1]), "")
		slugs = append(slugs, strings.ReplaceAll(slug, " ", "-"))
	}
	return slugs
}

var exampleLink = regexp.MustCompile(`\[(Example\w+)\]\(([^)]+)\)`)

func TestPythonGuide_HasAnExamplePerRow(t *testing.T) {
	wantExamplePerRow(t, "binary/PYTHON.md", "The arguments of the constructor", 20)
}

// TestGomemcacheGuide_HasEveryMethod: the methods are those of its client and its
// list of servers.
func TestGomemcacheGuide_HasEveryMethod(t *testing.T) {
	const page = "binary/GOMEMCACHE.md"
	wantExamplePerRow(t, page, "Fields and errors", 14)
	text := read(t, page)
	for _, name := range []string{
		"New", "NewFromSelector", "Add", "Append", "Close", "CompareAndSwap", "Decrement", "Delete", "DeleteAll", "FlushAll", "Get",
		"GetAndTouch", "GetMulti", "Increment", "Ping", "Prepend", "Replace", "Set", "Touch", "SetServers", "Each", "PickServer",
		"DialContext", "Timeout", "MaxIdleConns", "Expiration", "CasID", "ErrCacheMiss", "ErrCASConflict", "ErrNotStored",
		"ErrServerError", "ErrMalformedKey", "ErrNoServers",
	} {
		if !regexp.MustCompile(`(?m)^\| [^|]*\b` + name + `\b`).MatchString(text) {
			t.Errorf("%s: %s is in no row", page, name)
		}
	}
}

// wantExamplePerRow looks for an example with output in each row of the first
// table of a page, which ends before a text.
func wantExamplePerRow(t *testing.T, page, end string, atLeast int) {
	t.Helper()
	text := read(t, page)
	links := exampleLink.FindAllStringSubmatch(text, -1)
	for _, match := range links {
		file := read(t, filepath.Join(filepath.Dir(page), match[2]))
		_, after, found := strings.Cut(file, "func "+match[1]+"() {")
		body, _, _ := strings.Cut(after, "\n}\n")
		if !found || !strings.Contains(body, "// Output:") {
			t.Errorf("%s: %s is no example with output in %s", page, match[1], match[2])
		}
	}
	methods, _, _ := strings.Cut(text, end)
	rows := 0
	for line := range strings.Lines(methods) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| python") || strings.HasPrefix(line, "| gomemcache") {
			continue
		}
		rows++
		if !exampleLink.MatchString(line) {
			t.Errorf("%s: no example in the row %s", page, line)
		}
	}
	if rows < atLeast {
		t.Errorf("%s has %d methods, want at least %d", page, rows, atLeast)
	}
}

// TestReadme_HasTheNumbersOfTheResults compares the table of the README with the
// file that the conformance run writes.
func TestReadme_HasTheNumbersOfTheResults(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\| .* \| \d+ of \d+ \| \d+ of \d+ \| \d+ of \d+ \|$`)
	_, newest, _ := strings.Cut(read(t, "integration/conformance/RESULTS.md"), "## The newest version")
	want, got := row.FindAllString(newest, -1), row.FindAllString(read(t, "README.md"), -1)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("the README has\n%s\nwant the rows of RESULTS.md for the newest version\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestReadme_EveryOperationHasAnExample: each method of the client is shown by one
// with its name.
func TestReadme_EveryOperationHasAnExample(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^func \(c \*Client\) ([A-Z]\w*)\(`)
	var examples strings.Builder
	files, err := filepath.Glob(filepath.Join(root, "binary/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string]bool{}
	for _, file := range files {
		text := read(t, strings.TrimPrefix(file, root))
		if strings.HasPrefix(filepath.Base(file), "example") {
			examples.WriteString(text)
		} else if !strings.HasSuffix(file, "_test.go") {
			for _, match := range declared.FindAllStringSubmatch(text, -1) {
				methods[match[1]] = true
			}
		}
	}
	delete(methods, "Options") // no operation
	for method := range methods {
		if !strings.Contains(examples.String(), "client."+method+"(") {
			t.Errorf("no example shows %s", method)
		}
	}
	if len(methods) < 25 {
		t.Errorf("the client has %d methods, want at least 25", len(methods))
	}
}

// TestReadme_PlacementsAreThere: the README names functions of package placement, and
// how many configurations of how many clients its table has.
func TestReadme_PlacementsAreThere(t *testing.T) {
	text, table := read(t, "README.md"), read(t, "binary/placement/README.md")
	var source strings.Builder
	files, err := filepath.Glob(filepath.Join(root, "binary/placement/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source.WriteString(read(t, strings.TrimPrefix(file, root)))
	}
	for _, name := range regexp.MustCompile("`placement\\.(\\w+)`").FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`(?m)^\s*(?:func |var )?` + name[1] + `\b`).MatchString(source.String()) {
			t.Errorf("the README names placement.%s, which there is not", name[1])
		}
	}
	rows, clients := 0, map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^\| ([^|]+?) \| [^|]+ \| (?:yes|no|) *\|`).FindAllStringSubmatch(table, -1) {
		rows++
		clients[regexp.MustCompile(` v?\d.*$`).ReplaceAllString(match[1], "")] = true
	}
	if want := fmt.Sprintf("has %d configurations of %d clients", rows, len(clients)); !strings.Contains(text, want) {
		t.Errorf("the README does not say that the table %s", want)
	}
}

// codeReference is how ARCHITECTURE.md names a place: a file, and perhaps a name in it.
var codeReference = regexp.MustCompile("`((?:binary|store|middleware|session|integration|examples)[\\w./]*?)(?::(\\w+))?`")

// TestArchitecture_NamesWhatIsThere looks for every file and name that
// ARCHITECTURE.md points to.
func TestArchitecture_NamesWhatIsThere(t *testing.T) {
	const page = ".github/ARCHITECTURE.md"
	found := codeReference.FindAllStringSubmatch(read(t, page), -1)
	if len(found) < 60 {
		t.Fatalf("%s: %d references, want at least 60", page, len(found))
	}
	for _, match := range found {
		file, name := match[1], match[2]
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Errorf("%s points to %s: %v", page, file, err)
			continue
		}
		if name == "" {
			continue
		}
		declaration := regexp.MustCompile(`(?m)^(func (\([^)]*\) )?|type )` + name + `\b`)
		if !declaration.MatchString(read(t, file)) {
			t.Errorf("%s points to %s in %s, which is not declared there", page, name, file)
		}
	}
}
