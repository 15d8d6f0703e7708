package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/bmemcached/bmemcached-go/integration/browser"
)

// need is something that make test uses of the machine.
type need struct {
	packages []string // that provide it on Debian
	why      string
	missing  func(context.Context) bool
}

// needs lists what make test uses; without real servers that is much less.
func needs(real bool) []need {
	list := []need{{[]string{"gcc", "libc6-dev"}, "the race detector needs a C compiler", noCompiler}}
	if !real {
		return list
	}
	return append(list,
		need{[]string{"docker.io"}, "no container engine answers", noEngine},
		need{[]string{"debootstrap", "debian-archive-keyring"}, "makes the containers' base image where no registry can be reached", noBase},
		need{[]string{"chromium"}, "tests in a browser", noBrowser},
		need{[]string{"firefox-esr"}, "tests in two browsers", noFirefox},
		need{[]string{"memcached", "libsasl2-modules", "sasl2-bin"}, "servers that are processes of this machine, and the README's", noMemcached},
		need{[]string{"redis-server"}, "gocache's stores for Redis, beside this module's", noRedis},
		need{[]string{"nodejs", "npm"}, "memcached clients of Node.js, and the HTTP cache suite", noNode},
	)
}

// prepare installs what is missing of what make test uses, and names it before.
func prepare(ctx context.Context) error {
	var lines, packages []string
	real := os.Getenv("MEMCACHED_INTEGRATION") != "off"
	for _, n := range needs(real) {
		if n.missing(ctx) {
			packages = append(packages, n.packages...)
			lines = append(lines, fmt.Sprintf("  %-36s %s", strings.Join(n.packages, " "), n.why))
		}
	}
	if len(packages) == 0 {
		say("everything that the tests need is on this machine")
		return nil
	}
	say("missing on this machine:\n%s", strings.Join(lines, "\n"))
	if err := canInstall(); err != nil {
		err = fmt.Errorf("%w: install what is missing (Debian: apt-get install %s)", err, strings.Join(packages, " "))
		if real {
			err = fmt.Errorf("%w\n%s", err, instructions)
		}
		return err
	}
	return install(ctx, packages...)
}

// canInstall says why this machine must be set up by hand, or nil.
func canInstall() error {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return errors.New("only root on Debian or Ubuntu can have packages installed by setup")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("setup installs with apt-get, which this system does not have")
	}
	return nil
}

// install fetches packages with apt-get.
func install(ctx context.Context, packages ...string) error {
	say("apt-get install %s", strings.Join(packages, " "))
	if err := system(ctx, "apt-get", "update"); err != nil {
		return err
	}
	return system(ctx, "apt-get", append([]string{"install", "-y", "--no-install-recommends"}, packages...)...)
}

// noCompiler asks the go command, which enables cgo where it finds a compiler.
func noCompiler(ctx context.Context) bool {
	enabled, err := exec.CommandContext(ctx, "go", "env", "CGO_ENABLED").Output()
	return err != nil || strings.TrimSpace(string(enabled)) != "1"
}

func noEngine(ctx context.Context) bool {
	return missing("dockerd") && !answers(ctx)
}

// noBase: a machine with an engine of its own pulls images, as a rule.
func noBase(ctx context.Context) bool {
	return missing("debootstrap") && !answers(ctx)
}

func noBrowser(context.Context) bool {
	_, err := browser.Path()
	return err != nil
}

func noFirefox(context.Context) bool {
	_, err := browser.FirefoxPath()
	return err != nil
}

func noNode(context.Context) bool { return missing("node") || missing("npm") }

func noMemcached(context.Context) bool { return missing("memcached") || missing("saslpasswd2") }

func noRedis(context.Context) bool { return missing("redis-server") }

func missing(program string) bool {
	_, err := exec.LookPath(program)
	return err != nil
}

// answers reports whether a container engine does.
func answers(ctx context.Context) bool {
	c, err := find(ctx)
	if c != nil {
		defer c.Close()
	}
	return err == nil
}
