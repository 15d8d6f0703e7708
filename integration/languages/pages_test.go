package languages_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	tcexec "github.com/testcontainers/testcontainers-go/exec"
)

// A page is documentation of one language, with a program for each side.
type page struct {
	file, fence string // the fence of the other language's program
	path        string // of that program in the container, or in a folder here
	command     []string
	onHost      bool
}

func pages() []page {
	return []page{
		{file: "PHP.md", fence: "php", path: "/tmp/page.php", command: []string{"php", "/tmp/page.php"}},
		{file: "RUBY.md", fence: "ruby", path: "/tmp/page.rb", command: []string{"ruby", "/tmp/page.rb"}},
		{file: "JAVA.md", fence: "java", path: "/tmp/Page.java", command: []string{"java", "/tmp/Page.java"}},
		{file: "PYTHON.md", fence: "python", path: "/tmp/page.py", command: []string{"python3", "/tmp/page.py"}},
		{file: "NODE.md", fence: "javascript", path: "page.js", command: []string{"node", "page.js"}, onHost: true},
	}
}

// fenced returns the blocks of a language that contain what is looked for.
func fenced(t *testing.T, text, language, contains string) (blocks []string) {
	t.Helper()
	for _, part := range strings.Split(text, "\n```"+language+"\n")[1:] {
		if block, _, ok := strings.Cut(part, "\n```\n"); ok && strings.Contains(block, contains) {
			blocks = append(blocks, block+"\n")
		}
	}
	if len(blocks) == 0 {
		t.Fatalf("no block of %s contains %q", language, contains)
	}
	return blocks
}

// environment says which servers programs use, and how they log in.
func environment(servers []string) []string {
	return []string{
		"MEMCACHED_SERVERS=" + strings.Join(servers, ","),
		"MEMCACHED_USERNAME=" + username, "MEMCACHED_PASSWORD=" + password,
	}
}

// TestPages runs the programs of the documentation: theirs, ours, and theirs again.
func TestPages(t *testing.T) {
	servers := language{}.start(t, 3)
	for _, p := range pages() {
		t.Run(p.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("../../binary", p.file))
			if err != nil {
				t.Fatal(err)
			}
			if err := (language{}).connect(t, servers...).FlushAll(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			env := environment(servers)
			theirs := fenced(t, string(text), p.fence, "MEMCACHED_SERVERS")[0]
			ours := fenced(t, string(text), "go", "package main")[0]
			outputs := fenced(t, string(text), "text", "")
			if got := p.run(t, theirs, env); got != "no order yet\n" {
				t.Errorf("their program says %q at first", got)
			}
			if got := runGo(t, ours, env); got != outputs[0] {
				t.Errorf("the program in Go says %q, the page %q", got, outputs[0])
			}
			if got := p.run(t, theirs, env); got != outputs[1] {
				t.Errorf("their program says %q, the page %q", got, outputs[1])
			}
		})
	}
}

// run runs the page's program in the other language and returns what it says.
func (p page) run(t *testing.T, program string, env []string) string {
	t.Helper()
	if p.onHost {
		needNode(t)
		return runHere(t, p.path, program, env, p.command...)
	}
	return languages(t).execute(t, p.path, program, env, p.command...)
}

// execute runs a program in the container and returns what it writes to its standard
// output.
func (m *machine) execute(t *testing.T, path, program string, env []string, command ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*answerLimit)
	defer cancel()
	if err := m.container.CopyToContainer(ctx, []byte(program), path, 0o644); err != nil {
		t.Fatal(err)
	}
	quiet := append([]string{"sh", "-c", `"$@" 2>/tmp/complaints || { cat /tmp/complaints; exit 1; }`, "sh"}, command...)
	code, output, err := m.container.Exec(ctx, quiet, tcexec.WithEnv(env), tcexec.Multiplexed())
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(output)
	if err != nil || code != 0 {
		t.Fatalf("%v: exit code %d, %v: %s", command, code, err, said)
	}
	return string(said)
}

// runGo runs a program with the modules of this one.
func runGo(t *testing.T, program string, env []string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	return output(t, "", env, "go", "run", file)
}

// runHere runs a program of Node.js.
func runHere(t *testing.T, name, program string, env []string, command ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Abs(filepath.Join(nodeModules, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	return output(t, dir, append(env, "NODE_PATH="+modules), command...)
}

// output returns what a command writes.
func output(t *testing.T, dir string, env []string, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(fmt.Errorf("%v: %w: %s", command, err, complaints.Bytes()))
	}
	return string(said)
}
