package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// repository makes one with a root, a module that requires it and examples.
func repository(t *testing.T, version string) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"CHANGELOG.md":  "# Changelog\n\n## v0.1.0 (today)\n",
		"go.mod":        "module " + home + "\n",
		"a/more/go.mod": "module " + home + "/a/more\n\nreplace " + home + " => ../../\n\nrequire " + home + " " + version + "\n",
		"examples/go.mod": "module " + home + "/examples\n\nreplace " + home + " => ../\n\nrequire (\n\t" +
			home + " " + version + "\n\t" + home + "/a/more " + version + "\n)\n",
	}
	for name, content := range files {
		change(t, root, name, content)
	}
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"config", "user.name", "test"},
		{"config", "user.email", "test@example.com"},
		{"config", "commit.gpgsign", "false"},
		{"config", "tag.gpgsign", "false"},
	} {
		if _, err := git(root, args...); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, root)
	return root
}

func change(t *testing.T, root, name, content string) {
	t.Helper()
	writeFile(t, filepath.Join(root, name), content)
}

func commit(t *testing.T, root string) {
	t.Helper()
	for _, args := range [][]string{{"add", "--all"}, {"commit", "--quiet", "--message", "change"}} {
		if _, err := git(root, args...); err != nil {
			t.Fatal(err)
		}
	}
}

const commands = `git tag -a v0.1.0 -m v0.1.0
git tag -a a/more/v0.1.0 -m a/more/v0.1.0
git push --atomic origin v0.1.0 a/more/v0.1.0
`

func TestRun_PrintsTheTagsInTheirOrder(t *testing.T) {
	root := repository(t, "v0.1.0")
	var out strings.Builder
	if err := run(&out, root, "v0.1.0", false, false); err != nil || out.String() != commands {
		t.Errorf("run printed %q, %v, want %q", out.String(), err, commands)
	}
	if hasTag(root, "v0.1.0") {
		t.Error("a tag was made, want it printed only")
	}
}

func TestRun_MakesTheTags(t *testing.T) {
	root := repository(t, "v0.1.0")
	var out strings.Builder
	if err := run(&out, root, "v0.1.0", false, true); err != nil || out.String() != commands {
		t.Errorf("run printed %q, %v, want %q", out.String(), err, commands)
	}
	for _, name := range []string{"v0.1.0", "a/more/v0.1.0"} {
		if !hasTag(root, name) {
			t.Errorf("no tag %s", name)
		}
	}
	if err := run(&out, root, "v0.1.0", false, true); err == nil || !strings.Contains(err.Error(), "the tag a/more/v0.1.0 exists") {
		t.Errorf("a second time: %v, want the tags that exist", err)
	}
}

func TestRun_PrepareSetsTheVersions(t *testing.T) {
	root := repository(t, "v0.0.0-00010101000000-000000000000")
	if err := run(nil, root, "v0.1.0", true, false); err != nil {
		t.Fatal(err)
	}
	commit(t, root)
	var out strings.Builder
	if err := run(&out, root, "v0.1.0", false, false); err != nil || out.String() != commands {
		t.Errorf("prepared, run printed %q, %v, want %q", out.String(), err, commands)
	}
}

func TestRun_SaysWhatIsMissing(t *testing.T) {
	for _, test := range []struct {
		name, at, version string
		change            func(t *testing.T, root string)
		want              string
	}{
		{"no version", "v0.1.0", "", nil, `VERSION is ""`},
		{"no v", "v0.1.0", "0.1.0", nil, `VERSION is "0.1.0"`},
		{"version of two numbers", "v0.1.0", "v0.1", nil, `VERSION is "v0.1"`},
		{"a path of another major version", "v0.1.0", "v2.0.0", nil, "without /v2"},
		{"nothing set", "v0.0.0", "v0.1.0", nil, "a/more/go.mod requires " + home + " v0.0.0"},
		{"examples not set", "v0.0.0", "v0.1.0", nil, "examples/go.mod requires " + home + "/a/more v0.0.0"},
		{"other version in the changelog", "v0.1.1", "v0.1.1", nil, `no heading "## v0.1.1"`},
		{"change that is not committed", "v0.1.0", "v0.1.0", func(t *testing.T, root string) {
			change(t, root, "new.go", "package new\n")
		}, "work tree has changes"},
		{"replacement in the root", "v0.1.0", "v0.1.0", func(t *testing.T, root string) {
			change(t, root, "go.mod", "module "+home+"\n\nreplace "+home+"/a/more => ./a/more\n")
		}, "go.mod replaces " + home + "/a/more"},
		{"replacement of somebody's module", "v0.1.0", "v0.1.0", func(t *testing.T, root string) {
			change(t, root, "a/more/go.mod", "module "+home+"/a/more\n\nreplace example.com/fork => ../fork\n")
		}, "a/more/go.mod replaces example.com/fork"},
		{"modules that require each other", "v0.1.0", "v0.1.0", func(t *testing.T, root string) {
			change(t, root, "go.mod", "module "+home+"\n\nrequire "+home+"/a/more v0.1.0\n")
		}, "0 of 2 modules have an order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := repository(t, test.at)
			if test.change != nil {
				test.change(t, root)
			}
			var out strings.Builder
			err := run(&out, root, test.version, false, true)
			if err == nil || !strings.Contains(err.Error(), test.want) || out.Len() > 0 {
				t.Errorf("run(%q) printed %q, %v, want %q", test.version, out.String(), err, test.want)
			}
			if hasTag(root, "v0.1.0") {
				t.Error("a tag was made all the same")
			}
		})
	}
}

// TestModules_OfThisRepository: between releases, too, every module requires the
// others at one version, which the rehearsal gives the tree.
func TestModules_OfThisRepository(t *testing.T) {
	modules, err := findModules(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	version := versionOf(t, modules)
	for _, m := range modules {
		for required, at := range m.requires() {
			if at != version {
				t.Errorf("%s requires %s %s, others %s", m.dir, required, at, version)
			}
		}
	}
	var dirs []string
	for _, m := range inOrder(modules) {
		dirs = append(dirs, m.dir)
	}
	if got := strings.Join(dirs, " "); got != ". binary/otelmemcached binary/prommemcached" {
		t.Errorf("published are %s", got)
	}
}

// versionOf returns the version at which modules require the root.
func versionOf(t *testing.T, modules []module) string {
	t.Helper()
	for _, m := range modules {
		if version := m.requires()[home]; version != "" {
			if err := checkVersion(version); err != nil || strings.HasPrefix(version, "v0.0.0") {
				t.Fatalf("%s requires the root at %s, %v, want the next release", m.dir, version, err)
			}
			return version
		}
	}
	t.Fatal("no module requires the root")
	return ""
}
