package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	makeCommand  = regexp.MustCompile(`\bmake ([a-z-]+)`)
	goRunCommand = regexp.MustCompile(`go run \./([a-z/]+)`)
	bmcCommand   = regexp.MustCompile("(?m)(?:^|[ `])bmc ([^|#`>\n]+)")
	setAsCode    = regexp.MustCompile("(?s)```(?:sh|console)\n.*?```|`[^`\n]+`")
)

// codeOf returns what a page sets as code that is typed into a shell.
func codeOf(t *testing.T, page string) string {
	t.Helper()
	return strings.Join(setAsCode.FindAllString(read(t, page), -1), "\n")
}

func TestPages_NameCommandsThatExist(t *testing.T) {
	targets := read(t, "Makefile")
	for _, page := range pages {
		code := codeOf(t, page)
		for _, match := range makeCommand.FindAllStringSubmatch(code, -1) {
			if !strings.Contains(targets, "\n"+match[1]+":") {
				t.Errorf("%s: make has no target %s", page, match[1])
			}
		}
		for _, match := range goRunCommand.FindAllStringSubmatch(code, -1) {
			if _, err := os.Stat(match[1]); err != nil {
				t.Errorf("%s: %s: %v", page, match[0], err)
			}
		}
	}
}

// TestPages_NameCommandsOfBmc compares what pages say of bmc with its help,
// which tests of bmc keep true.
func TestPages_NameCommandsOfBmc(t *testing.T) {
	const folder = "binary/cmd/bmc/testdata/help"
	general := read(t, filepath.Join(folder, "bmc.txt"))
	found := 0
	for _, page := range pages {
		for _, match := range bmcCommand.FindAllStringSubmatch(codeOf(t, page), -1) {
			found++
			known := general
			words, _, _ := strings.Cut(match[1], " -- ")
			for _, word := range strings.Fields(words) {
				if own, err := os.ReadFile(filepath.Join(root, folder, word+".txt")); err == nil {
					known += string(own)
				}
			}
			for i, word := range strings.Fields(words) {
				flag, _, _ := strings.Cut(word, "=")
				switch {
				case strings.HasPrefix(word, "--") && word != "--help" && !strings.Contains(known, "  "+flag):
					t.Errorf("%s: bmc %s: there is no %s", page, match[1], flag)
				case i == 0 && !strings.HasPrefix(word, "--") && word != "help" && !strings.Contains(general, "\n  "+word+" "):
					t.Errorf("%s: bmc %s: there is no command %s", page, match[1], word)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("%d commands of bmc in the pages, want at least 20", found)
	}
}

// TestReadme_NamesTheOldestGo compares the README with go.mod and with what CI
// runs.
func TestReadme_NamesTheOldestGo(t *testing.T) {
	text := read(t, "README.md")
	for file, pattern := range map[string]string{
		"go.mod":                   `(?m)^go (\d+\.\d+)`,
		".github/workflows/ci.yml": `go-version: "(\d+\.\d+)"`,
		"examples/go.mod":          `(?m)^go (\d+\.\d+)`,
	} {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, file), -1) {
			if row := regexp.MustCompile(`(?m)^\| Go \| .*$`).FindString(text); !strings.Contains(row, match[1]) {
				t.Errorf("%s has Go %s, the README %q", file, match[1], row)
			}
		}
	}
	oldest := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	if oldest == nil || !strings.Contains(text, "| Go | "+oldest[1]+", the oldest") {
		t.Errorf("the README does not name %v as the oldest Go", oldest)
	}
}
