package demo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration/browser"
	"github.com/chromedp/chromedp"
)

const (
	demoArticle = "/articles/four-towers-of-eddystone"
	otherPrint  = "/articles/building-on-bell-rock"
)

// Through every page and every button, on memcached inside the demo's process
// and on real memcached with SASL.

func TestWalk_OnServersInsideTheProcess(t *testing.T) {
	t.Parallel()
	chromium := browser.Start(t)
	w := newWalk(t, chromium, run(t, nil).Base)
	w.everything()

	w.Visit("/status")
	for i := range 3 {
		w.Press(fmt.Sprintf("/servers/%d/stop", i))
	}
	w.wait("all servers are stopped", `document.querySelectorAll("[data-state=stopped]").length === 3`)
	w.withoutMemcached()
	w.Visit("/status")
	for i := range 3 {
		w.Press(fmt.Sprintf("/servers/%d/restart", i))
	}
	w.withMemcachedAgain()
}

func TestWalk_OnMemcachedWithSASL(t *testing.T) {
	t.Parallel()
	chromium := browser.Start(t)
	servers := launch(t, 2)
	w := newWalk(t, chromium, run(t, nil, servers...).Base)
	w.everything()

	w.Visit("/status")
	if n := evaluate[int](w.tab, `document.querySelectorAll("form[action^='/servers/']").length`); n != 0 {
		t.Errorf("the status page has %d buttons that stop or restart real servers", n)
	}
	for _, server := range servers {
		server.Kill()
	}
	w.wait("both servers are down", `document.querySelectorAll("[data-state=down]").length === 2`)
	w.withoutMemcached()
	for _, server := range servers {
		server.Restart()
	}
	w.Visit("/status")
	w.withMemcachedAgain()
}

// A walk is one through the site, with a second browser at hand.
type walk struct {
	*tab
	second *tab
}

func newWalk(t *testing.T, chromium context.Context, base string) *walk {
	t.Helper()
	return &walk{open(t, chromium, base), open(t, chromium, base)}
}

func (w *walk) everything() {
	w.t.Helper()
	w.articles()
	w.cart()
	w.accounts()
	w.tides()
	w.status()
}

// trip waits until the page says what the cache did for it last, and fails the
// test unless that is want.
func (p *tab) trip(what, want string) {
	p.t.Helper()
	p.wait(what+" says how it came about", `document.querySelector("#trips li")`)
	got := evaluate[string](p, `document.querySelector("#trips li").innerText`)
	if hit := strings.Contains(got, "Cache-Status: bmemcached; hit"); !strings.Contains(got, want) || hit != (want == "from memcached") {
		p.t.Errorf("%s says %q, want %q", what, got, want)
	}
}

// articles opens the list and an article twice each, asks again by the button,
// and purges.
func (w *walk) articles() {
	w.t.Helper()
	w.Visit("/")
	w.trip("the first visit", "made anew")
	w.Do("reloading", chromedp.Reload())
	w.trip("the second visit", "from memcached")
	w.Do("asking again", chromedp.Click(chromedp.CSS("#again")))
	w.wait("the answer is listed", `document.querySelectorAll("#trips li").length === 2`)
	w.trip("asking again", "from memcached")

	w.Click(`.card a[href="` + demoArticle + `"]`)
	w.want("the link of a card", "The four towers of Eddystone")
	w.trip("the article", "made anew")
	w.Do("reloading", chromedp.Reload())
	w.trip("the article again", "from memcached")
	w.Press(demoArticle + "/purge") // goes back to the article
	w.trip("the article after the purge", "made anew")
	w.Do("reloading", chromedp.Reload())
	w.trip("the article after that", "from memcached")
}

// inCart waits until the page says that so many prints are in the cart.
func (p *tab) inCart(count string) {
	p.t.Helper()
	p.wait(count+" prints are in the cart", `document.getElementById("cart-count").innerText === "`+count+`"`)
}

