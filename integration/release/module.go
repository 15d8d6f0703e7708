package main

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// home is the path of the root module, and what those of the others begin with.
const home = "github.com/bmemcached/bmemcached-go"

// module is one of the repository.
type module struct {
	dir  string // "." or below the root, with slashes
	file *modfile.File
}

// findModules returns the modules whose go.mod git knows, the root's first.
func findModules(root string) ([]module, error) {
	list, err := git(root, "ls-files", "go.mod", "*/go.mod")
	if err != nil {
		return nil, err
	}
	var modules []module
	for _, name := range strings.Fields(list) {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		file, err := modfile.Parse(name, content, nil)
		if err != nil {
			return nil, err
		}
		modules = append(modules, module{dir: path.Dir(name), file: file})
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.dir, b.dir) })
	if len(modules) == 0 || modules[0].dir != "." {
		return nil, fmt.Errorf("no go.mod in %s", root)
	}
	return modules, nil
}

// published reports whether others can require m: examples and integration run
// from a clone only.
func (m module) published() bool {
	top, _, _ := strings.Cut(m.dir, "/")
	return top != "examples" && top != "integration"
}

// tag is the tag by which the go command finds m at version.
func (m module) tag(version string) string { return path.Join(m.dir, version) }

// requires returns the versions of this repository's modules that m requires,
// by their paths.
func (m module) requires() map[string]string {
	found := map[string]string{}
	for _, r := range m.file.Require {
		if isOurs(r.Mod.Path) {
			found[r.Mod.Path] = r.Mod.Version
		}
	}
	return found
}

// inOrder returns the published modules, each behind those that it requires:
// who gets one finds what it needs.
func inOrder(modules []module) (ordered []module) {
	done := map[string]bool{}
	for range modules { // every round finds one at least, as nothing requires itself
		for _, m := range modules {
			name := m.file.Module.Mod.Path
			ready := m.published() && !done[name]
			for required := range m.requires() {
				ready = ready && done[required]
			}
			if ready {
				done[name] = true
				ordered = append(ordered, m)
			}
		}
	}
	return ordered
}

func isOurs(modulePath string) bool {
	return modulePath == home || strings.HasPrefix(modulePath, home+"/")
}

// git returns what git prints.
func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimRight(string(out), "\n"), nil
}
