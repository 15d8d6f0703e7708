package session_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration"
)

const scsModule = "github.com/alexedwards/scs/v2"

// cannotPass are the tests of scs that cannot pass over memcached, and why; the
// documentation of SCSStore says so, too.
var cannotPass = map[string]string{
	"TestIterate": "memcached does not tell its keys",
	"TestSessionManager_Load/with_empty_token": "an empty token is no token: one that a browser sends must not be a session",
	"TestSessionManager_Load":                  "one of its parts is the test above",
}

// scsOnMemcached is what the tests of scs get instead of scs.New: each of their
// managers has a store of its own, as there.
const scsOnMemcached = `package scs

import (
	"crypto/rand"
	"os"

	"github.com/bmemcached/bmemcached-go/binary"
	"github.com/bmemcached/bmemcached-go/binary/sasl"
	"github.com/bmemcached/bmemcached-go/session"
)

var memcachedClient, memcachedErr = memcached.New([]string{os.Getenv("SCS_SERVER")},
	&memcached.Options{Auth: sasl.Auto(os.Getenv("SCS_USER"), os.Getenv("SCS_PASSWORD"))})

func newOnMemcached() *SessionManager {
	if memcachedErr != nil {
		panic(memcachedErr)
	}
	store, err := session.NewSCS(memcachedClient, &session.Options{Prefix: rand.Text() + ":"},
		[]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	manager := New()
	manager.Store = store
	return manager
}
`

// The tests of scs itself pass over this store, but for two.
func TestSCS_OwnSuite(t *testing.T) {
	server := start(t, 1)[0]
	modfile := copySCS(t)
	for attempt := range 3 {
		passed, failed, out := runSCS(t, server, modfile)
		want := slices.Sorted(maps.Keys(cannotPass))
		if slices.Equal(failed, want) && passed >= 41 {
			t.Logf("%d tests of scs passed", passed)
			return
		}
		t.Logf("%d tests of scs passed, failed: %q", passed, failed)
		if attempt == 2 { // some of them measure time, on a machine that does other things, too
			t.Errorf("failed: %q, want %q\n%s", failed, want, out)
		}
	}
}

// copySCS copies scs to where its tests can be changed, and returns a go.mod with
// which they run.
func copySCS(t *testing.T) (modfile string) {
	t.Helper()
	dir := t.TempDir()
	source := strings.TrimSpace(goCommand(t, "list", "-m", "-f", "{{.Dir}}", scsModule))
	if err := os.CopyFS(filepath.Join(dir, "scs"), os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	edit := func(path string, f func(text []byte) []byte) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err == nil {
			_ = os.Remove(path) // the module cache is read only, and so is a copy
			err = os.WriteFile(path, f(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"data_test.go", "session_test.go", "session_go120_test.go"} {
		edit(filepath.Join(dir, "scs", name), func(text []byte) []byte {
			text = bytes.ReplaceAll(text, []byte(":= New()"), []byte(":= newOnMemcached()"))
			return slower(text)
		})
	}
	if err := os.WriteFile(filepath.Join(dir, "scs", "memcached_test.go"), []byte(scsOnMemcached), 0o600); err != nil {
		t.Fatal(err)
	}

	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	modfile = filepath.Join(dir, "go.mod")
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, "mod", "edit", "-replace=github.com/bmemcached/bmemcached-go="+root,
		"-replace="+scsModule+"="+filepath.Join(dir, "scs"), modfile)
	return modfile
}

// slower makes times five times as long: scs's tests sleep, and rely on being woken
// up within 50 ms.
func slower(text []byte) []byte {
	times := regexp.MustCompile(`(\d+) \* time\.Millisecond|(Sleep\(|Lifetime = )time\.Second`)
	return times.ReplaceAllFunc(text, func(found []byte) []byte {
		match := times.FindSubmatch(found)
		if n, err := strconv.Atoi(string(match[1])); err == nil {
			return fmt.Appendf(nil, "%d * time.Millisecond", 5*n)
		}
		return fmt.Appendf(nil, "%s5 * time.Second", match[2])
	})
}

// runSCS runs the copy's tests.
func runSCS(t *testing.T, server *integration.Server, modfile string) (passed int, failed []string, out []byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-modfile="+modfile, "-mod=mod", "-race", "-vet=off", "-count=1", "-v", scsModule)
	cmd.Env = append(os.Environ(), "SCS_SERVER="+server.Addr(), "SCS_USER="+username, "SCS_PASSWORD="+password)
	out, _ = cmd.CombinedOutput() // some tests fail
	for _, match := range regexp.MustCompile(`(?m)^ *--- (PASS|FAIL): (\S+)`).FindAllSubmatch(out, -1) {
		if string(match[1]) == "PASS" {
			passed++
		} else {
			failed = append(failed, string(match[2]))
		}
	}
	if passed == 0 {
		t.Fatalf("the tests of scs did not run:\n%s", out)
	}
	slices.Sort(failed)
	return passed, failed, out
}

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(context.Background(), "go", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}
