package memcached_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/bmemcached/bmemcached-go/"

// mayImport says, for every package of the module, which of the others its code
// may import: the layers point one way. What only tests import is not asked.
var mayImport = map[string][]string{
	"binary":                          {"binary/internal/ring", "binary/internal/wire", "binary/sasl"},
	"binary/cmd/bmc":                  {"binary", "binary/placement", "binary/sasl"},
	"binary/codec":                    {"binary/codec/internal/convert", "binary/codec/internal/limit", "binary/codec/internal/pack"},
	"binary/codec/bmemcached":         {"binary/codec", "binary/codec/internal/convert", "binary/codec/internal/pack"},
	"binary/codec/dalli":              {"binary/codec", "binary/codec/internal/convert", "binary/codec/internal/pack"},
	"binary/codec/internal/convert":   {"binary/codec/internal/limit"},
	"binary/codec/internal/golden":    nil,
	"binary/codec/internal/limit":     nil,
	"binary/codec/internal/pack":      {"binary/codec/internal/limit"},
	"binary/codec/nodememcached":      {"binary/codec", "binary/codec/internal/convert"},
	"binary/codec/phpmemcached":       {"binary/codec", "binary/codec/internal/convert", "binary/codec/internal/pack"},
	"binary/codec/spymemcached":       {"binary/codec", "binary/codec/internal/convert", "binary/codec/internal/pack"},
	"binary/discovery":                {"binary"},
	"binary/internal/ring":            nil,
	"binary/internal/saslserver":      nil,
	"binary/internal/wire":            nil,
	"binary/memcachedtest":            {"binary", "binary/internal/saslserver", "binary/internal/wire"},
	"binary/placement":                {"binary", "binary/internal/ring"},
	"binary/memcachedtest/clienttest": {"binary"},
	"binary/sasl":                     nil,
	"middleware":                      {"binary", "middleware/internal/policy", "middleware/internal/stored"},
	"middleware/internal/policy":      nil,
	"middleware/internal/stored":      {"middleware/internal/policy"},
	"session":                         {"binary"},
	"session/sessiontest":             {"binary", "session"},
	"store":                           {"binary", "binary/codec"},
}

// listImports returns what the code of each package below the module's root
// imports from within the module.
func listImports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = ".."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name, ok := strings.CutPrefix(fields[0], module)
		if !ok {
			t.Fatalf("go list names %q, want packages of %s", fields[0], module)
		}
		imports[name] = nil
		for _, path := range fields[1:] {
			if path, ok := strings.CutPrefix(path, module); ok {
				imports[name] = append(imports[name], path)
			}
		}
	}
	return imports
}

func TestImports_PointOneWay(t *testing.T) {
	imports := listImports(t)
	for name, paths := range imports {
		allowed, known := mayImport[name]
		if !known {
			t.Errorf("%s is a new package: say in mayImport what it may import (it imports %q)", name, paths)
			continue
		}
		for _, path := range paths {
			if !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s, which its layer must not know", name, path)
			}
		}
	}
}

// TestImports_NoTestingInProduction: what a program links must not contain the
// package testing, nor the server for tests.
func TestImports_NoTestingInProduction(t *testing.T) {
	for name := range mayImport {
		if strings.Contains(name, "/internal/") || strings.HasPrefix(name, "binary/memcachedtest") || name == "session/sessiontest" {
			continue // what uses them is asked, or they are for tests
		}
		cmd := exec.Command("go", "list", "-deps", "./"+name)
		cmd.Dir = ".."
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", name, err)
		}
		for _, dep := range strings.Fields(string(out)) {
			if dep == "testing" || strings.HasPrefix(dep, module+"binary/memcachedtest") || strings.HasPrefix(dep, module+"session/sessiontest") {
				t.Errorf("%s needs %s", name, dep)
			}
		}
	}
}

// TestImports_NestedModulesStayOutside: what only tests and examples need must
// not reach the go.mod of the library's users.
func TestImports_NestedModulesStayOutside(t *testing.T) {
	for _, dir := range []string{"integration", "integration/bench", "examples", "binary/otelmemcached", "binary/prommemcached"} {
		if _, err := os.Stat(filepath.Join("..", dir, "go.mod")); err != nil {
			t.Errorf("%s is no module of its own: %v", dir, err)
		}
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, foreign := range []string{"testcontainers", "docker", "moby", "gomemcache", "gomemcached", "memcachier", "scs", "chromedp", "redis", "miekg", "opentelemetry", "prometheus/client_golang"} {
		if strings.Contains(string(mod), foreign) {
			t.Errorf("go.mod of the library mentions %s", foreign)
		}
	}
}
