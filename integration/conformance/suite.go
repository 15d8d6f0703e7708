package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

const (
	suiteVersion = "0.4.5"
	// What the suite needs of npm on this path, and what its newest version needs.
	fetchPackage  = "node-fetch@2.7.0"
	undiciPackage = "undici@7.30.2"
	// newestSuite is the newest version, which npm does not have, in the folder of this
	// program.
	newestSuite = "testdata/cache-tests"
)

// errNoNPM says that the suite cannot be had here.
var errNoNPM = errors.New("conformance: npm is unavailable")

// suite is an unpacked copy of http-cache-tests.
type suite struct {
	dir            string
	server, client string // scripts, relative to dir
}

// openSuite describes the copy in dir, the package or a checkout of its
// repository.
func openSuite(dir string) (*suite, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for _, engine := range []string{"", "test-engine"} {
		s := &suite{dir, filepath.Join(engine, "server", "server.mjs"), filepath.Join(engine, "cli.mjs")}
		if _, err := os.Stat(filepath.Join(dir, s.server)); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("conformance: no test suite in %s", dir)
}

// install fetches the suite from npm into dir, unless it is there.
func install(ctx context.Context, dir string) (*suite, error) {
	target := filepath.Join(dir, "http-cache-tests")
	if s, err := openSuite(target); err == nil {
		return s, nil
	}
	archive := filepath.Join(dir, "http-cache-tests-"+suiteVersion+".tgz")
	if err := npm(ctx, dir, []string{"pack", "http-cache-tests@" + suiteVersion}, fetchPackage); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return nil, err
	}
	if err := unpack(archive, target); err != nil {
		return nil, errors.Join(err, os.RemoveAll(target))
	}
	return openSuite(target)
}

// installNewest copies the newest version of the suite into dir, and fetches what it
// needs from npm, unless that is there.
func installNewest(ctx context.Context, dir, from string) (*suite, error) {
	target := filepath.Join(dir, "newest")
	if err := os.RemoveAll(target); err != nil {
		return nil, err
	}
	if err := os.CopyFS(target, os.DirFS(from)); err != nil {
		return nil, err
	}
	modules := filepath.Join(dir, "undici")
	if _, err := os.Stat(filepath.Join(modules, "node_modules")); err != nil {
		if err := npm(ctx, modules, nil, undiciPackage); err != nil {
			return nil, err
		}
	}
	if err := os.Symlink(filepath.Join("..", "undici", "node_modules"), filepath.Join(target, "node_modules")); err != nil {
		return nil, err
	}
	return openSuite(target)
}

// npm runs an npm command in dir, if one is given, and installs a package there.
func npm(ctx context.Context, dir string, command []string, name string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// A folder of its own for npm: the suite's package.json also asks for npm
	// itself, which nothing here needs.
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{\"private\": true}\n"), 0o644); err != nil {
		return err
	}
	steps := [][]string{{"node", "--version"}}
	if command != nil {
		steps = append(steps, append([]string{"npm", "--silent"}, command...))
	}
	steps = append(steps, []string{"npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", name})
	for _, step := range steps {
		cmd := exec.CommandContext(ctx, step[0], step[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s: %w: %s", errNoNPM, step[0], err, bytes.TrimSpace(out))
		}
	}
	return nil
}

// origin is the suite's own server.
type origin struct {
	cmd *exec.Cmd
	url string
}

func (s *suite) startOrigin(ctx context.Context) (*origin, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	pid := filepath.Join(os.TempDir(), "http-cache-tests-"+strconv.Itoa(port)+".pid")
	cmd := exec.CommandContext(ctx, "node", s.server)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "npm_config_protocol=http", "npm_config_port="+strconv.Itoa(port), "npm_config_pidfile="+pid)
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoNPM, err)
	}
	o := &origin{cmd, "http://127.0.0.1:" + strconv.Itoa(port)}
	if err := o.await(ctx); err != nil {
		o.stop()
		return nil, err
	}
	return o, os.Remove(pid)
}

func (o *origin) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url+"/README.md", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			return response.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("conformance: the suite's server does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (o *origin) stop() {
	_ = o.cmd.Process.Kill()
	_ = o.cmd.Wait()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// results are what the suite found, by test: true, or why not.
type results map[string]any

// run has the suite's client test what answers at base.
func (s *suite) run(ctx context.Context, base string) (results, error) {
	cmd := exec.CommandContext(ctx, "node", "--no-warnings", s.client)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "npm_config_base="+base, "npm_config_id=", "npm_package_config_id=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("conformance: the suite's client: %w", err)
	}
	// The client may have said something else before the object.
	start := bytes.Index(out.Bytes(), []byte("{\n"))
	if start < 0 {
		return nil, errors.New("conformance: the suite's client printed no results")
	}
	var r results
	return r, json.Unmarshal(out.Bytes()[start:], &r)
}
