package demo_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Every link, button and field is reached with the Tab key, in the order of the
// page, and can be seen to have the focus.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	chromium := browser.Start(t)
	p := open(t, chromium, run(t, nil).Base)
	p.Visit(demoArticle)
	p.Press("/cart") // so that the cart has its buttons
	for _, path := range []string{"/", demoArticle, "/tides", "/cart", "/login", "/status"} {
		p.Visit(path)
		p.wait("the page says who looks at it", `document.getElementById("cart-count").innerText === "1"`)
		all := evaluate[[]string](p, `
			window.all = [...document.querySelectorAll("a[href], button, input:not([type=hidden])")].filter((e) => e.checkVisibility());
			all.map((e) => e.getAttribute("aria-label") || e.innerText || e.name)`)
		for i, name := range all {
			p.Do("pressing Tab", chromedp.KeyEvent(kb.Tab))
			got := evaluate[string](p, fmt.Sprintf(`(() => {
				const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
				if (e !== all[%d]) return "the focus is on " + e.outerHTML.slice(0, 80);
				if (!e.matches(":focus-visible") || style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return "the focus cannot be seen";
				if (box.bottom < 0 || box.top > innerHeight) return "it is out of sight";
				return "";
			})()`, i))
			if got != "" {
				t.Errorf("%s: after %d times Tab, on %q: %s", path, i+1, name, got)
				break
			}
		}
	}
	// Enter works where a click does.
	p.Visit("/")
	p.Do("going to the link of the tides", chromedp.Focus(chromedp.CSS(`nav a[href="/tides"]`)))
	p.Follow("pressing Enter", chromedp.KeyEvent(kb.Enter))
	p.want("Enter on a link", "Tides at North Quay")
}

// Without JavaScript the site reads, orders, logs in, purges and stops servers;
// only the plots and what a page says of its own making need the script.
func TestWithoutJavaScript(t *testing.T) {
	t.Parallel()
	chromium := browser.Start(t)
	p := open(t, chromium, run(t, nil).Base)
	p.disableScript()
	text := func(selector string) string {
		t.Helper()
		return browser.Get(p.Tab, "reading "+selector, chromedp.Text(chromedp.CSS(selector)))
	}
	says := func(what, selector, want string) {
		t.Helper()
		if got := text(selector); !strings.Contains(got, want) {
			t.Errorf("%s: %s says %q, want %q", what, selector, got, want)
		}
	}

	p.Visit("/")
	p.Click(`.card a[href="` + demoArticle + `"]`)
	says("an article", "h1", "The four towers of Eddystone")
	says("an article", ".trip", "The site took")
	if buttons := browser.Get(p.Tab, "counting buttons", chromedp.Text(chromedp.CSS(".trip"))); strings.Contains(buttons, "Ask again") {
		t.Error("a button that needs the script is shown without")
	}
	p.Press(demoArticle + "/purge")
	p.Press("/cart")
	says("the cart", ".total", "1 print, 24 €")
	p.login("ada", "lantern")
	says("the login", "h1", "Hello, ada")
	p.Visit("/cart")
	says("the cart after the login", ".total", "1 print, 24 €")
	p.Visit("/tides?harbour=mill")
	says("the tides", "h1", "Mill Creek")
	p.Press("/purge/tides")
	says("the tides after the purge", ".trip", "computed")
	p.Visit("/status")
	says("the status", "noscript", "The plots need the page's script.")
	says("the hit ratio", "[data-total=ratio]", "%")
	if got := text("#status"); strings.Contains(got, "Pages per second") {
		t.Error("plots that need the script are shown without, empty")
	}
	p.Press("/servers/0/stop")
	says("a stopped server", "[data-state=stopped]", "stopped")
	p.Visit(demoArticle)
	says("with a server stopped", "h1", "The four towers of Eddystone")
	p.Visit("/status")
	p.Press("/servers/0/restart")
	says("a restarted server", ".server", "up")
	p.Press("/purge/articles")
	says("the purge", "h1", "Status")
}

// What another site cannot do, although the browser has the session's cookie.
func TestSecurity_OtherSites(t *testing.T) {
	t.Parallel()
	chromium := browser.Start(t)
	site := run(t, nil)
	p := open(t, chromium, site.Base)
	p.login("ada", "lantern")

	// localhost is another site than 127.0.0.1.
	other := strings.Replace(site.Base, "127.0.0.1", "localhost", 1)
	stranger := &browser.Tab{TB: t, Ctx: p.Ctx, Base: other}
	p.Do("going to another site", chromedp.Navigate(other+"/static/icon.svg"))
	p.expectComplaint("a request to " + other)
	const send = `(async () => {
		try { return (await fetch(%q, { method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({ article: "building-on-bell-rock" }) })).type } catch (e) { return String(e) }
	})()`
	for _, path := range []string{"/cart", "/logout", "/servers/0/stop", "/purge/articles"} {
		browser.Get(stranger, "sending a form to "+path, chromedp.Evaluate[string](fmt.Sprintf(send, site.Base+path), chromedp.EvalAwaitPromise))
	}
	p.expectComplaint("")
	p.Visit("/login")
	p.want("after the forms of another site", "Hello, ada")
	p.wait("nothing was ordered", `document.getElementById("cart-count").hidden && document.getElementById("account").innerText === "ada"`)
	p.Visit("/status")
	if up := evaluate[int](p, `document.querySelectorAll("[data-state=up]").length`); up != 3 {
		t.Errorf("%d servers are up after the forms of another site, want 3", up)
	}

	// No other site shows this one in a frame, and no script is run from a page.
	response, err := http.Get(site.Base + "/login")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	policy := response.Header.Values("Content-Security-Policy")
	if len(policy) != 1 || !strings.Contains(policy[0], "frame-ancestors 'none'") || strings.Contains(policy[0], "unsafe") {
		t.Errorf("Content-Security-Policy = %q, want one that forbids frames and inline scripts", policy)
	}
	p.Do("adding an inline script", chromedp.Evaluate[chromedp.Void](`
		document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = true" }))`))
	p.expectComplaint("Content Security Policy")
	if evaluate[bool](p, "window.ran === true") {
		t.Error("an inline script was run")
	}
}
