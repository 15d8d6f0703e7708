package session_test

import (
	"context"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration"
	"github.com/bmemcached/bmemcached-go/integration/browser"
	"github.com/bmemcached/bmemcached-go/integration/demo/site"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// tab is a tab of a browser, on the demo.
type tab struct{ *browser.Tab }

// open opens a tab beside that of ctx; if apart, with cookies of its own.
func open(t *testing.T, ctx context.Context, base string, apart bool) *tab {
	t.Helper()
	var options []chromedp.ContextOption
	if apart {
		options = append(options, chromedp.WithNewBrowserContext())
	}
	return &tab{browser.Open(t, ctx, base, options...)}
}

func (p *tab) login(user string) {
	p.TB.Helper()
	p.Visit("/login")
	p.Do("filling in the form",
		chromedp.SetValue(chromedp.CSS(`input[name="user"]`), user),
		chromedp.SetValue(chromedp.CSS(`input[name="password"]`), "lantern"))
	p.Press("/login")
}

// want fails the test unless the heading of the page is want.
func (p *tab) want(what, want string) {
	p.TB.Helper()
	if got := browser.Get(p.Tab, "reading the heading", chromedp.Text(chromedp.CSS("h1"))); got != want {
		p.TB.Errorf("%s: the page says %q, want %q", what, got, want)
	}
}

// cookie returns the session's cookie as the browser keeps it, nil if it has
// none.
func (p *tab) cookie() *network.Cookie {
	p.TB.Helper()
	cookies := browser.Get(p.Tab, "reading the cookies", func(ctx context.Context, t *chromedp.Target) ([]*network.Cookie, error) {
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
	path, err := site.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return site.Run(t, path, &site.Options{Servers: []*integration.Server{server}, Username: username, Password: password}).Base
}
