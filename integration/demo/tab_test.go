package demo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bmemcached/bmemcached-go/integration/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A tab is a tab of a browser, on the site. What the browser complains of, and
// what it asks of other sites, fails the test, unless it was expected.
type tab struct {
	*browser.Tab
	t    *testing.T
	site string // its address

	mu         sync.Mutex // guards what follows
	complaints []string
}

// open opens a tab with cookies of its own, as a browser of somebody else.
func open(t *testing.T, chromium context.Context, base string) *tab {
	t.Helper()
	p := &tab{t: t, site: base}
	p.Tab = browser.Open(t, chromium, base, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.listen))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, complaint := range p.complaints {
			t.Errorf("the browser complains: %s", complaint)
		}
	})
	return p
}

// listen notes what the browser complains of.
func (p *tab) listen(event any) {
	var complaint string
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		complaint = event.ExceptionDetails.Text
		if event.ExceptionDetails.Exception != nil {
			complaint += " " + event.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		complaint = fmt.Sprintf("console.%s", event.Type)
	case *log.EventEntryAdded:
		complaint = fmt.Sprintf("%s: %s (%s)", event.Entry.Level, event.Entry.Text, event.Entry.URL)
	case *network.EventRequestWillBeSent:
		if url := event.Request.URL; !strings.HasPrefix(url, p.site+"/") {
			complaint = "a request to " + url
		}
	}
	if complaint != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.complaints = append(p.complaints, complaint)
	}
}

// expectComplaint waits until the browser complains of something with text in
// it, and forgives that.
func (p *tab) expectComplaint(text string) {
	p.t.Helper()
	eventually(p.t, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		before := len(p.complaints)
		p.complaints = slices.DeleteFunc(p.complaints, func(complaint string) bool { return strings.Contains(complaint, text) })
		if len(p.complaints) == before {
			return fmt.Errorf("the browser does not complain of %q", text)
		}
		return nil
	})
}

// evaluate returns the value of an expression in the page.
func evaluate[T any](p *tab, expression string) T {
	p.t.Helper()
	return browser.Get(p.Tab, expression, chromedp.Evaluate[T](expression))
}

// wait waits until an expression is true in the page, whichever comes meanwhile.
func (p *tab) wait(what, expression string) {
	p.t.Helper()
	eventually(p.t, func() error {
		ctx, cancel := context.WithTimeout(p.Ctx, 10*time.Second)
		defer cancel()
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && !holds {
			err = errors.New("not so: " + what)
		}
		return err
	})
}

// want fails the test unless the heading of the page is want.
func (p *tab) want(what, want string) {
	p.t.Helper()
	if got := evaluate[string](p, `document.querySelector("h1").innerText`); got != want {
		p.t.Errorf("%s: the page says %q, want %q", what, got, want)
	}
}

// login fills in the form of the login, and sends it with the Enter key.
func (p *tab) login(user, password string) {
	p.t.Helper()
	p.Visit("/login")
	p.Do("filling in the user", chromedp.SetValue(chromedp.CSS(`input[name="user"]`), user))
	p.Follow("sending the login", chromedp.SendKeys(chromedp.CSS(`input[name="password"]`), password+"\r"))
}

// disableScript turns JavaScript off.
func (p *tab) disableScript() {
	p.t.Helper()
	p.Do("turning JavaScript off", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}
