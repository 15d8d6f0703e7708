// Package browser runs Chromium, and Firefox, for tests of what only a real browser can
// show: its cookies, its cache, its back button, the scripts of a page.
//
//	tab := browser.Open(t, browser.Start(t), site.URL)
//	tab.Visit("/login")
//	tab.Press("/login")
//
// Where there is no browser the tests fail and say so: make setup installs one.
// MEMCACHED_INTEGRATION=off leaves browsers out, as it does real servers.
package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"

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
	path, err := Path()
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

// Path returns where the browser is, or "" for where chromedp itself finds it.
func Path() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if _, err := os.Stat("/Applications/Google Chrome.app"); err == nil {
		return "", nil
	}
	return "", errors.New("this test needs Chromium or Chrome: make setup installs it as root on Debian; MEMCACHED_INTEGRATION=off leaves real servers and browsers out")
}