// cart orders prints, and takes some back.
func (w *walk) cart() {
	w.t.Helper()
	w.Visit("/cart")
	if got := evaluate[string](w.tab, `document.querySelector("main").innerText`); !strings.Contains(got, "It is empty") {
		w.t.Errorf("the cart of a new visitor says %q", got)
	}
	w.Visit(demoArticle)
	w.Press("/cart") // goes to the cart
	w.inCart("1")
	w.Click(`button[aria-label^="One more of The four towers"]`)
	w.inCart("2")
	w.Visit(otherPrint)
	w.Press("/cart")
	w.inCart("3")
	for range 2 {
		w.Click(`button[aria-label^="One less of The four towers"]`)
	}
	w.inCart("1")
	if got := evaluate[string](w.tab, `document.querySelector(".total").innerText`); got != "1 print, 22 €" {
		w.t.Errorf("the cart says %q, want 1 print, 22 €", got)
	}
}

// named waits until the page names the user, or offers to log in.
func (p *tab) named(name string) {
	p.t.Helper()
	p.wait("the page names "+name, `document.getElementById("account").innerText === "`+name+`"`)
}

// accounts logs in, with a wrong password first, in two browsers; one of them
// logs the other out.
func (w *walk) accounts() {
	w.t.Helper()
	w.login(`"><script>console.error(1)</script>`, "wrong")
	w.expectComplaint("401")
	if got := evaluate[string](w.tab, `document.querySelector("[role=alert]").innerText`); !strings.Contains(got, "do not belong together") {
		w.t.Errorf("a wrong password is answered with %q", got)
	}
	if got := evaluate[string](w.tab, `document.querySelector("input[name=user]").value`); got != `"><script>console.error(1)</script>` {
		w.t.Errorf("the form keeps the user name as %q", got)
	}
	w.login("ada", "lantern")
	w.want("after the login", "Hello, ada")
	w.named("ada")
	w.inCart("1")
	if cookies := evaluate[string](w.tab, "document.cookie"); cookies != "" {
		w.t.Errorf("scripts can read the cookie: %q", cookies)
	}

	w.second.login("ada", "lantern")
	w.second.want("in the second browser", "Hello, ada")
	if rows := evaluate[int](w.second, `document.querySelectorAll("#sessions tbody tr").length`); rows != 2 {
		w.t.Errorf("the account lists %d sessions, want 2", rows)
	}
	if text := evaluate[string](w.second, `document.querySelector("#sessions").innerText`); !strings.Contains(text, "this browser") || !strings.Contains(text, "Chrome on Linux") {
		w.t.Errorf("the account lists %q, want this browser and Chrome on Linux", text)
	}
	w.second.Press("/logout/one")
	w.second.want("after logging out the other one", "Hello, ada")
	if rows := evaluate[int](w.second, `document.querySelectorAll("#sessions tbody tr").length`); rows != 1 {
		w.t.Errorf("the account lists %d sessions after one was ended, want 1", rows)
	}
	w.Do("reloading", chromedp.Reload())
	w.want("in the browser that was logged out by itself", "Log in")
	w.login("ada", "lantern")
	w.second.Visit("/login")
	w.second.Press("/logout/others")
	w.second.want("after logging out the others", "Hello, ada")
	w.Do("reloading", chromedp.Reload())
	w.want("in the browser that was logged out", "Log in")
	w.named("Log in")
	w.wait("its cart is gone", `document.getElementById("cart-count").hidden`)
	w.second.Press("/logout")
	w.second.want("after the logout", "Log in")

	w.login("grace", "lantern")
	w.Visit(otherPrint)
	w.Press("/cart")
	w.inCart("1")
}

// tides looks at tables until they come from the cache, and purges them.
func (w *walk) tides() {
	w.t.Helper()
	pill := func() string { return evaluate[string](w.tab, `document.querySelector(".trip .pill").innerText`) }
	w.Visit("/tides")
	w.Click(`.tabs a[href$="=lamp"]`)
	w.want("the link of a harbour", "Tides at Lamp Island")
	if got := pill(); got != "computed" {
		w.t.Errorf("the first table is %q", got)
	}
	eventually(w.t, func() error { // it is stored in the background
		if w.Click(".trip a.button"); pill() != "from the cache" {
			return errors.New("the table is computed again and again")
		}
		return nil
	})
	w.Press("/purge/tides") // goes back to the harbour
	w.want("the button of the purge", "Tides at Lamp Island")
	if got := pill(); got != "computed" {
		w.t.Errorf("the table after the purge is %q", got)
	}
}

