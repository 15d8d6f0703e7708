package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// rehearsal is the place of somebody who gets the modules from a proxy.
type rehearsal struct {
	root, version string
	dir           string // has a module of theirs
	env           []string
}

// newRehearsal releases the tree to a proxy of files. What others made comes
// from what this machine has already, then from its own proxy.
func newRehearsal(t *testing.T) *rehearsal {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	modules, err := findModules(root)
	if err != nil {
		t.Fatal(err)
	}
	r := &rehearsal{root: root, version: versionOf(t, modules), dir: t.TempDir()}
	known := filepath.ToSlash(filepath.Join(r.run(t, "env", "GOMODCACHE"), "cache", "download"))
	proxies := []string{serveFiles(t, root, r.version), "file://" + known, r.run(t, "env", "GOPROXY")}
	r.env = append(os.Environ(),
		"GOPROXY="+strings.Join(proxies, ","), "GONOPROXY=none", "GOPRIVATE=", "GOVCS=*:off",
		"GONOSUMDB="+home, // the sum of a version that does not exist is nowhere
		"GOMODCACHE="+t.TempDir(), "GOBIN="+t.TempDir(), "GOWORK=off",
		"GOFLAGS=-mod=mod -modcacherw -trimpath", // paths without folders: the build cache knows them again
	)
	return r
}

// run returns what the go command prints.
func (r *rehearsal) run(t *testing.T, args ...string) string {
	t.Helper()
	return r.command(t, "go", args...)
}

func (r *rehearsal) command(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// knowSums gives the module in dir the sums that ours know of others' modules.
func (r *rehearsal) knowSums(t *testing.T, modules []module) {
	t.Helper()
	var sums bytes.Buffer
	for _, m := range modules {
		content, err := os.ReadFile(filepath.Join(r.root, m.dir, "go.sum"))
		if err != nil {
			t.Fatal(err)
		}
		sums.Write(content)
	}
	writeFile(t, filepath.Join(r.dir, "go.sum"), sums.String())
}

// packages returns the paths of all packages that others can import, and of the
// commands that they can install.
func (r *rehearsal) packages(t *testing.T, modules []module) (libraries, commands []string) {
	t.Helper()
	for _, m := range modules {
		list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Name}} {{.ImportPath}}", "./...")
		list.Dir = filepath.Join(r.root, m.dir)
		out, err := list.Output()
		if err != nil {
			t.Fatalf("go list in %s: %v", m.dir, err)
		}
		for line := range strings.Lines(string(out)) {
			name, importPath, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch {
			case strings.Contains(importPath, "/internal/"):
			case name == "main":
				commands = append(commands, importPath)
			default:
				libraries = append(libraries, importPath)
			}
		}
	}
	return libraries, commands
}

// TestRehearsal_EverythingCanBeHad does what users will do with the version that
// the modules name, before it is released.
func TestRehearsal_EverythingCanBeHad(t *testing.T) {
	r := newRehearsal(t)
	modules, err := findModules(r.root)
	if err != nil {
		t.Fatal(err)
	}
	published := inOrder(modules)
	libraries, commands := r.packages(t, published)
	if len(libraries) < 15 || len(commands) < 1 {
		t.Fatalf("packages %q, commands %q", libraries, commands)
	}
	t.Run("packages", func(t *testing.T) {
		r.run(t, "mod", "init", "example.com/fresh")
		r.knowSums(t, published)
		r.get(t, published)
		var imports strings.Builder
		for _, name := range libraries {
			fmt.Fprintf(&imports, "\t_ %q\n", name)
		}
		writeFile(t, filepath.Join(r.dir, "main.go"), "package main\n\nimport (\n"+imports.String()+")\n\nfunc main() {}\n")
		r.run(t, "build", "./...")
	})
	for _, name := range commands {
		t.Run(path.Base(name), func(t *testing.T) { r.install(t, name) })
	}
	t.Run("programs", func(t *testing.T) { r.buildPrograms(t, modules, published) })
}

// get gets the modules and makes sure that they are those of the proxy.
func (r *rehearsal) get(t *testing.T, published []module) {
	t.Helper()
	args := []string{"get"}
	for _, m := range published {
		args = append(args, m.file.Module.Mod.Path+"@"+r.version)
	}
	r.run(t, args...)
	for _, m := range published {
		name := m.file.Module.Mod.Path
		if got, want := r.run(t, "list", "-m", name), name+" "+r.version; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func (r *rehearsal) install(t *testing.T, name string) {
	r.run(t, "install", name+"@"+r.version)
	program := filepath.Join(r.run(t, "env", "GOBIN"), path.Base(name))
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if built := r.run(t, "version", "-m", program); !strings.Contains(built, home+"\t"+r.version) {
		t.Errorf("installed is\n%s\nwant %s", built, r.version)
	}
	r.command(t, program, "--help")
}

var program = regexp.MustCompile("(?sm)^```go\n(package main\n.*?)^```")

// buildPrograms builds the examples, of which the pages show parts, and the
// programs that they show whole, as a module that has no clone beside it.
func (r *rehearsal) buildPrograms(t *testing.T, modules, published []module) {
	r.dir = t.TempDir()
	list, err := git(r.root, "ls-files", "-z", "examples", "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			t.Fatal(err)
		}
		if inside, ok := strings.CutPrefix(name, "examples/"); ok {
			writeFile(t, filepath.Join(r.dir, inside), string(content))
		}
		if path.Ext(name) == ".md" {
			for i, match := range program.FindAllSubmatch(content, -1) {
				folder := fmt.Sprintf("%s-%d", strings.ReplaceAll(name, "/", "-"), i)
				writeFile(t, filepath.Join(r.dir, "pages", folder, "main.go"), string(match[1]))
			}
		}
	}
	for _, m := range modules {
		if m.dir != "examples" {
			continue
		}
		for _, replaced := range m.file.Replace {
			r.run(t, "mod", "edit", "-dropreplace="+replaced.Old.Path)
		}
	}
	r.get(t, published)
	r.run(t, "build", "./...")
}
