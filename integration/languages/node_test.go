package languages_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/binary/codec"
	"github.com/bmemcached/bmemcached-go/binary/codec/nodememcached"
	"github.com/bmemcached/bmemcached-go/binary/placement"
)

// The clients of Node.js, as npm has them. They run beside the tests, not in the
// container: Debian has neither, and its npm is larger than all other languages.
var (
	memjs = language{
		name:    "memjs",
		command: []string{"node", "testdata/node/memjs.js"},
		codec:   codec.Raw{},
		place:   placing{"Memjs", placement.Memjs},
		onHost:  true,
	}
	npmMemcached = language{
		name:    "memcached (npm)",
		command: []string{"node", "testdata/node/memcached.js"},
		codec:   nodememcached.Codec{},
		place:   ketama,
		onHost:  true,
		noSASL:  true, // it speaks the text protocol only
	}
)

// packages are what npm installs, once, into nodeModules.
var packages = []string{"memjs@1.3.2", "memcached@2.2.2"}

// nodeModules is a folder of npm's, which git ignores.
const nodeModules = ".npm"

// errNoNPM says that the clients of Node.js cannot be had here.
var errNoNPM = errors.New("npm is unavailable")

// installed fetches the packages from npm, unless they are there.
var installed = sync.OnceValue(func() error {
	if _, err := os.Stat(filepath.Join(nodeModules, "done")); err == nil {
		return nil
	}
	if err := os.MkdirAll(nodeModules, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(nodeModules, "package.json"), []byte("{\"private\": true}\n"), 0o644); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildLimit)
	defer cancel()
	install := append([]string{"npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"}, packages...)
	for _, step := range [][]string{{"node", "--version"}, install} {
		cmd := exec.CommandContext(ctx, step[0], step[1:]...)
		cmd.Dir = nodeModules
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s: %w: %s", errNoNPM, step[0], err, bytes.TrimSpace(out))
		}
	}
	return os.WriteFile(filepath.Join(nodeModules, "done"), nil, 0o644)
})

// host runs the drivers that are not in the container.
var host = drivers{start: runOnHost}

// A child is a program on this machine.
type child struct {
	cmd     *exec.Cmd
	in, out *os.File
}

func (c *child) Write(p []byte) (int, error) { return c.in.Write(p) }

func (c *child) SetDeadline(t time.Time) error {
	return errors.Join(c.in.SetWriteDeadline(t), c.out.SetReadDeadline(t))
}

// Close ends the program by ending its input, and what it has not read.
func (c *child) Close() {
	c.in.Close()
	c.cmd.Process.Kill() // it may be waiting for a server
	c.cmd.Wait()
	c.out.Close()
}

// runOnHost starts a driver.
func runOnHost(command []string) (*driver, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirIn.Close(), in.Close())
	}
	modules, err := filepath.Abs(filepath.Join(nodeModules, "node_modules"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "NODE_NO_WARNINGS=1")
	cmd.Stdin, cmd.Stdout = theirIn, theirOut
	d := newDriver(command, &child{cmd, in, out})
	cmd.Stderr = complaints{d}
	err = cmd.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	d.read(func(answers io.Writer) error {
		_, err := io.Copy(answers, out)
		return err
	})
	return d, nil
}

// needNode fails a test of Node.js where its clients cannot be installed.
func needNode(t *testing.T) {
	t.Helper()
	if err := installed(); errors.Is(err, errNoNPM) {
		t.Fatal(err, "(make setup installs it)")
	} else if err != nil {
		t.Fatal(err)
	}
}
