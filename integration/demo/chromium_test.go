package demo_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
)

// chromium starts a browser without a window. Where there is none, and this
// runs as root on Debian, it is installed.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("MEMCACHED_INTEGRATION") == "off" {
		t.Skip("MEMCACHED_INTEGRATION=off")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("disable-dev-shm-usage", true))
	if path := chromiumPath(t); path != "" {
		options = append(options, chromedp.ExecPath(path))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // chromium refuses to be sandboxed as root
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	return ctx
}

// chromiumPath returns where the browser is; empty: where chromedp finds it.
func chromiumPath(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if _, err := os.Stat("/Applications/Google Chrome.app"); err == nil {
		return ""
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		t.Fatal("the walk through the demo needs Chromium or Chrome: install it, or leave real servers and browsers out with MEMCACHED_INTEGRATION=off")
	}
	install := exec.CommandContext(t.Context(), "sh", "-c", apt+" update && "+apt+" install -y --no-install-recommends chromium")
	install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if output, err := install.CombinedOutput(); err != nil {
		t.Fatalf("installing chromium: %v\n%s", err, output)
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
