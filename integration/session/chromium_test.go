package session_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// chromium starts a browser without a window. Where there is none, and this
// runs as root on Debian, it is installed.
func chromium(t *testing.T) context.Context {
	t.Helper()
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
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if _, err := os.Stat("/Applications/Google Chrome.app"); err == nil {
		return ""
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		t.Fatal("the login in a browser needs Chromium or Chrome: install it, or leave real servers and browsers out with MEMCACHED_INTEGRATION=off")
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

// tab is a tab of a browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
}

// open opens a tab beside that of ctx; if apart, with cookies of its own.
func open(t *testing.T, ctx context.Context, base string, apart bool) *tab {
	t.Helper()
	var options []chromedp.ContextOption
	if apart {
		options = append(options, chromedp.WithNewBrowserContext())
	}
	ctx, cancel := chromedp.NewContext(ctx, options...)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // makes the tab, which lives as long as this context
		t.Fatalf("opening a tab: %v", err)
	}
	return &tab{t, ctx, base}
}

// do runs actions, for a minute at most.
func (p *tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	run(p, what, chromedp.Steps(actions...))
}

func run[T any](p *tab, what string, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	return value
}

func (p *tab) visit(path string) {
	p.t.Helper()
	p.do("visiting "+path, chromedp.Navigate(p.base+path))
}

// press presses the button of the form that goes to path, and waits for the
// next page.
func (p *tab) press(path string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(`form[action="`+path+`"] button`))); err != nil {
		p.t.Fatalf("pressing the button of %s: %v", path, err)
	}
}

func (p *tab) login(user string) {
	p.t.Helper()
	p.visit("/login")
	p.do("filling in the form",
		chromedp.SetValue(chromedp.CSS(`input[name="user"]`), user),
		chromedp.SetValue(chromedp.CSS(`input[name="password"]`), "lantern"))
	p.press("/login")
}

// want fails the test unless the heading of the page is want.
func (p *tab) want(what, want string) {
	p.t.Helper()
	if got := run(p, "reading the heading", chromedp.Text(chromedp.CSS("h1"))); got != want {
		p.t.Errorf("%s: the page says %q, want %q", what, got, want)
	}
}

// cookie returns the session's cookie as the browser keeps it, nil if it has
// none.
func (p *tab) cookie() *network.Cookie {
	p.t.Helper()
	cookies := run(p, "reading the cookies", func(ctx context.Context, t *chromedp.Target) ([]*network.Cookie, error) {
		result, err := cdp.Call(ctx, t, network.GetCookies, network.GetCookiesParams{})
		return result.Cookies, err
	})
	for _, c := range cookies {
		if c.Name == demoCookie {
			return c
		}
	}
	return nil
}

// demoCookie is the demo's cookie.
const demoCookie = "lamp-room"

// runDemo builds the demo and runs it on a server until the test ends. It
// returns its address.
func runDemo(t *testing.T, server *integration.Server) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "demo")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./demo")
	build.Dir = filepath.Join("..", "..", "examples")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the demo: %v\n%s", err, output)
	}
	demo := exec.Command(program, "-addr", "127.0.0.1:0")
	demo.Env = append(os.Environ(), "MEMCACHED_SERVERS="+server.Addr(), "MEMCACHED_USERNAME="+username, "MEMCACHED_PASSWORD="+password)
	output, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	_, address, found := strings.Cut(line, "http://")
	if err != nil || !found {
		t.Fatalf("the demo printed %q, %v, want its address", line, err)
	}
	return "http://" + strings.TrimRight(address, "/\n")
}
