package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"
)

// checkVersion accepts what a tag of these modules may say.
func checkVersion(version string) error {
	if semver.Canonical(version) != version || semver.Build(version) != "" || version == "" {
		return fmt.Errorf("VERSION is %q: want one as v0.1.0", version)
	}
	if major := semver.Major(version); major != "v0" && major != "v1" {
		return fmt.Errorf("VERSION is %s: the module paths end without /%s", version, major)
	}
	return nil
}

// check returns what keeps the modules from being released as version.
func check(root string, modules []module, version string) (problems []error) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf("- "+format, args...)) }
	for _, m := range modules {
		name := path.Join(m.dir, "go.mod")
		for required, at := range m.requires() {
			if at != version {
				add("%s requires %s %s: make release VERSION=%s PREPARE=yes sets it; commit that", name, required, at, version)
			}
		}
		for _, r := range m.file.Replace {
			// Those who require a module do not see its replacements, so that they
			// may say where ours are in a clone, and nothing else. go install
			// refuses a module that has any, and the root has commands.
			if m.published() && (m.dir == "." || !isOurs(r.Old.Path)) {
				add("%s replaces %s, which others would not have", name, r.Old.Path)
			}
		}
		if m.published() && hasTag(root, m.tag(version)) {
			add("the tag %s exists", m.tag(version))
		}
	}
	if got, want := len(inOrder(modules)), countPublished(modules); got != want {
		add("%d of %d modules have an order: they require each other, or one that is not released", got, want)
	}
	if !hasHeading(root, version) {
		add("CHANGELOG.md has no heading \"## %s\": what is unreleased gets it", version)
	}
	if status, err := git(root, "status", "--porcelain"); err != nil || status != "" {
		add("the work tree has changes: a tag would leave them out")
	}
	return problems
}

func countPublished(modules []module) (n int) {
	for _, m := range modules {
		if m.published() {
			n++
		}
	}
	return n
}

func hasTag(root, name string) bool {
	_, err := git(root, "rev-parse", "--verify", "--quiet", "refs/tags/"+name)
	return err == nil
}

// hasHeading reports whether the changelog says what is in version.
func hasHeading(root, version string) bool {
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(changelog)) {
		rest, ok := strings.CutPrefix(line, "## "+version)
		if ok && strings.IndexAny(rest, " \r\n") == 0 {
			return true
		}
	}
	return false
}

// setVersion makes every module require the others at version.
func setVersion(root string, modules []module, version string) error {
	for _, m := range modules {
		for required := range m.requires() {
			if err := m.file.AddRequire(required, version); err != nil {
				return err
			}
		}
		content, err := m.file.Format()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, m.dir, "go.mod"), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
