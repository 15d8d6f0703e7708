package browser

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A Tab is a tab of a browser, on a site. The test that opened it owns it: its
// methods fail that test, and must be called from its goroutine.
type Tab struct {
	TB   testing.TB
	Ctx  context.Context // the tab's own; it ends with the test
	Base string          // the site's address, without a slash at the end
}

// limit bounds what a tab is asked to do at once.
const limit = time.Minute

// Open opens a tab in the browser that Start returned, on the site at base. It
// shares the cookies of the other tabs, unless it is given
// chromedp.WithNewBrowserContext.
func Open(tb testing.TB, browser context.Context, base string, options ...chromedp.ContextOption) *Tab {
	tb.Helper()
	ctx, cancel := chromedp.NewContext(browser, options...)
	tb.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // makes the tab, which lives as long as this context
		tb.Fatalf("opening a tab: %v", err)
	}
	return &Tab{TB: tb, Ctx: ctx, Base: base}
}

// Get runs an action, for a minute at most, and returns its value. What it is
// called in a failure is what.
func Get[T any](p *Tab, what string, action chromedp.Action[T]) T {
	p.TB.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, limit)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		p.TB.Fatalf("%s: %v", what, err)
	}
	return value
}

// Do runs actions, for a minute at most.
func (p *Tab) Do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.TB.Helper()
	Get(p, what, chromedp.Steps(actions...))
}

// Visit goes to the page at path.
func (p *Tab) Visit(path string) {
	p.TB.Helper()
	p.Do("visiting "+path, chromedp.Navigate(p.Base+path))
}

// Follow runs an action that leads to another page, and waits for that, for a
// minute at most.
func (p *Tab) Follow(what string, action chromedp.Action[chromedp.Void]) {
	p.TB.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, limit)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, action); err != nil {
		p.TB.Fatalf("%s: %v", what, err)
	}
}

// Click clicks what leads to another page, and waits for that.
func (p *Tab) Click(selector string) {
	p.TB.Helper()
	p.Follow("clicking "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// Press presses the button of the form that goes to path, and waits for the
// next page.
func (p *Tab) Press(path string) {
	p.TB.Helper()
	p.Click(`form[action="` + path + `"] button`)
}
