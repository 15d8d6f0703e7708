package demo_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/bmemcached/bmemcached-go/integration/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// screens is where the screenshots go, which git ignores.
var screens = filepath.Join("..", "..", ".cache", "screens")

//go:embed testdata/check.js
var checkScript string

// A look is a window in which a page must hold up.
type look struct {
	name          string
	width, height int64
	scheme        string // light or dark
	options       []chromedp.EmulateViewportOption
}

var (
	phone = []chromedp.EmulateViewportOption{chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait}
	looks = []look{
		{"desktop", 1440, 900, "light", nil},
		{"desktop-dark", 1440, 900, "dark", nil},
		{"phone", 390, 844, "light", phone},
		{"phone-dark", 390, 844, "dark", phone},
	}
)

// dress gives the tab a window and a colour scheme.
func (p *tab) dress(l look) {
	p.t.Helper()
	p.Do("changing the window to "+l.name,
		chromedp.EmulateViewport(l.width, l.height, l.options...),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}},
			})
			return err
		}))
}

// screenshot takes a picture of the whole page, quickly rather than small.
func screenshot(ctx context.Context, t *chromedp.Target) ([]byte, error) {
	yes := true
	result, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &yes, OptimizeForSpeed: &yes})
	return result.Data, err
}

// shoot checks the page in every window, and keeps a screenshot of each.
func (p *tab) shoot(name string) {
	p.t.Helper()
	for _, l := range looks {
		p.dress(l)
		p.wait("the window is "+l.name, fmt.Sprintf("innerWidth === %d && matchMedia('(prefers-color-scheme: %s)').matches", l.width, l.scheme))
		for _, wrong := range evaluate[[]string](p, fmt.Sprintf("(%s)(%d)", checkScript, l.width)) {
			p.t.Errorf("%s, %s: %s", name, l.name, wrong)
		}
		picture := browser.Get(p.Tab, "taking a screenshot", screenshot)
		if err := os.WriteFile(filepath.Join(screens, name+"-"+l.name+".png"), picture, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	p.dress(looks[0])
}

const (
	trips   = `document.querySelectorAll("#trips li").length`
	upCards = `document.querySelectorAll("[data-state=up]").length`
)

// The pages in every state, in every window.
func TestScreens(t *testing.T) {
	t.Parallel()
	chromium := browser.Start(t)
	site := run(t, nil)
	if err := os.MkdirAll(screens, 0o755); err != nil {
		t.Fatal(err)
	}
	p := open(t, chromium, site.Base)

	p.Visit("/status")
	p.wait("the plots are drawn", `document.querySelectorAll(".plot svg").length === 4`)
	p.shoot("status-empty")
	p.Visit("/tides")
	p.shoot("tides-computed")
	p.Visit("/cart")
	p.shoot("cart-empty")
	p.Visit("/login")
	p.shoot("login")
	p.login(`"><script>alert(1)</script>`, "wrong")
	p.expectComplaint("401")
	p.shoot("login-refused")
	p.Visit("/")
	p.wait("the page says how it was made", trips+" === 1")
	p.shoot("articles")
	p.Visit(demoArticle)
	p.wait("the page says how it was made", trips+" === 1")
	for i := range 3 {
		p.Do("asking again", chromedp.Click(chromedp.CSS("#again")))
		p.wait("the answer is listed", fmt.Sprintf("%s === %d", trips, i+2))
	}
	p.shoot("article")
	for range 2 {
		p.Visit(demoArticle)
		p.Press("/cart")
		p.Visit("/articles/the-keeper-of-la-jument")
		p.Press("/cart")
	}
	p.wait("the cart is counted", `document.getElementById("cart-count").innerText === "4"`)
	p.shoot("cart")
	p.login("ada", "lantern")
	p.wait("the user is named", `document.getElementById("account").innerText === "ada"`)
	p.shoot("account")
	p.Visit("/nothing")
	p.expectComplaint("404")
	p.shoot("error")
	p.Visit("/tides?harbour=lamp")
	eventually(t, func() error { // it is stored in the background
		p.Do("reloading", chromedp.Reload())
		if !evaluate[bool](p, `document.querySelector(".trip .hit") !== null`) {
			return errors.New("/tides is computed again and again")
		}
		return nil
	})
	p.shoot("tides")

	p.Visit("/status")
	p.Do("sending visitors", chromedp.Click(chromedp.CSS("#visitors")))
	p.wait("visitors have come for some seconds", `[...document.querySelectorAll("[data-plot=pages] polyline.k0")].some(
		(line) => line.getAttribute("points").split(" ").filter((point) => +point.split(",")[1] < 90).length >= 6)`)
	p.shoot("status")
	p.Press("/servers/1/stop")
	p.wait("a server is stopped", upCards+` === 2 && document.querySelector("[data-state=stopped]")`)
	p.Do("sending visitors", chromedp.Click(chromedp.CSS("#visitors")))
	p.wait("the banner says so", `document.getElementById("away").innerText.startsWith("Part of memcached does not answer.")`)
	p.shoot("status-stopped")
	for _, i := range []int{0, 2} {
		p.Press(fmt.Sprintf("/servers/%d/stop", i))
	}
	p.Visit("/tides")
	p.wait("the banner is about all", `document.getElementById("away").innerText.startsWith("memcached does not answer.")`)
	p.shoot("tides-away")
	p.Visit("/cart")
	p.wait("the cart is away", `!document.getElementById("away").hidden`)
	p.shoot("cart-away")
	p.Visit("/login")
	p.wait("the session is away", `!document.getElementById("away").hidden`)
	p.shoot("login-away")
	p.Visit(demoArticle)
	p.Press("/cart")
	p.expectComplaint("503")
	p.shoot("error-away")
}