// status sends visitors and watches the plots, and purges from there.
func (w *walk) status() {
	w.t.Helper()
	w.Visit("/status")
	w.wait("four plots are drawn", `document.querySelectorAll(".plot svg").length === 4`)
	w.Do("remembering the plots", chromedp.Evaluate[chromedp.Void](
		`window.before = [...document.querySelectorAll(".plot")].map((plot) => plot.querySelector("svg").innerHTML);
		window.ops = document.querySelector("[data-total=ops]").innerText`))
	w.Do("sending visitors", chromedp.Click(chromedp.CSS("#visitors")))
	w.wait("pages come from memcached", `+document.querySelector("[data-plot=pages] .k0 b").innerText > 5`)
	w.wait("the plots have moved", `[...document.querySelectorAll(".plot")].every((plot, i) => plot.querySelector("svg").innerHTML !== before[i])`)
	w.wait("operations are counted", `document.querySelector("[data-total=ops]").innerText !== ops`)
	w.wait("a latency is shown", `/^[0-9.]+ ms$/.test(document.querySelector("[data-plot=latency] .k0 b").innerText)`)
	w.wait("every server has items", `[...document.querySelectorAll("[data-field=items]")].every((cell) => +cell.innerText.replaceAll(",", "") > 0)`)
	if got := evaluate[string](w.tab, `document.querySelector("[data-total=ratio]").innerText`); !strings.HasSuffix(got, " %") {
		w.t.Errorf("the hit ratio is %q", got)
	}

	w.Visit("/") // the visitors leave with the page that sent them
	w.Visit("/status")
	w.Press("/purge/articles") // goes back to the status
	w.Press("/purge/tides")
	w.Visit("/")
	w.trip("the list after all articles were purged", "made anew")
	w.Visit(demoArticle)
	w.trip("an article after all were purged", "made anew")
}

// withoutMemcached uses the site while no server answers.
func (w *walk) withoutMemcached() {
	w.t.Helper()
	const banner = `!document.getElementById("away").hidden`
	for range 2 {
		w.Visit(demoArticle)
		w.want("without memcached the article", "The four towers of Eddystone")
		w.trip("the article without memcached", "made anew")
		w.wait("a banner says what is the matter", banner)
	}
	w.wait("the banner is about all of memcached", `document.getElementById("away").innerText.startsWith("memcached does not answer.")`)
	for path, heading := range map[string]string{
		"/": "Stories of lighthouses", "/tides": "Tides at North Quay", "/cart": "Your cart", "/login": "Your account", "/status": "Status",
	} {
		w.Visit(path)
		w.want(path+" without memcached", heading)
		w.wait("a banner says what is the matter", banner)
	}
	for range 2 { // nobody keeps the table, and the page does not say so
		w.Visit("/tides")
		if got := evaluate[string](w.tab, `document.querySelector(".trip").innerText`); !strings.Contains(got, "could not be asked") || strings.Contains(got, "has the table") {
			w.t.Errorf("without memcached the tides say %q", got)
		}
	}
	w.Visit(demoArticle)
	w.Press("/cart")
	w.expectComplaint("503")
	w.want("ordering without memcached", "503")
}

// withMemcachedAgain waits on the status page until the servers are back, and
// sees that the cache and the sessions work as before.
func (w *walk) withMemcachedAgain() {
	w.t.Helper()
	w.wait("all servers are up", `[...document.querySelectorAll("[data-server]")].every((card) => card.dataset.state === "up")`)
	w.wait("the banner is gone", `document.getElementById("away").hidden`)
	eventually(w.t, func() error {
		w.Visit(demoArticle)
		w.wait("the page says how it came about", `document.querySelector("#trips li")`)
		if !evaluate[bool](w.tab, `document.querySelector("#trips .hit") !== null`) {
			return errors.New("the article does not come from memcached again")
		}
		return nil
	})
	w.login("ada", "lantern")
	w.want("a login after the restart", "Hello, ada")
	w.Visit(demoArticle)
	w.Press("/cart")
	w.inCart("1")
	w.Visit("/login")
	w.Press("/logout")
	w.want("after the logout", "Log in")
}
