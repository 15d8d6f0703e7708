package session_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration/browser"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const (
	loggedOut = "Log in"
	loggedIn  = "Hello, ada"
	somewhere = "/cart" // a page that shows no article
)

// The demo's login in a real browser, on memcached with SASL: what cookies it
// keeps, what the back button shows, what a second tab and a second browser see.
func TestBrowser_LoginRenewLogout(t *testing.T) {
	base := runDemo(t, start(t, 1)[0])
	chromium := browser.Start(t)
	first, second := open(t, chromium, base, false), open(t, chromium, base, false)

	// A visitor fills a cart, and gets a session for it.
	first.Visit("/articles/four-towers-of-eddystone")
	first.Press("/cart")
	before := first.cookie()
	if before == nil {
		t.Fatal("the visitor's session has no cookie")
	}
	if !before.HTTPOnly || before.SameSite != network.CookieSameSiteLax || !before.Session || before.Path != "/" {
		t.Errorf("the browser keeps the cookie as %+v, want HttpOnly, SameSite=Lax, Path=/ and until it closes", before)
	}
	if script := browser.Get(first.Tab, "reading document.cookie", chromedp.Evaluate[string]("document.cookie")); strings.Contains(script, demoCookie) {
		t.Errorf("scripts can read the cookie: %q", script)
	}

	// Login: a new cookie, the old one is worth nothing, the cart is kept.
	first.login("ada")
	first.want("after the login", loggedIn)
	after := first.cookie()
	if after == nil || after.Value == before.Value {
		t.Error("the login did not change the cookie")
	}
	wantUser(t, base, "the cookie from before the login", before, false)
	wantUser(t, base, "the cookie from after the login", after, true)
	if cart := browser.Get(first.Tab, "reading the cart", chromedp.Evaluate[string](`(async () => (await (await fetch("/me.json")).text()))()`, chromedp.EvalAwaitPromise)); !strings.Contains(cart, `"cart":1`) {
		t.Errorf("after the login /me.json = %s, want one print in the cart", cart)
	}

	// A second tab is logged in, and another browser is not.
	second.Visit("/login")
	second.want("in a second tab", loggedIn)
	other := open(t, chromium, base, true)
	other.Visit("/login")
	other.want("in another browser", loggedOut)

	// Logging out all other browsers spares this one, which gets a new cookie.
	other.login("ada")
	other.want("after the login in another browser", loggedIn)
	first.Visit("/login")
	first.Press("/logout/others")
	first.want("after logging out the others", loggedIn)
	if renewed := first.cookie(); renewed == nil || renewed.Value == after.Value {
		t.Error("logging out the others did not change the cookie")
	}
	wantUser(t, base, "the cookie from before that", after, false)
	other.Visit("/login")
	other.want("in the other browser then", loggedOut)
	second.Visit("/login")
	second.want("in the second tab then", loggedIn)

	// Logout: in memcached, so that neither tab nor a copied cookie is logged in.
	stolen := first.cookie()
	first.Press("/logout")
	first.want("after the logout", loggedOut)
	if left := first.cookie(); left != nil {
		t.Errorf("after the logout the browser has the cookie %v", left)
	}
	wantUser(t, base, "the cookie from before the logout", stolen, false)
	second.Visit("/login")
	second.want("in the second tab after the logout", loggedOut)
}

// The back button may show a page from the browser's own memory, but what is
// done there finds no session.
func TestBrowser_BackButtonAfterLogout(t *testing.T) {
	base := runDemo(t, start(t, 1)[0])
	p := open(t, browser.Start(t), base, false)
	p.login("ada")
	p.want("after the login", loggedIn)
	p.Visit(somewhere)
	p.Visit("/login")
	p.Press("/logout")
	p.want("after the logout", loggedOut)
	p.Do("going back", chromedp.NavigateBack())
	p.Do("reloading", chromedp.Reload())
	p.want("going back and reloading", loggedOut)
	p.login("ada")
	p.want("logging in again", loggedIn)
	p.Visit(somewhere)
	p.Visit("/login")
	p.Press("/logout")
	p.Do("going back", chromedp.NavigateBack())
	var shown string
	if shown = browser.Get(p.Tab, "reading the heading", chromedp.Text(chromedp.CSS("h1"))); shown == loggedIn {
		p.Press("/logout/others") // an old page: its buttons do nothing for ada any more
	}
	p.Visit("/login")
	p.want("after the back button, which showed "+shown, loggedOut)
}

// wantUser fails the test unless a cookie, sent by somebody else, is logged in
// or not.
func wantUser(t *testing.T, base, what string, cookie *network.Cookie, in bool) {
	t.Helper()
	if cookie == nil {
		t.Fatalf("%s: there is none", what)
	}
	p := newPerson(t, base)
	p.client.Jar.SetCookies(p.url(), []*http.Cookie{{Name: cookie.Name, Value: cookie.Value}})
	status, body := p.get("/me.json")
	if status != http.StatusOK || strings.Contains(body, `"user":"ada"`) != in {
		t.Errorf("%s: /me.json = %d %s, logged in should be %t", what, status, body, in)
	}
}
