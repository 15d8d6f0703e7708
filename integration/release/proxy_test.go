package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	modpath "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// serveFiles makes a module proxy of files that has the published modules of the
// repository at one version, as the go command would make them of its tags, and
// returns its address. What git does not know is not in it.
func serveFiles(t *testing.T, root, version string) string {
	t.Helper()
	modules, err := findModules(root)
	if err != nil {
		t.Fatal(err)
	}
	list, err := git(root, "ls-files", "-z")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSuffix(list, "\x00"), "\x00")
	proxy := t.TempDir()
	for _, m := range inOrder(modules) {
		dir := filepath.Join(proxy, filepath.FromSlash(m.file.Module.Mod.Path), "@v")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(root, m.dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "list"), version+"\n")
		writeFile(t, filepath.Join(dir, version+".info"), fmt.Sprintf("{%q: %q}", "Version", version))
		writeFile(t, filepath.Join(dir, version+".mod"), string(content))
		writeZip(t, filepath.Join(dir, version+".zip"), m, version, filesBelow(root, m.dir, names))
	}
	return "file://" + filepath.ToSlash(proxy)
}

// writeZip writes the files of m, without those of the modules inside it.
func writeZip(t *testing.T, name string, m module, version string, files []zip.File) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := zip.Create(f, modpath.Version{Path: m.file.Module.Mod.Path, Version: version}, files); err != nil {
		t.Fatalf("%s is no module that can be had: %v", m.dir, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// treeFile is a file of the repository, as package zip wants it.
type treeFile struct{ root, dir, name string }

func (f treeFile) Path() string {
	if f.dir == "." {
		return f.name
	}
	return strings.TrimPrefix(f.name, f.dir+"/")
}

func (f treeFile) location() string { return filepath.Join(f.root, filepath.FromSlash(f.name)) }

func (f treeFile) Lstat() (os.FileInfo, error) { return os.Lstat(f.location()) }

func (f treeFile) Open() (io.ReadCloser, error) { return os.Open(f.location()) }

// filesBelow returns those of the names that are in dir and there.
func filesBelow(root, dir string, names []string) (files []zip.File) {
	for _, name := range names {
		f := treeFile{root, dir, name}
		below := dir == "." || strings.HasPrefix(name, path.Clean(dir)+"/")
		if _, err := f.Lstat(); below && err == nil {
			files = append(files, f)
		}
	}
	return files
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
