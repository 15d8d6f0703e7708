package examples

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/memcachedtest"
)

// wholeProgram matches what the pages show in one piece. Everything else is an
// excerpt of an example.
var wholeProgram = regexp.MustCompile("(?sm)^```go\n(package .*?)^```")

// homeServer and homeSite are the addresses in the programs of the pages.
const (
	homeServer = "127.0.0.1:11311"
	homeSite   = "127.0.0.1:8080"
)

// programOf returns the only program of the README that imports a package of
// ours.
func programOf(t *testing.T, imported string) string {
	t.Helper()
	var found []string
	for _, match := range wholeProgram.FindAllStringSubmatch(read(t, "README.md"), -1) {
		if strings.Contains(match[1], `"github.com/bmemcached/bmemcached-go/`+imported+`"`) {
			found = append(found, match[1])
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d programs of the README import %s, want 1", len(found), imported)
	}
	return found[0]
}

// overlay makes the go command see source as a file of a package of its own in
// this module, without writing to it.
func overlay(t *testing.T, name, source string) (argument string) {
	t.Helper()
	folder := t.TempDir()
	file, list := filepath.Join(folder, name), filepath.Join(folder, "overlay.json")
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "fromthepage", name): file}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{file: []byte(source), list: replace} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return "-overlay=" + list
}

// build builds a program of a page, with addresses of this test, and returns
// the path of it.
func build(t *testing.T, source string, addresses ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program.exe")
	source = strings.NewReplacer(addresses...).Replace(source)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, overlay(t, "main.go", source), "./fromthepage")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building a program of the README: %v\n%s\n%s", err, output, source)
	}
	return program
}

// home starts the server that the programs of the README expect.
func home(t *testing.T) *memcachedtest.Server {
	t.Helper()
	return memcachedtest.Start(t, &memcachedtest.Options{Users: map[string]string{"app": "secret"}})
}

// TestPages_ProgramsCompile builds the programs of the other pages, whose
// servers are not here.
func TestPages_ProgramsCompile(t *testing.T) {
	t.Parallel()
	found := 0
	for _, page := range pages[1:] {
		for _, match := range wholeProgram.FindAllStringSubmatch(read(t, page), -1) {
			found++
			build(t, match[1])
		}
	}
	if found == 0 {
		t.Error("no page but the README shows a program")
	}
}

// run runs a program to its end.
func run(t *testing.T, program string, env ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// programOfClient returns the first program of the README.
func programOfClient(t *testing.T) string {
	t.Helper()
	return wholeProgram.FindStringSubmatch(read(t, "README.md"))[1]
}

func TestReadme_Client(t *testing.T) {
	t.Parallel()
	server := home(t)
	program := build(t, programOfClient(t), homeServer, server.Addr())
	if out, errs, err := run(t, program, "MEMCACHED_PASSWORD=secret"); err != nil || out != "Ada\n" || errs != "" {
		t.Errorf("the program printed %q and %q, %v, want Ada", out, errs, err)
	}
	if _, errs, err := run(t, program, "MEMCACHED_PASSWORD=wrong"); err == nil || strings.Count(errs, "refused the credentials") < 2 {
		t.Errorf("with a wrong password the program said %q, %v", errs, err)
	}
	server.Close()
	if out, errs, _ := run(t, program, "MEMCACHED_PASSWORD=secret"); out != "" || !strings.Contains(errs, "server unavailable") {
		t.Errorf("without a server the program printed %q and said %q", out, errs)
	}
}

func TestReadme_Gocache(t *testing.T) {
	t.Parallel()
	program := build(t, programOf(t, "store"), homeServer, home(t).Addr())
	if out, errs, err := run(t, program, "MEMCACHED_PASSWORD=secret"); err != nil || out != "Ada\n" || errs != "" {
		t.Errorf("the program printed %q and %q, %v, want Ada", out, errs, err)
	}
}

func TestReadme_UnitTest(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "greeting.test.exe")
	argument := overlay(t, "greeting_test.go", programOf(t, "binary/memcachedtest"))
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-o", program, argument, "./fromthepage")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the test of the README: %v\n%s", err, output)
	}
	cmd = exec.CommandContext(t.Context(), program, "-test.v")
	if output, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(output, []byte("--- PASS: TestGreet")) {
		t.Errorf("the test of the README: %v\n%s", err, output)
	}
}

// serve runs a program that serves pages, until the test ends, and returns its
// address.
func serve(t *testing.T, source string, env ...string) (base string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	cmd := exec.Command(build(t, source, homeServer, home(t).Addr(), homeSite, addr))
	cmd.Env = append(os.Environ(), append(env, "MEMCACHED_PASSWORD=secret")...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return "http://" + addr
		}
	}
	t.Fatal("the program of the README does not serve")
	return ""
}

// ask sends a request with a cookie, unless that is empty, and returns the
// body of the answer.
func ask(t *testing.T, method, url, cookie string) (body string, response *http.Response) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if cookie != "" {
		request.Header.Set("Cookie", cookie)
	}
	response, err = http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content), response
}

func TestReadme_ResponseCache(t *testing.T) {
	t.Parallel()
	base := serve(t, programOf(t, "middleware"))
	page := base + "/articles/1"
	first, _ := ask(t, http.MethodGet, page, "")
	again, response := ask(t, http.MethodGet, page, "")
	if status := response.Header.Get("Cache-Status"); first != again || !strings.Contains(status, "; hit") {
		t.Errorf("the second page is %q (%s), want the first, %q", again, status, first)
	}
	if answer, _ := ask(t, http.MethodPost, base+"/purge/article-1", ""); answer != "purged\n" {
		t.Errorf("the purge answered %q", answer)
	}
	if fresh, _ := ask(t, http.MethodGet, page, ""); fresh == first {
		t.Errorf("after the purge the page is still %q", fresh)
	}
}

func TestReadme_Sessions(t *testing.T) {
	t.Parallel()
	base := serve(t, programOf(t, "session"), "SESSION_KEY="+strings.Repeat("5a", 32))
	answer, response := ask(t, http.MethodPost, base+"/login", "")
	cookie, _, _ := strings.Cut(response.Header.Get("Set-Cookie"), ";")
	if answer != "welcome\n" || !strings.HasPrefix(cookie, "__Host-session=") {
		t.Fatalf("the login answered %q, with the cookie %q", answer, cookie)
	}
	for _, step := range []struct{ method, path, want string }{
		{http.MethodGet, "/", "user: ada\n"},
		{http.MethodPost, "/logout", "bye\n"},
		{http.MethodGet, "/", "user: <nil>\n"},
	} {
		if got, _ := ask(t, step.method, base+step.path, cookie); got != step.want {
			t.Errorf("%s %s answered %q, want %q", step.method, step.path, got, step.want)
		}
	}
}
