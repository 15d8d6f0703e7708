package middleware_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reasonInCode is where the code gives a reason why a response is not stored.
var reasonInCode = regexp.MustCompile(`(?:Reason:|reason =|detail:|direct\(fwd\w+,|return) "([a-z][a-z -]+)"`)

// namesOfFields are reasons that are names of fields and directives.
var namesOfFields = []string{
	"authorization", "must-understand", "no-store", "only-if-cached", "private", "set-cookie", "trailer", "vary",
}

// TestCacheStatus_DocumentationNamesEveryReason: whoever wonders why a page is not
// stored looks into the documentation, not into the code.
func TestCacheStatus_DocumentationNamesEveryReason(t *testing.T) {
	documentation, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range append(files, "internal/policy/store.go") {
		if strings.HasSuffix(file, "_test.go") || file == "keys.go" {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range reasonInCode.FindAllStringSubmatch(string(code), -1) {
			found++
			reason := strings.ReplaceAll(match[1], " ", "-")
			if slices.Contains(namesOfFields, reason) {
				continue
			}
			line := regexp.MustCompile(`(?m)^//\t(?:.*[ =])?` + reason + `[ ,]`)
			if !line.Match(documentation) {
				t.Errorf("%s gives the reason %q, which doc.go does not explain", file, reason)
			}
		}
	}
	if found < 25 {
		t.Errorf("%d reasons were found in the code, want all", found)
	}
}
