// Package browser runs Chromium for tests of what only a real browser can show:
// its cookies, its cache, its back button, the scripts of a page.
//
//	tab := browser.Open(t, browser.Start(t), site.URL)
//	tab.Visit("/login")
//	tab.Press("/login")
//
// Where there is no browser, and the tests run as root on Debian, Chromium is
// installed; elsewhere they fail and say so. MEMCACHED_INTEGRATION=off leaves
// browsers out, as it does real servers.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Start starts a browser without a window, with a profile of its own, and ends
// it with the test. It returns the browser's context, for Open. It fails the
// test when there is no browser, and skips it when MEMCACHED_INTEGRATION is
// "off".
func Start(tb testing.TB) context.Context {
	tb.Helper()
	if os.Getenv("MEMCACHED_INTEGRATION") == "off" {
		tb.Skip("MEMCACHED_INTEGRATION=off")
	}
	path, err := executable()
	if err != nil {
		tb.Fatal(err)
	}
	options := chromedp.DefaultExecAllocatorOptions[:]
	if path != "" {
		options = append(options, chromedp.ExecPath(path))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // chromium refuses to be sandboxed as root
	}
	ctx, cancel := chromedp.NewExecAllocator(tb.Context(), options...)
	tb.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	tb.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		tb.Fatalf("starting chromium: %v", err)
	}
	return ctx
}

// executable returns where the browser is; empty: where chromedp finds it. Tests
// that run in parallel install it once.
var executable = sync.OnceValues(func() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if _, err := os.Stat("/Applications/Google Chrome.app"); err == nil {
		return "", nil
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return "", errors.New("this test needs Chromium or Chrome: install it, or leave real servers and browsers out with MEMCACHED_INTEGRATION=off")
	}
	return install(apt)
})

// install installs Chromium from Debian's packages, and returns where it is.
func install(apt string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", apt+" update && "+apt+" install -y --no-install-recommends chromium")
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing chromium: %w\n%s", err, output)
	}
	return exec.LookPath("chromium")
}
